/** What the product's own files must and must not say: regular expressions, secrets on start, packages. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { expect } from "vitest"
import { projectRoot } from "#deploy/projectRoot.ts"
import { lockFaults, type LockFile } from "./lockFaults.ts"
import { regexLiterals } from "./regexLiterals.ts"
import { securityRow } from "./securityRow.ts"
import { sourcesOf } from "./sourceText.ts"

const LENGTH = 50_000

/** Long runs of what the expression itself speaks of, and then something that it cannot end with. */
const attacksOn = (pattern: string): ReadonlyArray<string> => {
  const own = [...new Set(pattern.replaceAll(/\\[a-zA-Z]|[[\](){}?*+^$|\\]/g, ""))].slice(0, 24)
  const seeds = ["a", "0", " ", "a.", "a-", "a ", "0:", "/", ".", "-", "\t", "a,", ...own]
  return seeds.flatMap((seed) => {
    const run = seed.repeat(Math.ceil(LENGTH / seed.length)).slice(0, LENGTH - 1)
    return [`${run}\u0001`, `\u0001${run}`]
  })
}

securityRow(
  "S82",
  "no regular expression is slow",
  async (row) => {
    const found = sourcesOf(["actors", "core", "http", "machines", "sql", "ui"]).flatMap(regexLiterals)
    const slow: Array<string> = []
    await row.assert("every literal of the sources is looked at", () => {
      expect(found.length).toBeGreaterThan(100)
      expect(found.some(({ path }) => path.startsWith("core/"))).toBe(true)
    })
    await row.assert("each regular expression with a 50,000-character attack string → under 50 ms", () => {
      for (const { flags, path, pattern } of found) {
        const expression = new RegExp(pattern, flags.replaceAll(/[gy]/g, ""))
        for (const text of attacksOn(pattern)) {
          // Another process may have had the machine: what is slow is slow each time.
          let best = Infinity
          for (let tries = 0; tries < 3 && best >= 50; tries++) {
            const began = performance.now()
            expression.test(text)
            best = Math.min(best, performance.now() - began)
          }
          if (best >= 50) {
            slow.push(
              `${path}: /${pattern}/${flags} takes ${Math.round(best)} ms for ${JSON.stringify(text.slice(0, 8))}…`
            )
            break
          }
        }
      }
      expect(slow).toEqual([])
    })
  },
  300_000
)

securityRow("S97", "packages are what the lock file says", async (row) => {
  const lock = JSON.parse(readFileSync(join(projectRoot, "package-lock.json"), "utf8")) as LockFile
  const first = (): string => Object.keys(lock.packages).find((path) => path.startsWith("node_modules/")) ?? ""
  const with_ = (change: object): LockFile => ({
    packages: { ...lock.packages, [first()]: { ...lock.packages[first()], ...change } }
  })
  await row.assert("lockfile integrity, licence list, no install scripts except an allow-list", () => {
    expect(Object.keys(lock.packages).length).toBeGreaterThan(50)
    expect(lockFaults(lock)).toEqual([])
  })
  await row.assert("a planted bad dependency fails", () => {
    expect(lockFaults(with_({ integrity: undefined }))).toHaveLength(1)
    expect(lockFaults(with_({ integrity: "sha1-AAAA" }))).toHaveLength(1)
    expect(lockFaults(with_({ resolved: "http://evil.example/a.tgz" }))).toHaveLength(1)
    expect(lockFaults(with_({ resolved: "git+ssh://git@evil.example/a.git" }))).toHaveLength(1)
    expect(lockFaults(with_({ hasInstallScript: true }))).toHaveLength(1)
    expect(lockFaults(with_({ license: "SSPL-1.0" }))).toHaveLength(1)
    expect(lockFaults(with_({ license: undefined }))).toHaveLength(1)
  })
  row.missing(
    "`npm audit`",
    "it asks a registry about every package, which the suite has no access to; CI beside a registry runs it"
  )
  row.missing("SBOM equals the tree, reproducible build hash", "nothing is packaged yet")
})
