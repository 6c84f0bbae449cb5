/** Every regular expression literal of a source, found by its syntax tree. */
import { parseAst } from "rolldown/parseAst"
import type { Source } from "./sourceText.ts"

export interface Found {
  readonly path: string
  readonly pattern: string
  readonly flags: string
}

const walk = (node: unknown, found: (regex: { pattern: string; flags: string }) => void): void => {
  if (Array.isArray(node)) {
    for (const part of node) walk(part, found)
    return
  }
  if (typeof node !== "object" || node === null) return
  if ("type" in node && node.type === "Literal" && "regex" in node && node.regex) {
    found(node.regex as { pattern: string; flags: string })
    return
  }
  for (const part of Object.values(node)) walk(part, found)
}

export const regexLiterals = ({ path, text }: Source): ReadonlyArray<Found> => {
  const all: Array<Found> = []
  const lang = path.endsWith("x") ? "tsx" : path.endsWith(".ts") ? "ts" : "js"
  walk(parseAst(text, { lang }), ({ flags, pattern }) => all.push({ path, pattern, flags }))
  return all
}
