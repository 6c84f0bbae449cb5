/**
 * The audit log as lines of JSON that can be verified without the manager: a header, the checkpoints, the rows as they are hashed,
 * and an end that says how many there were. Read in pages, so a long log needs no more memory than a short one.
 */
import { Effect, Option, Stream } from "effect"
import { SqlClient } from "effect/sql"
import type { AuditText } from "#core/audit/canonical.ts"
import type { ChainEnd } from "#core/audit/judgeChain.ts"
import { readCheckpoints, readLastCheckpoint, readOrigin } from "./AuditCheckpointStore.ts"

const PAGE = 2000

export interface ExportPeriod {
  readonly from?: string | undefined
  readonly to?: string | undefined
}

interface Bounds {
  readonly head: ChainEnd
  readonly anchor: ChainEnd
  readonly from_seq: number
  readonly to_seq: number
  readonly from_hash: string
  readonly keys: ReadonlyArray<string>
}

/** The numbers that the period covers, with everything between them. */
const readBounds = Effect.fnUntraced(function* ({ from, to }: ExportPeriod) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ bounds: Bounds }>`
    with period as (
      select coalesce((select min(seq) from audit_log where at >= coalesce(nullif(${from ?? ""}, '')::timestamptz, '-infinity')),
          (select seq + 1 from audit_head)) as first,
        coalesce((select max(seq) from audit_log where at < coalesce(nullif(${to ?? ""}, '')::timestamptz, 'infinity')), 0) as last
    )
    select json_build_object(
      'head', (select json_build_object('seq', seq, 'hash', encode(row_hash, 'hex')) from audit_head),
      'anchor', (select json_build_object('seq', seq, 'hash', encode(row_hash, 'hex')) from audit_anchor),
      'from_seq', case when ${from === undefined} then (select seq + 1 from audit_anchor) else first end, 'to_seq', last,
      'from_hash', coalesce((select encode(l.prev_hash, 'hex') from audit_log l where l.seq = first limit 1),
        (select encode(row_hash, 'hex') from audit_head)),
      'keys', coalesce((select json_agg(public_key_pem order by first_used_at) from audit_keys), '[]')) as bounds
    from period`
  return rows[0]!.bounds
})

interface Place {
  readonly seq: number
  readonly place: string
}

const readRows = Effect.fnUntraced(function* (after: Place, upTo: number) {
  const sql = yield* SqlClient.SqlClient
  return yield* sql<{ line: AuditText & { readonly row_hash: string }; place: string }>`
    select json_build_object('type', 'row', 'seq', a.seq::text,
        'at', to_char(a.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'actor_kind', a.actor_kind,
        'actor_id', a.actor_id, 'actor_name', a.actor_name, 'action', a.action, 'object_type', a.object_type,
        'object_id', a.object_id, 'before', a.before::text, 'after', a.after::text, 'request_id', a.request_id,
        'source_address', a.source_address, 'prev_hash', encode(a.prev_hash, 'hex'),
        'row_hash', encode(a.row_hash, 'hex')) as line, a.ctid::text as place
    from audit_log a
    where (a.seq, a.ctid) > (${String(after.seq)}::text::bigint, ${after.place}::text::tid)
      and a.seq <= ${String(upTo)}::text::bigint
    order by a.seq, a.ctid limit ${PAGE}::int`
})

const line = (value: object): string => `${JSON.stringify(value)}\n`

/** Lines in batches, each ended by a line feed. */
export const exportAudit = (period: ExportPeriod) =>
  Stream.unwrap(
    Effect.gen(function* () {
      // The newest checkpoint first: one that was made meanwhile would name a row that the export does not have.
      const newest = yield* readLastCheckpoint
      const bounds = yield* readBounds(period)
      const whole = period.to === undefined
      const header = line({
        type: "header",
        format: "patch-manager-audit/1",
        origin: yield* readOrigin,
        exported_at: new Date().toISOString(),
        from_seq: bounds.from_seq,
        to_seq: bounds.to_seq,
        from_hash: bounds.from_hash,
        /** Nothing was left out behind `to_seq`. */
        whole,
        head: { seq: bounds.head.seq, row_hash: bounds.head.hash },
        anchor: { seq: bounds.anchor.seq, row_hash: bounds.anchor.hash },
        public_keys: bounds.keys
      })
      const lastPoint = whole ? (newest?.size ?? 0) : bounds.to_seq
      const points = Stream.paginate(bounds.from_seq - 2, (after: number) =>
        Effect.map(readCheckpoints(after, PAGE, lastPoint), (page) => {
          const last = page.at(-1)
          const text = page.map((point) => line({ type: "checkpoint", ...point })).join("")
          return [[text], last === undefined || page.length < PAGE ? Option.none() : Option.some(last.size)] as const
        })
      )
      let count = 0
      const rows = Stream.paginate({ seq: bounds.from_seq - 1, place: "(4294967295,65535)" }, (after: Place) =>
        Effect.map(readRows(after, bounds.to_seq), (page) => {
          const last = page.at(-1)
          count += page.length
          const text = page.map((row) => line(row.line)).join("")
          const next =
            last === undefined || page.length < PAGE
              ? Option.none()
              : Option.some({ seq: Number(last.line.seq), place: last.place })
          return [[text], next] as const
        })
      )
      const end = Stream.sync(() => line({ type: "end", rows: count }))
      return Stream.make(header).pipe(Stream.concat(points), Stream.concat(rows), Stream.concat(end))
    })
  )
