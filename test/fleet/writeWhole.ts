import { renameSync, writeFileSync } from "node:fs"

/** Renames into place, so that nobody reads half a file. */
export const writeWhole = (path: string, text: string, mode: number): void => {
  const temporary = `${path}.new`
  writeFileSync(temporary, text, { mode })
  renameSync(temporary, path)
}
