/** All migrations in order; a number is never reused and an entry never edited once landed. */
import { foundation } from "./0001_foundation.ts"

export interface Migration {
  readonly number: number
  readonly name: string
  readonly statements: string
}

export const migrations: ReadonlyArray<Migration> = [{ number: 1, name: "foundation", statements: foundation }]
