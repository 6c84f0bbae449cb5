/** Which rows of the fault matrix this suite owes, and which wait for a later release. */

const rows = (first: number, last: number): ReadonlyArray<string> =>
  Array.from({ length: last - first + 1 }, (_, index) => `F${String(first + index).padStart(2, "0")}`)

/** CA rollover and rights taken away while a job waits. */
export const deferred: ReadonlyArray<string> = ["F32", "F72"]

export const owed: ReadonlyArray<string> = [...rows(1, 38), ...rows(51, 75)].filter((row) => !deferred.includes(row))

/** What became of a row, as it stands in rows.json. */
export interface RowResult {
  readonly row: string
  readonly title: string
  readonly seed: number
  readonly assertions: ReadonlyArray<{ readonly text: string; readonly ms: number }>
  /** Clauses of the matrix that cannot be executed, with the reason. */
  readonly missing: ReadonlyArray<{ readonly text: string; readonly why: string }>
  readonly seconds: number
  readonly ok: boolean
}
