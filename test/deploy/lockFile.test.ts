import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"

interface Entry {
  readonly dependencies?: Record<string, string>
  readonly optionalDependencies?: Record<string, string>
  readonly peerDependencies?: Record<string, string>
  readonly peerDependenciesMeta?: Record<string, { readonly optional?: boolean }>
  readonly integrity?: string
  readonly resolved?: string
}

const { packages } = JSON.parse(readFileSync(new URL("../../package-lock.json", import.meta.url), "utf8")) as {
  packages: Record<string, Entry>
}

/** Where Node would find `name` from the package at `path`. */
const resolves = (path: string, name: string): boolean => {
  const levels = path.split("/node_modules/")
  return (
    levels.some((_, index) => {
      const base = levels.slice(0, levels.length - index).join("/node_modules/")
      return packages[base === "" ? `node_modules/${name}` : `${base}/node_modules/${name}`] !== undefined
    }) || packages[`node_modules/${name}`] !== undefined
  )
}

const wanted = (entry: Entry): ReadonlyArray<string> => [
  ...Object.keys(entry.dependencies ?? {}),
  ...Object.keys(entry.optionalDependencies ?? {}),
  ...Object.keys(entry.peerDependencies ?? {}).filter((name) => entry.peerDependenciesMeta?.[name]?.optional !== true)
]

describe("package-lock.json", () => {
  it("has an entry for every package that another names: npm 11 refuses a lock with holes", () => {
    const holes = Object.entries(packages).flatMap(([path, entry]) =>
      wanted(entry)
        .filter((name) => !resolves(path, name))
        .map((name) => `${path} -> ${name}`)
    )
    assert.deepEqual(holes, [])
  })

  it("pins every package by its hash and names no registry", () => {
    const entries = Object.entries(packages).filter(([path]) => path !== "")
    assert.isAbove(entries.length, 100)
    for (const [path, entry] of entries) {
      assert.isDefined(entry.integrity, path)
      assert.isUndefined(entry.resolved, path)
    }
  })
})
