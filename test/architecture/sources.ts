/** The project's own source files as text, and what the rules read in them. */
import { readdirSync, readFileSync } from "node:fs"
import { posix } from "node:path"

export interface SourceFile {
  /** From the project's root, with slashes. */
  readonly path: string
  readonly text: string
}

const root = new URL("../../", import.meta.url).pathname
const folders = ["core", "machines", "sql", "actors", "http", "ui", "deploy", "test"]
const ours = /\.(ts|tsx|mjs|css)$/

export const readSources = (): ReadonlyArray<SourceFile> =>
  folders.flatMap((folder) =>
    readdirSync(`${root}${folder}`, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && ours.test(entry.name))
      .map((entry) => {
        const path = posix.join(entry.parentPath.slice(root.length), entry.name)
        return { path, text: readFileSync(root + path, "utf8") }
      })
  )

export const readJson = (path: string): unknown => JSON.parse(readFileSync(root + path, "utf8"))

const statement = /^\s*(?:import|export)\b[^"'`;]*?\bfrom\s*["']([^"']+)["']|^\s*import\s*["']([^"']+)["']/gm
const dynamic = /\bimport\(\s*["']([^"']+)["']/g

/** The specifiers of all import and re-export statements, as written. */
export const specifiersOf = ({ text }: SourceFile): ReadonlyArray<string> => [
  ...text.matchAll(statement).map((match) => match[1] ?? match[2] ?? ""),
  ...text.matchAll(dynamic).map((match) => match[1] ?? "")
]

/** Only what is loaded when the program runs: type imports are gone by then. */
export const loadedSpecifiersOf = (file: SourceFile): ReadonlyArray<string> =>
  specifiersOf({ ...file, text: file.text.replaceAll(/^\s*(import|export)\s+type\b[^"';]*["'][^"']+["']/gm, "") })

/** The file of ours that a specifier names; undefined for a package or a module of Node. */
export const fileNamed = (from: string, specifier: string): string | undefined => {
  const bare = specifier.replace(/\?.*$/, "")
  if (bare.startsWith("#")) return bare.slice(1)
  return bare.startsWith(".") ? posix.join(posix.dirname(from), bare) : undefined
}

/** The text with comments and the insides of strings blanked, lines kept: what is left is code. */
export const codeOf = (text: string): string => {
  let code = ""
  let quote = ""
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i)
    const pair = char + text.charAt(i + 1)
    if (quote !== "") {
      if (char === "\\") i += 1
      else if (char === quote || (char === "\n" && quote !== "`")) quote = ""
      if (quote === "" || char === "\n") code += char
    } else if (pair === "//" || pair === "/*") {
      const found = text.indexOf(pair === "//" ? "\n" : "*/", i)
      const end = found < 0 ? text.length : found + (pair === "//" ? 0 : 2)
      code += text.slice(i, end).replaceAll(/[^\n]/g, "")
      i = end - 1
    } else {
      if (char === '"' || char === "'" || char === "`") quote = char
      code += char
    }
  }
  return code
}
