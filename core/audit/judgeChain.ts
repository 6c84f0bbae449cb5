/**
 * Gives what is wrong with rows its name. A row is handed in here where its number, its link or its hash does not fit; which of
 * them it is, and how its neighbours look, says what was done.
 */
import { type AuditText, canonical } from "./canonical.ts"
import { type Finding, finding } from "./Finding.ts"

/** A row that does not fit, beside the row that stands before it in the order of numbers. */
export interface OddRow extends AuditText {
  readonly row_hash: string
  /** The hash that its content gives. */
  readonly computed: string
  readonly before_seq: number
  readonly before_hash: string
}

export interface ChainEnd {
  readonly seq: number
  readonly hash: string
}

type HashOf = (text: string) => string

const seqOf = (row: OddRow): number => Number(row.seq)

/** Runs of odd rows in which each follows the one before: one deed makes one run. */
const runsOf = (rows: ReadonlyArray<OddRow>): Array<Array<OddRow>> => {
  const runs: Array<Array<OddRow>> = []
  for (const row of rows) {
    const run = runs.at(-1)
    const last = run?.at(-1)
    if (run !== undefined && last !== undefined && row.before_seq === seqOf(last)) run.push(row)
    else runs.push([row])
  }
  return runs
}

/** More are not compared pairwise. */
const COMPARED = 40

/** The first of two rows that stand in each other's place, with their hashes or without. */
const swapped = (rows: ReadonlyArray<OddRow>, hashOf: HashOf): number | null => {
  const altered = rows.filter((row) => row.computed !== row.row_hash).slice(0, COMPARED)
  const moved = (a: OddRow, b: OddRow): boolean => hashOf(canonical({ ...a, seq: b.seq })) === a.row_hash
  const exchanged = (a: OddRow, b: OddRow): boolean =>
    hashOf(canonical({ ...a, seq: b.seq, prev_hash: b.prev_hash })) === b.row_hash
  for (const [n, a] of altered.entries()) {
    for (const b of altered.slice(n + 1)) {
      if ((moved(a, b) && moved(b, a)) || (exchanged(a, b) && exchanged(b, a))) return seqOf(a)
    }
  }
  return null
}

const judgeRun = (run: ReadonlyArray<OddRow>, hashOf: HashOf, head: ChainEnd): Finding => {
  const [first, second] = run as [OddRow, OddRow | undefined]
  const seq = seqOf(first)
  const doubled = run.find((row) => seqOf(row) === row.before_seq)
  if (doubled !== undefined) return finding("sequence_doubled", seqOf(doubled))
  const numberedAs = (row: OddRow, by: number): boolean =>
    row.computed !== row.row_hash && hashOf(canonical({ ...row, seq: String(seqOf(row) + by) })) === row.row_hash
  if (seq > first.before_seq + 1) {
    const linked = first.prev_hash === first.before_hash
    return finding(linked ? "sequence_gap" : "row_deleted", first.before_seq + 1)
  }
  const exchanged = swapped(run, hashOf)
  if (exchanged !== null) return finding("rows_swapped", exchanged)
  const pushedBack = run.find((row) => numberedAs(row, -1))
  if (pushedBack !== undefined) return finding("row_inserted", seqOf(pushedBack) - 1)
  const movedUp = run.find((row) => numberedAs(row, 1))
  if (movedUp !== undefined) return finding("row_deleted", seqOf(movedUp))
  if (first.computed === first.row_hash) return finding("hash_altered", first.before_seq)
  const carried = second?.prev_hash ?? (head.seq === seq ? head.hash : first.row_hash)
  return finding(carried === first.computed ? "hash_altered" : "body_altered", seq)
}

/** Rows far apart can have been swapped, so all are looked at together first. */
export const judgeRows = (rows: ReadonlyArray<OddRow>, hashOf: HashOf, head: ChainEnd): ReadonlyArray<Finding> => {
  const found = runsOf(rows).map((run) => judgeRun(run, hashOf, head))
  const altered = found.filter(({ kind }) => kind === "body_altered")
  const apart = altered.length > 1 ? swapped(rows, hashOf) : null
  if (apart === null) return found
  return [finding("rows_swapped", apart), ...found.filter(({ kind }) => kind !== "body_altered")]
}

/** The last row against the head that `audit_append` keeps. */
export const judgeHead = (last: ChainEnd, head: ChainEnd, found: ReadonlyArray<Finding>): ReadonlyArray<Finding> => {
  if (head.seq > last.seq) return [finding("tail_cut", last.seq + 1)]
  if (head.seq < last.seq) return [finding("row_inserted", head.seq + 1, "The log's head does not know it.")]
  if (head.hash === last.hash || found.length > 0) return []
  return [finding("hash_altered", last.seq, "The log's head has another hash.")]
}
