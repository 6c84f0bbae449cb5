/** What a browser has to load: the entry at most 60 KB, any route at most 130 KB, styles at most 28 KB, all gzipped. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { build, type Manifest } from "vite"
import { afterAll, beforeAll, describe, expect, it } from "vitest"

const KB = 1000
const root = new URL("../../", import.meta.url).pathname
const outDir = mkdtempSync(join(tmpdir(), "console-budget-"))
let manifest: Manifest = {}

const sizes = new Map<string, number>()
const size = (file: string): number => {
  const known = sizes.get(file) ?? gzipSync(readFileSync(join(outDir, file))).length
  sizes.set(file, known)
  return known
}

/** The chunk and everything it imports before it runs. */
const needed = (key: string, seen = new Set<string>()): Set<string> => {
  if (seen.has(key)) return seen
  seen.add(key)
  for (const next of manifest[key]?.imports ?? []) needed(next, seen)
  return seen
}

const scriptsOf = (keys: Iterable<string>): number =>
  [...new Set([...keys].map((key) => manifest[key]?.file ?? ""))].reduce((sum, file) => sum + size(file), 0)

beforeAll(async () => {
  await build({
    configFile: join(root, "vite.config.ts"),
    root: join(root, "ui"),
    logLevel: "error",
    build: { outDir, emptyOutDir: true, manifest: true }
  })
  manifest = JSON.parse(readFileSync(join(outDir, ".vite/manifest.json"), "utf8")) as Manifest
}, 120_000)

afterAll(() => rmSync(outDir, { recursive: true, force: true }))

describe("the built console", () => {
  const entry = (): Set<string> => needed("index.html")

  it("has a small entry", () => {
    expect(scriptsOf(entry())).toBeLessThanOrEqual(60 * KB)
  })

  it("has no large route", () => {
    const routes = Object.keys(manifest).filter((key) => /(Page|Tab|Dialog)\.tsx$/.test(key))
    expect(routes.length).toBeGreaterThan(8)
    const large = routes
      .map((key) => ({ key, bytes: scriptsOf([...entry(), ...needed(key), ...needed("hosts/HostPage.tsx")]) }))
      .filter(({ bytes }) => bytes > 130 * KB)
    expect(large).toEqual([])
  })

  it("has few styles", () => {
    const styles = new Set(
      Object.values(manifest).flatMap(({ css, file }) => [...(css ?? []), ...(file.endsWith(".css") ? [file] : [])])
    )
    expect([...styles].reduce((sum, file) => sum + size(file), 0)).toBeLessThanOrEqual(28 * KB)
  })

  it("keeps script and style out of index.html, as the policy wants it", () => {
    const html = readFileSync(join(outDir, "index.html"), "utf8")
    expect(html).not.toMatch(/<script(?![^>]*\bsrc=)/)
    expect(html).not.toMatch(/<style|style=/)
    expect(html).not.toMatch(/https?:\/\//)
  })

  it("carries none of the server's libraries in its entry", () => {
    const text = [...entry()].map((key) => readFileSync(join(outDir, manifest[key]?.file ?? ""), "utf8")).join("")
    expect(text).not.toMatch(/effect\/Schema|@effect\//)
  })
})
