/** Reads the checkpoints outside and inside, checks who signed them and that they are the same, and keeps what they say. */
import { Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import type { Checkpoint } from "#core/audit/Checkpoint.ts"
import { type Finding, finding } from "#core/audit/Finding.ts"
import { readCheckpoints } from "#sql/AuditCheckpointStore.ts"
import { type AuditKey, digestOf, isSigned } from "./AuditKey.ts"
import { type OutsideFileError, readOutside } from "./OutsideFile.ts"

export interface SignedPoints {
  /** Hash that a valid signature gives to a row, by the row's number. */
  readonly hashes: ReadonlyMap<number, string>
  readonly highest: number
  readonly highestInside: number
  readonly count: number
  readonly findings: ReadonlyArray<Finding>
  readonly notices: ReadonlyArray<string>
}

const PAGE = 50

const sameness = (point: Checkpoint): string => `${digestOf(point)}${point.key_id}${point.signature}`

/** `start`: the last pruned row; checkpoints before it are over, the one that names it is not. */
export const readSignedPoints = Effect.fnUntraced(function* (
  outsideFile: string,
  trusted: AuditKey["trusted"],
  origin: string,
  start: number
): Effect.fn.Return<SignedPoints, SqlError.SqlError | OutsideFileError, SqlClient.SqlClient> {
  const hashes = new Map<number, string>()
  /** What is known to be signed rightly, so that the same in the database is not checked again. */
  const outside = new Map<number, string>()
  const digests = new Set<string>()
  const findings: Array<Finding> = []
  const notices: Array<string> = []
  let highestOutside = 0
  let signedAt = ""
  let foreign = false
  const altered = (size: number, where: string): void => {
    if (findings.length < 100) findings.push(finding("checkpoint_altered", size, where))
  }

  yield* readOutside(outsideFile, (lines) => {
    for (const { number, ...line } of lines) {
      const where = `It stands in line ${number} of ${outsideFile}.`
      if (line.point === null) {
        altered(highestOutside + 1, where)
        continue
      }
      const { point } = line
      if (point.size < start) {
        digests.add(digestOf(point))
        continue
      }
      if (!isSigned(point, trusted)) {
        altered(point.size, where)
        continue
      }
      // A standby that took over can have signed the same size; a line taken out leaves a link to nothing.
      if (digests.size > 0 && !digests.has(point.previous))
        altered(point.size, `A line before line ${number} of ${outsideFile} is gone.`)
      digests.add(digestOf(point))
      if (point.origin !== origin) foreign = true
      if (point.signed_at < signedAt) {
        notices.push(
          `The checkpoint for row ${point.size} was signed earlier than the one before it: a clock was set back.`
        )
      }
      signedAt = point.signed_at
      highestOutside = Math.max(highestOutside, point.size)
      hashes.set(point.size, point.row_hash)
      outside.set(point.size, sameness(point))
    }
  })

  const inside = new Set<number>()
  let highestInside = 0
  for (let after = start - 1; ;) {
    const page = yield* readCheckpoints(after, PAGE)
    for (const point of page) {
      const where = "It stands in the database."
      inside.add(point.size)
      const known = hashes.get(point.size)
      const isKnown = outside.get(point.size) === sameness(point)
      if (!isKnown && (!isSigned(point, trusted) || (known !== undefined && known !== point.row_hash))) {
        altered(point.size, where)
      } else {
        if (known === undefined && point.size < highestOutside) {
          altered(point.size, `It stands in the database, but no longer in ${outsideFile}.`)
        }
        highestInside = Math.max(highestInside, point.size)
        hashes.set(point.size, point.row_hash)
      }
    }
    const last = page.at(-1)
    if (last === undefined || page.length < PAGE) break
    after = last.size
    yield* Effect.sleep(0)
  }
  // The newest goes to the file first, so one more there means nothing.
  for (const size of outside.keys()) {
    if (!inside.has(size) && size < highestInside) altered(size, "It is gone from the database.")
  }
  if (foreign) findings.push(finding("log_replaced", start + 1, "The database names itself another installation."))
  return {
    hashes,
    highest: Math.max(highestOutside, highestInside),
    highestInside,
    count: hashes.size,
    findings: findings.toSorted((a, b) => a.first_seq - b.first_seq),
    notices: notices.slice(0, 20)
  }
})
