/** The colours: hex values in one file only, no literal inline styles (the policy blocks them), contrast that holds. */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"

const ui = new URL("../../ui/", import.meta.url).pathname
const files = readdirSync(ui, { recursive: true, encoding: "utf8" }).filter((file) => /\.(css|tsx?|html)$/.test(file))
const read = (file: string): string => readFileSync(join(ui, file), "utf8")
const tokensCss = read("styles/tokens.css")

type Theme = "light" | "dark"

/** Both values of each `light-dark()` token. */
const tokens = new Map(
  [...tokensCss.matchAll(/--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)].map(([, name, light, dark]) => [
    name ?? "",
    { light: light ?? "", dark: dark ?? "" }
  ])
)

const colour = (name: string, theme: Theme): string => {
  const token = tokens.get(name)
  if (token === undefined) throw new Error(`There is no colour token --${name}`)
  return token[theme]
}

const luminance = (hex: string): number => {
  const [r = 0, g = 0, b = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

/** WCAG 2.2, relative luminance contrast. */
const contrast = (a: string, b: string): number => {
  const [high = 0, low = 0] = [luminance(a), luminance(b)].toSorted((x, y) => y - x)
  return (high + 0.05) / (low + 0.05)
}

describe("colours", () => {
  it("finds the console's files and its tokens", () => {
    expect(files.length).toBeGreaterThan(60)
    expect(tokens.size).toBeGreaterThan(30)
  })

  it("have hex values in tokens.css only", () => {
    const found = files
      .filter((file) => file !== "styles/tokens.css")
      .flatMap((file) => (read(file).match(/#[0-9a-fA-F]{3,8}\b(?![-\w])/g) ?? []).map((hex) => `${file}: ${hex}`))
      .filter((line) => !/: #(retired)/.test(line))
    expect(found).toEqual([])
  })

  it("are never given in literal inline styles", () => {
    const found = files
      .filter((file) => /\.(tsx|html)$/.test(file))
      .filter((file) => /style=(["']|\{\{[^}]*:\s*["'\d])/.test(read(file)))
    expect(found).toEqual([])
  })

  it("name only tokens that exist", () => {
    const defined = new Set([...tokensCss.matchAll(/--([a-z0-9-]+):/g)].map(([, name]) => name))
    const found = files
      .filter((file) => file.endsWith(".css"))
      .flatMap((file) => [...read(file).matchAll(/var\(--([a-z0-9-]+)/g)].map(([, name]) => ({ file, name })))
      .filter(({ name }) => !defined.has(name))
    expect(found).toEqual([])
  })

  const themes: ReadonlyArray<Theme> = ["light", "dark"]
  const grounds = ["bg", "surface", "raised", "hover", "select"]
  const inks = ["text", "muted", "ok", "warn", "bad", "run", "idle"]
  it.each(themes)("are readable on every ground, %s", (theme) => {
    const poor = grounds
      .flatMap((ground) =>
        inks.map((ink) => ({ ink, ground, ratio: contrast(colour(ink, theme), colour(ground, theme)) }))
      )
      .filter(({ ratio }) => ratio < 4.5)
    expect(poor).toEqual([])
  })

  it.each(themes)("are readable on their tints and fills, %s", (theme) => {
    const pairs = [
      ["ok", "ok-tint"],
      ["warn", "warn-tint"],
      ["bad", "bad-tint"],
      ["run", "run-tint"],
      ["idle", "idle-tint"],
      ["text", "warn-tint"],
      ["text", "bad-tint"],
      ["on-accent", "accent"],
      ["on-accent", "accent-press"],
      ["on-bad", "bad"]
    ] as const
    const poor = pairs
      .map(([ink, ground]) => ({ ink, ground, ratio: contrast(colour(ink, theme), colour(ground, theme)) }))
      .filter(({ ratio }) => ratio < 4.5)
    expect(poor).toEqual([])
  })

  it.each(themes)("of shapes and borders stand out, %s", (theme) => {
    const shapes = ["control", "ok-fill", "warn-fill", "bad-fill", "run-fill", "idle-fill", "accent"]
    const poor = shapes
      .flatMap((shape) =>
        ["surface", "bg"].map((ground) => ({
          shape,
          ground,
          ratio: contrast(colour(shape, theme), colour(ground, theme))
        }))
      )
      .filter(({ ratio }) => ratio < 3)
    expect(poor).toEqual([])
  })
})
