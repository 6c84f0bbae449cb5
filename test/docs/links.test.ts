/** Every link in the documents leads to a file and a heading that exist, and every setting is described. */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { describe, expect, it } from "vitest"
import { loadConfig, variableOf, type SettingName } from "#deploy/Config.ts"
import { describeConfig } from "#deploy/Config.ts"

const root = new URL("../../", import.meta.url).pathname

const documents = [
  ...readdirSync(root).filter((name) => name.endsWith(".md")),
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name))
]

const textOf = (path: string): string => readFileSync(join(root, path), "utf8")

/** Without code, in which brackets mean something else. */
const proseOf = (path: string): string => textOf(path).replaceAll(/```[\s\S]*?```|`[^`\n]*`/g, "")

/** As GitHub names them. */
const anchorsOf = (path: string): ReadonlyArray<string> =>
  [...textOf(path).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-")
  )

const linksOf = (path: string): ReadonlyArray<string> =>
  [...proseOf(path).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = ""]) => target)
    .filter((target) => !/^[a-z]+:/.test(target))

describe.each(documents)("%s", (path) => {
  it("links to what exists", () => {
    const broken = linksOf(path).filter((link) => {
      const [file = "", anchor] = link.split("#")
      const target = file === "" ? path : relative(root, join(root, dirname(path), file))
      if (!existsSync(join(root, target))) return true
      return anchor !== undefined && !anchorsOf(target).includes(anchor)
    })
    expect(broken).toEqual([])
  })

  it("has one title", () => {
    expect(proseOf(path).match(/^# /gm) ?? []).toHaveLength(1)
  })
})

it("docs/README.md lists every setting with its variable", () => {
  const config = loadConfig({ "database.url": "postgresql://localhost/x" }, {}, "/")
  const text = textOf("docs/README.md")
  const missing = Object.keys(describeConfig(config))
    .map((name) => variableOf(name as SettingName))
    .filter((variable) => !text.includes(`\`${variable}\``))
  expect(missing).toEqual([])
})

it("docs/README.md reaches every document", () => {
  const listed = new Set(linksOf("docs/README.md").map((link) => join("docs", link.split("#")[0] ?? "")))
  const decisions = linksOf("docs/decisions/README.md").map((link) => join("docs/decisions", link))
  const missing = documents.filter((path) => path !== "docs/README.md" && !listed.has(path) && !decisions.includes(path))
  expect(missing).toEqual([])
})
