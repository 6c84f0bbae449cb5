/**
 * One run over the whole log: every row's number, link and hash, stretch by stretch; the head; and every signed checkpoint, above
 * all those that the database's owner cannot write. Hashing is done where the rows lie; what counts as right is decided here.
 */
import { createHash } from "node:crypto"
import { Effect, Schema } from "effect"
import { NO_HASH } from "#core/audit/canonical.ts"
import { type Finding, finding } from "#core/audit/Finding.ts"
import { judgeCheckpoints } from "#core/audit/judgeCheckpoints.ts"
import { judgeHead, judgeRows } from "#core/audit/judgeChain.ts"
import { type AuditChunk, readAuditChunk, readAuditEnds, STRETCH } from "#sql/AuditChunk.ts"
import { readOrigin } from "#sql/AuditCheckpointStore.ts"
import { type ClaimedVerification, finishVerification, writeVerificationProgress } from "#sql/AuditVerificationStore.ts"
import type { AuditKey } from "./AuditKey.ts"
import { readSignedPoints } from "./checkpointFacts.ts"

const End = Schema.Struct({ seq: Schema.Int, hash: Schema.String })
const Odd = Schema.Struct({
  seq: Schema.String,
  at: Schema.String,
  actor_kind: Schema.String,
  actor_id: Schema.String,
  actor_name: Schema.String,
  action: Schema.String,
  object_type: Schema.String,
  object_id: Schema.String,
  before: Schema.NullOr(Schema.String),
  after: Schema.NullOr(Schema.String),
  request_id: Schema.String,
  source_address: Schema.String,
  prev_hash: Schema.String,
  row_hash: Schema.String,
  computed: Schema.String,
  before_seq: Schema.Int,
  before_hash: Schema.String
})

/** Where a run stands; kept in its row, so that the next worker goes on from there. */
const Progress = Schema.Struct({
  head: End,
  top: Schema.Int,
  anchor: End,
  last: End,
  rows: Schema.Int,
  done: Schema.Int,
  odd: Schema.Array(Odd),
  lastGood: Schema.Int,
  firstBad: Schema.NullOr(Schema.Int),
  timeBack: Schema.NullOr(Schema.Int)
})
type Progress = typeof Progress.Type
const isProgress = Schema.is(Progress)

/** More odd rows than these change nothing in what is said. */
const ODD_KEPT = 200

const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex")

const begin = Effect.map(readAuditEnds, ({ anchor, head, last, rows }): Progress => ({
  head,
  top: Math.max(head.seq, last?.seq ?? 0),
  anchor,
  last: anchor,
  rows,
  done: 0,
  odd: [],
  lastGood: 0,
  firstBad: null,
  timeBack: null
}))

const lowest = (a: number | null, b: number | null): number | null => (a === null ? b : b === null ? a : Math.min(a, b))

/** Checkpoints of one stretch are at most as many as its numbers; what lies behind it is asked for again. */
const NAMED = 2 * STRETCH

const within = (sizes: ReadonlyArray<number>, from: number, upTo: number): ReadonlyArray<number> => {
  const end = sizes.findIndex((size, n) => n >= from && size > upTo)
  return sizes.slice(from, end < 0 ? undefined : end)
}

/** Two stretches as one. */
const joined = ([a, b]: readonly [AuditChunk | null, AuditChunk | null]): AuditChunk | null => {
  if (a === null || b === null) return a ?? b
  return {
    rows: a.rows + b.rows,
    last: b.last,
    odd: [...a.odd, ...b.odd],
    time_back: lowest(a.time_back, b.time_back),
    named: [...a.named, ...b.named]
  }
}

const conclude = (at: Progress, points: Effect.Success<ReturnType<typeof readSignedPoints>>) => {
  const chain = judgeRows(at.odd, hashOf, at.head)
  const rows: ReadonlyArray<Finding> = [...chain, ...judgeHead(at.last, at.head, chain)]
  const anchored = at.anchor.seq === 0 ? NO_HASH : points.hashes.get(at.anchor.seq)
  const findings = [
    ...rows,
    ...points.findings,
    ...judgeCheckpoints(
      { lastGood: at.lastGood, firstBad: at.firstBad, highest: points.highest, highestInside: points.highestInside },
      at.anchor.seq,
      at.last,
      at.head,
      rows
    ),
    ...(anchored === at.anchor.hash ? [] : [finding("anchor_altered", at.anchor.seq + 1)])
  ]
  const notices = [
    ...(at.timeBack === null
      ? []
      : [`Row ${at.timeBack} is older than the row before it: the database's clock was set back.`]),
    ...points.notices
  ]
  return { findings: findings.toSorted((a, b) => a.first_seq - b.first_seq), notices }
}

export interface VerificationNeeds {
  readonly outsideFile: string
  readonly trusted: AuditKey["trusted"]
}

/** Carries out a run that was claimed; its result is in its row, and answered. Null where it was cancelled. */
export const runVerification = Effect.fnUntraced(function* (
  { id, progress }: ClaimedVerification,
  { outsideFile, trusted }: VerificationNeeds
) {
  const origin = yield* readOrigin
  const { anchor } = isProgress(progress) ? progress : yield* readAuditEnds
  // Checkpoints first: none of them can then name a row that came after the head was read.
  const points = yield* readSignedPoints(outsideFile, trusted, origin, anchor.seq)
  const sizes = [...points.hashes.keys()].toSorted((a, b) => a - b)
  let next = 0
  let at: Progress = isProgress(progress) ? progress : yield* begin
  while (at.last.seq < at.top) {
    const upTo = at.top
    while ((sizes[next] ?? Infinity) <= at.last.seq) next += 1
    const half = Math.min(at.last.seq + STRETCH, upTo)
    // Two at once: each is one processor's work in the database.
    const stretches = yield* Effect.all(
      [
        readAuditChunk(at.last, half, within(sizes, next, half)),
        readAuditChunk({ ...at.last, seq: half }, upTo, within(sizes, next, upTo).slice(0, NAMED))
      ],
      { concurrency: 2 }
    )
    const chunk = joined(stretches)
    if (chunk === null) break
    const wrong = chunk.named.filter(({ row_hash, seq }) => points.hashes.get(seq) !== row_hash).map(({ seq }) => seq)
    const firstBad = lowest(at.firstBad, wrong[0] ?? null)
    const good = chunk.named.filter(({ seq }) => firstBad === null || seq < firstBad).at(-1)
    at = {
      ...at,
      last: chunk.last,
      done: at.done + chunk.rows,
      odd: [...at.odd, ...chunk.odd].slice(0, ODD_KEPT),
      lastGood: good?.seq ?? at.lastGood,
      firstBad,
      timeBack: lowest(at.timeBack, chunk.time_back)
    }
    const goesOn = yield* writeVerificationProgress(id, {
      rowsTotal: at.rows,
      rowsDone: at.done,
      checkpoints: next + chunk.named.length,
      progress: at
    })
    if (!goesOn) {
      yield* finishVerification(id, { state: "cancelled", findings: [], notices: [] })
      return null
    }
  }
  const { findings, notices } = conclude(at, points)
  yield* writeVerificationProgress(id, {
    rowsTotal: at.rows,
    rowsDone: at.done,
    checkpoints: points.count,
    progress: at
  })
  const state = findings.length === 0 ? ("passed" as const) : ("failed" as const)
  yield* finishVerification(id, { state, findings, notices })
  return { state, findings, notices }
})
