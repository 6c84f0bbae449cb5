import { spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { stripVTControlCharacters } from "node:util"
import { alone } from "./lock.mjs"
import { inRoot, node24, root } from "./paths.mjs"
import { say } from "./say.mjs"

/** What a build is made from: when none of it has changed, the build stands. */
const consoleParts = {
  name: "console",
  sources: [
    "ui",
    "core",
    "machines",
    "http/api",
    "vite.config.ts",
    "tsconfig.json",
    "package.json",
    "package-lock.json"
  ],
  command: (output) => [
    "node_modules/vite/bin/vite.js",
    "build",
    "--outDir",
    output,
    "--emptyOutDir",
    "--logLevel",
    "warn"
  ]
}
const serverParts = {
  name: "server",
  sources: [
    "core",
    "machines",
    "sql",
    "actors",
    "http",
    "deploy",
    "test/fleet/FleetControl.ts",
    "rolldown.config.ts",
    "package.json",
    "package-lock.json"
  ],
  command: (output) => ["node_modules/rolldown/bin/cli.mjs", "-c", "rolldown.config.ts", "--dir", output]
}

const filesIn = (path) => {
  if (!existsSync(inRoot(path))) return []
  if (statSync(inRoot(path)).isFile()) return [path]
  return readdirSync(inRoot(path), { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? filesIn(join(path, entry.name)) : [join(path, entry.name)]))
    .sort()
}

const hashOf = ({ sources }) => {
  const hash = createHash("sha256")
  for (const file of sources.flatMap(filesIn))
    hash
      .update(`${file}\0`)
      .update(readFileSync(inRoot(file)))
      .update("\0")
  return hash.digest("hex")
}

const outputOf = ({ name }) => inRoot(".build", name)
const stampOf = ({ name }) => inRoot(".build", `${name}.stamp`)

const isFresh = (parts, hash) => {
  try {
    return readFileSync(stampOf(parts), "utf8") === hash && existsSync(outputOf(parts))
  } catch {
    return false
  }
}

const run = (args) =>
  new Promise((resolve, reject) => {
    const child = spawn(node24, args, {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"]
    })
    let output = ""
    const keep = (chunk) => (output = (output + chunk).slice(-20_000))
    child.stdout.on("data", keep)
    child.stderr.on("data", keep)
    child.on("error", reject)
    child.on("close", (code) => (code === 0 ? resolve() : reject(new Error(stripVTControlCharacters(output).trim()))))
  })

const build = async (parts) => {
  if (isFresh(parts, hashOf(parts))) return
  await alone(async () => {
    const hash = hashOf(parts)
    if (isFresh(parts, hash)) return
    const began = Date.now()
    const output = outputOf(parts)
    const fresh = `${output}.${process.pid}`
    const old = `${output}.old.${process.pid}`
    mkdirSync(inRoot(".build"), { recursive: true })
    try {
      await run(parts.command(fresh))
      rmSync(stampOf(parts), { force: true })
      if (existsSync(output)) renameSync(output, old)
      renameSync(fresh, output)
      writeFileSync(stampOf(parts), hash)
    } catch (error) {
      throw new Error(`${error.message}\nBuilding the ${parts.name} failed.`)
    } finally {
      for (const path of [fresh, old]) rmSync(path, { recursive: true, force: true })
    }
    say(`Built the ${parts.name} in ${((Date.now() - began) / 1000).toFixed(1)} s.`)
  })
}

/** Builds the console into .build/console when its sources have changed. */
export const buildConsole = () => build(consoleParts)

/** Builds one bundle per server process into .build/server when their sources have changed. */
export const buildServer = () => build(serverParts)

/** Whether the server bundles are those of the sources as they are. */
export const serverIsFresh = () => isFresh(serverParts, hashOf(serverParts))
