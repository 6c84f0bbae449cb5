import { mkdirSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"

/** Writes a secret where only its owner reads it, and answers the setting that names it. */
export const secretFile = (path: string, secret: string): string => {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  writeFileSync(path, secret, { mode: 0o600 })
  return `file:${path}`
}
