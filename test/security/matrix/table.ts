/** What is expected, as people wrote it down: the table of docs/authorization.md. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { projectRoot } from "#deploy/projectRoot.ts"

export const roles = ["admin", "operator", "auditor", "token"] as const
export type RoleColumn = (typeof roles)[number]

/** `own`: allowed where the object is in the caller's sight, and as if it did not exist elsewhere. */
export type Cell = "yes" | "own" | "no"

export interface Line {
  readonly name: string
  readonly permission: string
  readonly session: string
  readonly object: string
  readonly cells: Readonly<Record<RoleColumn, Cell>>
}

const isCell = (text: string | undefined): text is Cell => text === "yes" || text === "own" || text === "no"

const cellOf = (name: string, text: string | undefined): Cell => {
  if (isCell(text)) return text
  throw new Error(`docs/authorization.md: the line of ${name} says "${text ?? ""}" where it has to say yes, own or no.`)
}

export const readTable = (): ReadonlyMap<string, Line> => {
  const text = readFileSync(join(projectRoot, "docs", "authorization.md"), "utf8")
  const lines = new Map<string, Line>()
  for (const row of text.split("\n").filter((line) => /^\| `(GET|POST|PUT|PATCH|DELETE|RPC|SOCKET) /.test(line))) {
    const [, first = "", permission = "", session = "", object = "", ...cells] = row
      .split("|")
      .map((cell) => cell.trim())
    const name = first.replaceAll("`", "")
    if (lines.has(name)) throw new Error(`docs/authorization.md has two lines for ${name}.`)
    const [admin, operator, auditor, token] = cells
    lines.set(name, {
      name,
      permission,
      session,
      object,
      cells: {
        admin: cellOf(name, admin),
        operator: cellOf(name, operator),
        auditor: cellOf(name, auditor),
        token: cellOf(name, token)
      }
    })
  }
  return lines
}
