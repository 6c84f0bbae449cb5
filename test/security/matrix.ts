/** Which rows of the security list this suite owes, and which may be absent. */

const rows = Array.from({ length: 104 }, (_, index) => `S${String(index + 1).padStart(2, "0")}`)

/** They wait for mail, reports, packages and backups, or for agents that keep keys; nothing else may be absent. */
export const absent: ReadonlyArray<string> = "S08 S34 S37 S48 S50 S51 S72 S74 S76 S77 S98 S99 S100 S101 S102".split(" ")

export const owed: ReadonlyArray<string> = rows.filter((row) => !absent.includes(row))

/** What one test has shown of a row, as it stands in rows.json; a row may have several. */
export interface RowResult {
  readonly row: string
  readonly title: string
  readonly assertions: ReadonlyArray<{ readonly text: string; readonly ms: number }>
  /** Clauses that are not executed, with the reason. */
  readonly missing: ReadonlyArray<{ readonly text: string; readonly why: string }>
  readonly seconds: number
  readonly ok: boolean
}
