/** The product's own sources as text, for rows that look for what must not be written. */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { projectRoot } from "#deploy/projectRoot.ts"

export interface Source {
  /** From the project's folder. */
  readonly path: string
  readonly text: string
}

export const sourcesOf = (folders: ReadonlyArray<string>): ReadonlyArray<Source> =>
  folders.flatMap((folder) =>
    readdirSync(join(projectRoot, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(ts|tsx|mjs)$/.test(entry.name))
      .map((entry) => {
        const full = join(entry.parentPath, entry.name)
        return { path: full.slice(projectRoot.length + 1), text: readFileSync(full, "utf8") }
      })
  )
