/** The import table of the design: who may rest on whom. */
import { fileNamed, type SourceFile, specifiersOf } from "./sources.ts"

/** What each folder may import besides itself; longer paths first. Without an entry a folder is unknown and refused. */
const table: ReadonlyArray<readonly [folder: string, may: ReadonlyArray<string>]> = [
  ["test/fleet", []],
  ["test", ["core", "machines", "sql", "actors", "http", "ui", "deploy"]],
  ["deploy", ["core", "machines", "sql", "actors", "http", "ui", "test/fleet"]],
  ["http/server", ["core", "http/api", "sql", "actors/pki", "actors/audit", "actors/reports", "actors/notify"]],
  ["http/api", ["core"]],
  ["ui", ["core", "machines", "http/api"]],
  [
    "actors/wake",
    [
      "core",
      "machines",
      "sql",
      "actors/agent",
      "actors/hosts",
      "actors/jobs",
      "actors/schedule",
      "actors/housekeeping",
      "actors/discovery",
      "actors/audit"
    ]
  ],
  ["actors/schedule", ["core", "machines", "sql", "actors/jobs", "actors/hosts"]],
  ["actors/jobs", ["core", "machines", "sql", "actors/hosts"]],
  ["actors/hosts", ["core", "machines", "sql", "actors/agent"]],
  ["actors/agent", ["core", "machines", "sql"]],
  ["actors/pki", ["core", "machines", "sql"]],
  ["actors/audit", ["core", "machines", "sql"]],
  ["actors/discovery", ["core", "machines", "sql"]],
  ["actors/housekeeping", ["core", "machines", "sql"]],
  ["sql", ["core", "machines"]],
  ["machines", ["core"]],
  ["core", []]
]

/** Packages that the storeys below may use; every other folder takes what package.json has. */
const packages: ReadonlyArray<readonly [folder: string, may: RegExp]> = [
  ["core", /^effect(\/[A-Z]\w*)?$/],
  ["machines", /^(effect(\/[A-Z]\w*)?|xstate)$/],
  ["http/api", /^(effect(\/[A-Z]\w*)?|effect\/http-api|effect\/http|effect\/rpc)$/],
  ["ui", /^(?!node:|pg$|ws$|undici$|@effect\/)/]
]

/** Files that wrap one unstable module, so that nobody else has to know it, and those that run only while building. */
const exceptions: Readonly<Record<string, RegExp>> = {
  "core/newId.ts": /^effect\/crypto\/SecureRandom$/,
  "ui/chart/computeLayout.ts": /^node:fs$/,
  "ui/chart/layoutOf.ts": /^node:crypto$/
}

const folders = new Set(table.map(([folder]) => folder.split("/")[0]))

/** Only the composition root may start what runs for ever. */
const rootOnly = /\b(Layer\.launch|NodeRuntime\.runMain|runMain\()/

const inside = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`)

const faultsOf = (file: SourceFile): ReadonlyArray<string> => {
  const entry = table.find(([folder]) => inside(file.path, folder))
  if (entry === undefined) return [`${file.path}: its folder is not in the import table`]
  const [folder, may] = entry
  const [, allowed] = packages.find(([of]) => inside(file.path, of)) ?? []
  return specifiersOf(file).flatMap((specifier) => {
    const target = fileNamed(file.path, specifier)
    if (target === undefined) {
      const fine = allowed === undefined || allowed.test(specifier) || exceptions[file.path]?.test(specifier) === true
      return fine ? [] : [`${file.path}: ${folder} may not use the package ${specifier}`]
    }
    if (!/\.\w+$/.test(target)) return [`${file.path}: ${specifier} names no file`]
    const [top] = target.split("/")
    // package.json and the programs of docs/ stand outside of the storeys; only the two top ones see them.
    if (!folders.has(top))
      return folder === "deploy" || folder === "test" ? [] : [`${file.path}: ${folder} may not import ${target}`]
    const relativeAway = specifier.startsWith(".") && top !== file.path.split("/")[0]
    if (relativeAway) return [`${file.path}: ${specifier} leaves its folder; write #${target}`]
    const fine = inside(target, folder) || may.some((other) => inside(target, other))
    return fine ? [] : [`${file.path}: ${folder} may not import ${target}`]
  })
}

export const importFaults = (files: ReadonlyArray<SourceFile>): ReadonlyArray<string> => files.flatMap(faultsOf)

/** A statement as a tagged template, as an unsafe text, or as a text that begins like one. */
const statements = [
  /\bsql\s*(<[^`;]*>)?`/,
  /\bsql\.unsafe\(/,
  /["'`]\s*(select\s.*\sfrom\s|insert\s+into\s|update\s+\w+\s+set\s|delete\s+from\s|create\s+table\s|alter\s+table\s|drop\s+table\s)/i
]

/** SQL outside of sql/; tests may look at rows. */
export const sqlFaults = (files: ReadonlyArray<SourceFile>): ReadonlyArray<string> =>
  files
    .filter(({ path }) => !inside(path, "sql") && !inside(path, "test"))
    .filter(({ text }) => statements.some((pattern) => pattern.test(text)))
    .map(({ path }) => `${path}: SQL belongs into sql/`)

export const launchFaults = (files: ReadonlyArray<SourceFile>): ReadonlyArray<string> =>
  files
    .filter(({ path, text }) => !inside(path, "deploy") && !inside(path, "test") && rootOnly.test(text))
    .map(({ path }) => `${path}: only deploy/ starts a program`)
