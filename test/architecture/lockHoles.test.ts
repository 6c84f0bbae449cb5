import { describe, expect, it } from "vitest"
import { readJson } from "./sources.ts"

interface Wanted {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

interface Entry extends Wanted {
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>
  readonly integrity?: string
  readonly resolved?: string
}

interface Manifest extends Wanted {
  readonly devDependencies?: Readonly<Record<string, string>>
}

type Packages = Readonly<Record<string, Entry>>

/** Where Node would look for a package from another one's folder, nearest first. */
const placesFor = (path: string, name: string): ReadonlyArray<string> => {
  const levels = path === "" ? [] : path.split("/node_modules/")
  const bases = levels.map((_, index) => levels.slice(0, levels.length - index).join("/node_modules/"))
  return [...bases.map((base) => `${base}/node_modules/${name}`), `node_modules/${name}`]
}

const wantedBy = (entry: Entry): ReadonlyArray<string> => [
  ...Object.keys(entry.dependencies ?? {}),
  ...Object.keys(entry.optionalDependencies ?? {}),
  ...Object.keys(entry.peerDependencies ?? {}).filter((name) => entry.peerDependenciesMeta?.[name]?.optional !== true)
]

/** Packages that another names and that the lock has no entry for: npm 11 refuses such a lock. */
const holesIn = (packages: Packages): ReadonlyArray<string> =>
  Object.entries(packages).flatMap(([path, entry]) =>
    wantedBy(entry)
      .filter((name) => !placesFor(path, name).some((place) => place in packages))
      .map((name) => `${path || "the project"} -> ${name}`)
  )

/** Entries that name the registry they came from, or that any registry could answer with other bytes. */
const looseIn = (packages: Packages): ReadonlyArray<string> =>
  Object.entries(packages)
    .filter(([path, entry]) => path !== "" && (entry.resolved !== undefined || entry.integrity === undefined))
    .map(([path]) => path)

const inexactIn = (manifest: Manifest): ReadonlyArray<string> =>
  [manifest.dependencies, manifest.devDependencies, manifest.optionalDependencies]
    .flatMap((group) => Object.entries(group ?? {}))
    .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
    .map(([name, version]) => `${name} ${version}`)

describe("package-lock.json", () => {
  const { packages } = readJson("package-lock.json") as { readonly packages: Packages }

  it("has an entry for every package that another names", () => {
    expect(Object.keys(packages).length).toBeGreaterThan(100)
    expect(holesIn(packages)).toEqual([])
  })

  it("pins every package by its hash and names no registry", () => {
    expect(looseIn(packages)).toEqual([])
  })

  it("is refused with a hole", () => {
    const holed = {
      "": { dependencies: { a: "1.0.0" } },
      "node_modules/a": {
        dependencies: { b: "1" },
        optionalDependencies: { c: "1" },
        peerDependencies: { d: "1", e: "1" },
        peerDependenciesMeta: { e: { optional: true } }
      },
      "node_modules/x/node_modules/c": {},
      "node_modules/a/node_modules/b": { dependencies: { a: "1", d: "1" } }
    }
    expect(holesIn(holed)).toEqual(["node_modules/a -> c", "node_modules/a -> d", "node_modules/a/node_modules/b -> d"])
    expect(holesIn({ "": { dependencies: { a: "1.0.0" } } })).toEqual(["the project -> a"])
  })

  it("is refused with a registry's address or without a hash", () => {
    const integrity = "sha512-x"
    expect(looseIn({ "node_modules/a": { integrity, resolved: "https://example.org/a.tgz" } })).toEqual([
      "node_modules/a"
    ])
    expect(looseIn({ "node_modules/a": {} })).toEqual(["node_modules/a"])
    expect(looseIn({ "": {}, "node_modules/a": { integrity } })).toEqual([])
  })
})

describe("package.json", () => {
  it("names exact versions", () => {
    expect(inexactIn(readJson("package.json") as Manifest)).toEqual([])
  })

  it("is refused with a range", () => {
    const manifest = {
      dependencies: { a: "^1.0.0", b: "1.0.0" },
      devDependencies: { c: "~2.1.0" },
      optionalDependencies: { d: "*" }
    }
    expect(inexactIn(manifest)).toEqual(["a ^1.0.0", "c ~2.1.0", "d *"])
  })
})
