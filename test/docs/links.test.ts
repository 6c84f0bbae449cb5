/** Every link in the documents, pictures apart, leads to a file and a heading that exist. */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { describe, expect, it } from "vitest"

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
    .filter((target) => !/^[a-z]+:|\.png$/.test(target))

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

it("docs/README.md names every document", () => {
  const listed = new Set(linksOf("docs/README.md").map((link) => join("docs", link.split("#")[0] ?? "")))
  const decisions = new Set(linksOf("docs/decisions/README.md").map((link) => join("docs/decisions", link)))
  const map = textOf("docs/README.md")
  const missing = documents.filter(
    (path) => path !== "docs/README.md" && !listed.has(path) && !decisions.has(path) && !map.includes(`\`${path}\``)
  )
  expect(missing).toEqual([])
})
