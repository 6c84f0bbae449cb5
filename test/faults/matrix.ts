/** Which rows of the fault matrix this suite owes, and which wait for a later release. */

const rows = (first: number, last: number): ReadonlyArray<string> =>
  Array.from({ length: last - first + 1 }, (_, index) => `F${String(first + index).padStart(2, "0")}`)

/** CA rollover and rights taken away while a job waits. */
export const deferred: ReadonlyArray<string> = ["F32", "F72"]

export const owed: ReadonlyArray<string> = [...rows(1, 38), ...rows(51, 75)].filter((row) => !deferred.includes(row))

/** Added to each row's own seed. */
export const baseSeed = Number(process.env["FAULT_SEED"] ?? "0")
if (!Number.isSafeInteger(baseSeed)) throw new Error("FAULT_SEED must be a whole number.")

/** `third`: every third row, another third for another FAULT_SEED. */
export const part = process.env["FAULT_PART"] ?? "all"
if (part !== "all" && part !== "third") throw new Error("FAULT_PART must be all or third.")

export const isChosen = (row: string): boolean => part === "all" || (Number(row.slice(1)) + baseSeed) % 3 === 0

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
