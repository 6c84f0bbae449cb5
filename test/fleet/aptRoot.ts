import { createHash } from "node:crypto"
import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir, userInfo } from "node:os"
import { join, resolve } from "node:path"
import type { CommandResult } from "./runCommand.ts"
import { runCommand } from "./runCommand.ts"

/** A package as a test describes it. */
export interface DebSpec {
  readonly name: string
  readonly version: string
  readonly arch?: string
  readonly description?: string
  readonly depends?: string
}

const quickMs = 60_000

const must = (what: string, result: CommandResult): CommandResult => {
  if (result.exitCode === 0) return result
  throw new Error(`${what} failed with exit code ${result.exitCode}: ${result.stderr || result.stdout}`)
}

const userName = (): string => {
  try {
    return userInfo().username
  } catch {
    return "root"
  }
}

/** Options that make apt-get and apt work on a root directory only, as root or as an ordinary user. */
export const aptOptions = (root: string): ReadonlyArray<string> =>
  [
    `Dir=${root}`,
    `Dir::State::status=${root}/var/lib/dpkg/status`,
    `Dpkg::Options::=--root=${root}`,
    "Dpkg::Options::=--force-not-root",
    `Dpkg::Options::=--log=${root}/var/log/dpkg.log`,
    "APT::Architecture=amd64",
    `APT::Sandbox::User=${userName()}`
  ].flatMap((option) => ["-o", option])

/** Keeps the machine's own apt configuration, with its hooks, away from the root directory. */
export const aptEnvironment = (root: string): Readonly<Record<string, string>> => ({
  APT_CONFIG: `${root}/etc/apt/root.conf`
})

const apt = (root: string, args: ReadonlyArray<string>) =>
  runCommand("apt-get", [...aptOptions(root), "-y", ...args], { deadlineMs: quickMs, env: aptEnvironment(root) })

/** Makes an empty Debian root directory whose only archive is the given folder of .deb files. */
export const makeRoot = async (rootPath: string, repoPath: string): Promise<void> => {
  const root = resolve(rootPath)
  const repo = resolve(repoPath)
  const folders = [
    "var/lib/dpkg/info",
    "var/lib/dpkg/updates",
    "var/lib/dpkg/triggers",
    "etc/apt/apt.conf.d",
    "etc/apt/preferences.d",
    "etc/apt/sources.list.d",
    "etc/apt/trusted.gpg.d",
    "var/lib/apt/lists/partial",
    "var/cache/apt/archives/partial",
    "var/log/apt",
    "var/run"
  ]
  for (const folder of folders) await mkdir(join(root, folder), { recursive: true })
  await mkdir(repo, { recursive: true })
  await writeFile(join(root, "var/lib/dpkg/status"), "", { flag: "a" })
  await writeFile(join(root, "etc/apt/root.conf"), `Dir "${root}";\n`)
  await writeFile(join(root, "etc/apt/sources.list"), `deb [trusted=yes] file:${repo} ./\n`)
  await writePackages(repo)
}

/** Builds one .deb without maintainer scripts into the archive folder and lists it there. */
export const buildDeb = async (repo: string, spec: DebSpec): Promise<string> => {
  const work = await mkdtemp(join(tmpdir(), "fleet-deb-"))
  try {
    const arch = spec.arch ?? "all"
    const control = [
      `Package: ${spec.name}`,
      `Version: ${spec.version}`,
      `Architecture: ${arch}`,
      "Maintainer: Fleet <fleet@example.test>",
      "Section: admin",
      "Priority: optional",
      ...(spec.depends === undefined ? [] : [`Depends: ${spec.depends}`]),
      `Description: ${spec.description ?? `${spec.name} for the stand-in fleet`}`
    ]
    await mkdir(join(work, "DEBIAN"), { recursive: true })
    await mkdir(join(work, "usr/share", spec.name), { recursive: true })
    await writeFile(join(work, "DEBIAN/control"), `${control.join("\n")}\n`)
    await writeFile(join(work, "usr/share", spec.name, "version"), `${spec.version}\n`)
    const file = join(resolve(repo), `${spec.name}_${spec.version.replaceAll(":", "%3a")}_${arch}.deb`)
    await mkdir(resolve(repo), { recursive: true })
    must("dpkg-deb", await runCommand("dpkg-deb", ["--root-owner-group", "-b", work, file], { deadlineMs: quickMs }))
    await writePackages(repo)
    return file
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/** Writes the archive's Packages file from the .deb files that lie in it. */
export const writePackages = async (repoPath: string): Promise<void> => {
  const repo = resolve(repoPath)
  const stanzas: Array<string> = []
  for (const file of (await readdir(repo)).filter((name) => name.endsWith(".deb")).sort()) {
    const path = join(repo, file)
    const control = must("dpkg-deb", await runCommand("dpkg-deb", ["-f", path], { deadlineMs: quickMs })).stdout
    const digest = createHash("sha256")
      .update(await readFile(path))
      .digest("hex")
    const { size } = await stat(path)
    stanzas.push(`${control.trimEnd()}\nFilename: ./${file}\nSize: ${size}\nSHA256: ${digest}\n`)
  }
  await writeFile(join(repo, "Packages"), stanzas.join("\n"))
}

/** Reads the archive anew into the root, as `apt-get update` does. */
export const updateLists = async (root: string): Promise<void> => {
  must("apt-get update", await apt(resolve(root), ["update"]))
}

/** Installs a package into the root behind the agent's back; a given version may also be an older one. */
export const installInto = async (root: string, name: string, version?: string): Promise<void> => {
  await updateLists(root)
  const target = version === undefined ? name : `${name}=${version}`
  must("apt-get install", await apt(resolve(root), ["--allow-downgrades", "install", "--", target]))
}

/** The installed version by dpkg-query, or undefined when the root does not have the package. */
export const installedVersion = async (root: string, name: string): Promise<string | undefined> => {
  const result = await runCommand(
    "dpkg-query",
    [`--admindir=${resolve(root)}/var/lib/dpkg`, "-W", "-f", "${db:Status-Status} ${Version}", name],
    { deadlineMs: quickMs }
  )
  const [status, version] = result.stdout.split(" ")
  return result.exitCode === 0 && status === "installed" ? version : undefined
}
