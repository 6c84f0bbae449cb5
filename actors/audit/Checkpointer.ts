/**
 * Signs where the log stands: after 1,000 rows, and after 60 seconds in which rows came. What it signs it has verified from the
 * checkpoint before, and at each look it makes sure that the row of the newest checkpoint is still there as it was.
 */
import { Effect } from "effect"
import { CHECKPOINT_ROWS, CHECKPOINT_SECONDS, type Checkpoint } from "#core/audit/Checkpoint.ts"
import { NO_HASH } from "#core/audit/canonical.ts"
import { readAuditChunk, readAuditEnds, readRowHash } from "#sql/AuditChunk.ts"
import {
  insertCheckpoint,
  readCheckpoints,
  readLastCheckpoint,
  readOrigin,
  recordKey
} from "#sql/AuditCheckpointStore.ts"
import { insertOwnVerification, tellFindings } from "#sql/AuditVerificationStore.ts"
import { type AuditKey, digestOf, isSigned } from "./AuditKey.ts"
import { appendOutside, readOutside } from "./OutsideFile.ts"

const elapsedSeconds = (since: number): number => (performance.now() - since) / 1000

/** The points of the file, its last one, and those that the database does not have but whose rows it has. */
const reconcile = Effect.fnUntraced(function* (key: AuditKey, file: string) {
  let last: Checkpoint | null = null
  const inside = yield* readLastCheckpoint
  const missing: Array<Checkpoint> = []
  yield* readOutside(file, (lines) => {
    for (const { point } of lines) {
      if (point === null || (last !== null && point.size <= last.size)) continue
      last = point
      if (point.size > (inside?.size ?? 0)) missing.push(point)
    }
  })
  for (const point of missing) {
    if (isSigned(point, key.trusted) && (yield* readRowHash(point.size)) === point.row_hash)
      yield* insertCheckpoint(point)
  }
  // A worker that takes over on another machine has none of its predecessor's.
  const known = last as Checkpoint | null
  for (let after = known?.size ?? 0; ;) {
    const page = yield* readCheckpoints(after, 500)
    const signed = page.filter((point) => isSigned(point, key.trusted))
    if (signed.length > 0) yield* appendOutside(file, signed)
    last = signed.at(-1) ?? last
    const end = page.at(-1)
    if (end === undefined || page.length < 500) break
    after = end.size
  }
  return last as Checkpoint | null
})

export interface CheckpointerOptions {
  readonly key: AuditKey
  readonly outsideFile: string
  /** Told of each new checkpoint, once it is on the disk and in the database. */
  readonly made: (point: Checkpoint) => Effect.Effect<void>
}

/** Answers one look, to be repeated every second or so. */
export const makeCheckpointer = Effect.fnUntraced(function* ({ key, made, outsideFile }: CheckpointerOptions) {
  yield* recordKey(key.keyId, key.publicPem)
  const origin = yield* readOrigin
  let last = yield* reconcile(key, outsideFile)
  let at = performance.now()
  let isTold = false

  /** Says it once; signing waits until the log fits again. */
  const refuse = Effect.fnUntraced(function* (what: string) {
    if (isTold) return false
    isTold = true
    const message = `The audit log does not fit its newest checkpoint: ${what} No new checkpoint is signed. Keep the database as it is and see Audit.`
    yield* Effect.logError(message)
    yield* tellFindings(message, { checkpoint: last })
    yield* insertOwnVerification("the worker, as the newest checkpoint did not fit")
    return false
  })

  const stillFits = Effect.fnUntraced(function* (point: Checkpoint) {
    const { anchor, head, last: end } = yield* readAuditEnds
    if (head.seq < point.size || (end?.seq ?? anchor.seq) < point.size) {
      return yield* refuse(`rows after ${end?.seq ?? 0} are gone, row ${point.size} was signed for.`)
    }
    const hash = anchor.seq === point.size ? anchor.hash : yield* readRowHash(point.size)
    if (hash !== point.row_hash) return yield* refuse(`row ${point.size} is not the one that was signed for.`)
    return true
  })

  const sign = Effect.fnUntraced(function* (upTo: number) {
    const { anchor } = yield* readAuditEnds
    const from = last === null ? anchor : { seq: last.size, hash: last.row_hash }
    const chunk = yield* readAuditChunk(from, upTo, [], CHECKPOINT_ROWS + 1)
    const [odd] = chunk?.odd ?? []
    if (chunk === null || odd !== undefined || chunk.last.seq !== upTo) {
      return yield* refuse(`row ${odd?.seq ?? upTo} does not continue it.`)
    }
    const point = key.sign({
      origin,
      size: upTo,
      row_hash: chunk.last.hash,
      signed_at: new Date().toISOString(),
      previous: last === null ? NO_HASH : digestOf(last)
    })
    // The disk first: what the database has and the file has not would look like a line that was taken out.
    yield* appendOutside(outsideFile, [point])
    last = point
    at = performance.now()
    yield* insertCheckpoint(point)
    yield* made(point)
    return true
  })

  const look = Effect.gen(function* () {
    if (last !== null && !(yield* stillFits(last))) return
    const { anchor, head } = yield* readAuditEnds
    let signed = last?.size ?? anchor.seq
    while (head.seq - signed >= CHECKPOINT_ROWS) {
      if (!(yield* sign(signed + CHECKPOINT_ROWS))) return
      signed += CHECKPOINT_ROWS
    }
    const isDue = last === null || elapsedSeconds(at) >= CHECKPOINT_SECONDS
    if (head.seq > signed && isDue && !(yield* sign(head.seq))) return
    isTold = false
  })
  return { look, sign, last: Effect.sync(() => last) }
})
