import { spawn } from "node:child_process"
import { createHash } from "node:crypto"
import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { basename, join } from "node:path"
import { refuseMusl, refuseUnwritable } from "./environment.mjs"
import { alone } from "./lock.mjs"
import { inRoot, node24, root } from "./paths.mjs"
import { progress, say } from "./say.mjs"

const stampFile = inRoot("node_modules", ".install-stamp")
const spaceNeeded = 1024 ** 3

const wantedStamp = () => {
  const hash = createHash("sha256")
  for (const file of ["package-lock.json", "package.json"]) hash.update(readFileSync(inRoot(file)))
  return `${hash.digest("hex")} ${process.platform}-${process.arch}\n`
}

const installed = (wanted) => {
  try {
    return readFileSync(stampFile, "utf8") === wanted && existsSync(node24)
  } catch {
    return false
  }
}

const fits = (entry) => {
  const allows = (list, value) => list === undefined || list.includes(value)
  return allows(entry.os, process.platform) && allows(entry.cpu, process.arch) && allows(entry.libc, "glibc")
}

/** The folders npm will fill for this machine. */
const folders = () => {
  const { packages } = JSON.parse(readFileSync(inRoot("package-lock.json"), "utf8"))
  return Object.entries(packages)
    .filter(([path, entry]) => path !== "" && fits(entry))
    .map(([path]) => inRoot(path, "package.json"))
}

const npmCommand = () => {
  const given = process.env.npm_execpath
  return given !== undefined && basename(given).startsWith("npm") ? [process.execPath, given] : ["npm"]
}

/** npm's cache, moved into the checkout where the usual one cannot be written (no home directory). */
const cacheArguments = () => {
  const usual = process.env.npm_config_cache ?? join(process.env.HOME ?? "/nonexistent", ".npm")
  try {
    mkdirSync(usual, { recursive: true })
    accessSync(usual, constants.W_OK)
    return []
  } catch {
    return [`--cache=${inRoot(".build", "npm-cache")}`]
  }
}

const explain = (output) => {
  if (/ENOSPC/.test(output)) return "The disk is full: 1 GB is needed."
  if (/EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ETIMEDOUT|network/i.test(output)) {
    return "The package registry cannot be reached: check the network or the registry setting of npm, then start again."
  }
  if (/EUSAGE/.test(output)) return "package-lock.json does not match package.json: check the checkout with git status."
  return "Installing failed; npm's own words are above."
}

const watchProgress = () => {
  const paths = folders()
  const began = Date.now()
  let rounds = 0
  const timer = setInterval(() => {
    rounds += 1
    const done = paths.filter((path) => existsSync(path)).length
    const seconds = Math.round((Date.now() - began) / 1000)
    progress(`Installing: ${done} of ${paths.length} packages, ${seconds} s`, rounds % 10 === 0)
  }, 500)
  return () => clearInterval(timer)
}

const runNpm = () =>
  new Promise((resolve, reject) => {
    const [program, ...first] = npmCommand()
    const options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--include=dev"]
    const more = [
      "--include=optional",
      "--loglevel=error",
      "--fetch-retries=2",
      "--prefer-offline",
      ...cacheArguments()
    ]
    // In a group of its own, so that Ctrl-C reaches it once and through us.
    const child = spawn(program, [...first, "ci", ...options, ...more], {
      cwd: root,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"]
    })
    let output = ""
    const keep = (chunk) => (output = (output + chunk).slice(-20_000))
    child.stdout.on("data", keep)
    child.stderr.on("data", keep)
    let stoppedBy
    // npm carries on to its end after SIGTERM; a killed installation is simply done again.
    const stop = (signal) => {
      if (stoppedBy !== undefined) return
      stoppedBy = signal
      say("Stopping the installation; run npm start again to finish it.")
      child.kill("SIGTERM")
      setTimeout(() => child.kill("SIGKILL"), 1_500).unref()
    }
    const signals = ["SIGINT", "SIGTERM", "SIGHUP"]
    for (const signal of signals) process.on(signal, stop)
    child.on("error", (error) => reject(new Error(`npm cannot be run: ${error.message}.`)))
    child.on("close", (code) => {
      for (const signal of signals) process.off(signal, stop)
      if (stoppedBy !== undefined) {
        return reject(Object.assign(new Error("Stopped."), { exitCode: stoppedBy === "SIGINT" ? 130 : 143 }))
      }
      if (code === 0) return resolve()
      say(output.trim())
      reject(new Error(explain(output)))
    })
  })

/** npm 10 drops the command of the foreign architecture's package and ours with it. */
const linkNode = () => {
  const link = inRoot("node_modules", ".bin", "node")
  if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) return
  symlinkSync(join("..", `node-linux-${process.arch}`, "bin", "node"), link)
}

/** Makes node_modules what package-lock.json says, unless it already is. */
export const install = async () => {
  if (installed(wantedStamp())) return
  refuseUnwritable()
  refuseMusl()
  await alone(async () => {
    const wanted = wantedStamp()
    if (installed(wanted)) return
    const { bavail, bsize } = statfsSync(root)
    if (bavail * bsize < spaceNeeded) throw new Error(`There is less than 1 GB free in ${root}: make room first.`)
    rmSync(stampFile, { force: true })
    say("Installing the packages (about 230 MB to download, 700 MB on disk).")
    const began = Date.now()
    const endProgress = watchProgress()
    try {
      await runNpm()
    } finally {
      endProgress()
    }
    if (!existsSync(node24)) throw new Error(`npm left out ${node24}: is "omit=optional" set in an .npmrc?`)
    linkNode()
    writeFileSync(`${stampFile}.new`, wanted)
    renameSync(`${stampFile}.new`, stampFile)
    say(`Installed in ${Math.round((Date.now() - began) / 1000)} s.`)
  })
}
