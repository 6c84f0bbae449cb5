/** The rows of the audit log, judged where they lie: every row's number, link and hash, a stretch at a time. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { ChainEnd, OddRow } from "#core/audit/judgeChain.ts"

/** Numbers in one stretch. */
const STRETCH = 20_000
/** Odd rows handed out of one stretch; more do not change what is said. */
const ODD = 60

export interface AuditChunk {
  readonly rows: number
  readonly last: ChainEnd
  readonly last_at: string
  readonly odd: ReadonlyArray<OddRow>
  /** First row that is older than the one before it, or null. */
  readonly time_back: number | null
  /** Hashes of the rows that were asked for, where there are such rows. */
  readonly named: ReadonlyArray<{ readonly seq: number; readonly row_hash: string }>
}

/** `after`: the row before; `upTo`: the last number to look at; `sizes`: rows whose hashes are wanted. Null where no row is left. */
export const readAuditChunk = Effect.fnUntraced(function* (
  after: ChainEnd & { readonly at: string | null },
  upTo: number,
  sizes: ReadonlyArray<number>,
  stretch = STRETCH
) {
  const sql = yield* SqlClient.SqlClient
  // The functions of the database's owner are not believed: the canonical form is written out here, and PostgreSQL's own are
  // named with their schema.
  const rows = yield* sql<{ chunk: AuditChunk | null }>`
    with bounds as (
      select min(seq) as first from audit_log where seq > ${String(after.seq)}::text::bigint and seq <= ${String(upTo)}::text::bigint
    ), texts as materialized (
      select a.seq::text as seq,
        pg_catalog.to_char(a.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at,
        a.actor_kind, a.actor_id, a.actor_name, a.action, a.object_type, a.object_id, a.before::text as before,
        a.after::text as after, a.request_id, a.source_address, pg_catalog.encode(a.prev_hash, 'hex') as prev_hash,
        a.prev_hash as prev, a.row_hash as own, a.at as moment, a.seq as number, a.ctid as place
      from audit_log a, bounds b
      where a.seq >= b.first and a.seq < b.first + ${stretch}::int and a.seq <= ${String(upTo)}::text::bigint
    ), judged as (
      select t.*,
        pg_catalog.sha256(pg_catalog.convert_to(
          octet_length(seq) || ':' || seq || octet_length(at) || ':' || at
          || octet_length(actor_kind) || ':' || actor_kind || octet_length(actor_id) || ':' || actor_id
          || octet_length(actor_name) || ':' || actor_name || octet_length(action) || ':' || action
          || octet_length(object_type) || ':' || object_type || octet_length(object_id) || ':' || object_id
          || coalesce(octet_length(before) || ':' || before, '-') || coalesce(octet_length(after) || ':' || after, '-')
          || octet_length(request_id) || ':' || request_id || octet_length(source_address) || ':' || source_address
          || octet_length(prev_hash) || ':' || prev_hash, 'UTF8')) as computed,
        coalesce(lag(own) over w, decode(${after.hash}, 'hex')) as before_own,
        coalesce(lag(number) over w, ${String(after.seq)}::text::bigint) as before_number,
        coalesce(lag(moment) over w, nullif(${after.at ?? ""}, '')::timestamptz) as before_moment,
        row_number() over w as position
      from texts t window w as (order by number, place)
    ), odd as (
      select * from judged where computed <> own or prev <> before_own or number <> before_number + 1
      order by number, place limit ${ODD}::int
    )
    select case when count(*) = 0 then null else json_build_object(
      'rows', count(*),
      'last', (select json_build_object('seq', number, 'hash', encode(own, 'hex')) from judged order by position desc limit 1),
      'last_at', (select at from judged order by position desc limit 1),
      'time_back', min(number) filter (where moment < before_moment),
      'named', coalesce((select json_agg(json_build_object('seq', n.number, 'row_hash', encode(n.own, 'hex')) order by n.number)
        from judged n where n.number = any(${sizes.map(String)}::text[]::bigint[])), '[]'),
      'odd', coalesce((select json_agg(json_build_object('seq', seq, 'at', at, 'actor_kind', actor_kind, 'actor_id', actor_id,
        'actor_name', actor_name, 'action', action, 'object_type', object_type, 'object_id', object_id, 'before', before,
        'after', after, 'request_id', request_id, 'source_address', source_address, 'prev_hash', prev_hash,
        'row_hash', encode(own, 'hex'), 'computed', encode(computed, 'hex'), 'before_seq', before_number,
        'before_hash', encode(before_own, 'hex')) order by number, place) from odd), '[]')
    ) end as chunk from judged`
  return rows[0]?.chunk ?? null
})

/** Head, last row and anchor as they stand at one moment. */
export const readAuditEnds = Effect.flatMap(SqlClient.SqlClient, (sql) =>
  Effect.map(
    sql<{ ends: { head: ChainEnd; last: ChainEnd | null; anchor: ChainEnd; rows: number } }>`
      select json_build_object(
        'head', (select json_build_object('seq', seq, 'hash', encode(row_hash, 'hex')) from audit_head),
        'last', (select json_build_object('seq', seq, 'hash', encode(row_hash, 'hex')) from audit_log order by seq desc limit 1),
        'anchor', (select json_build_object('seq', seq, 'hash', encode(row_hash, 'hex')) from audit_anchor),
        'rows', greatest((select max(seq) from audit_log) - (select seq from audit_anchor), 0)) as ends`,
    (rows) => rows[0]!.ends
  )
)

/** The hash of one row, or null where it is gone. */
export const readRowHash = Effect.fnUntraced(function* (seq: number) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ hash: string }>`
    select encode(row_hash, 'hex') as hash from audit_log where seq = ${String(seq)}::text::bigint limit 1`
  return rows[0]?.hash ?? null
})
