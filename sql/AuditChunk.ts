/** The rows of the audit log, judged where they lie: every row's number, link and hash, a stretch at a time. */
import { Effect } from "effect"
import { SqlClient, type Statement } from "effect/sql"
import type { ChainEnd, OddRow } from "#core/audit/judgeChain.ts"

/** Numbers in one stretch. */
export const STRETCH = 20_000
/** Odd rows handed out of one stretch; more do not change what is said. */
const ODD = 60

export interface AuditChunk {
  readonly rows: number
  readonly last: ChainEnd
  readonly odd: ReadonlyArray<OddRow>
  /** First row that is older than the one before it, or null. */
  readonly time_back: number | null
  /** Hashes of the rows that were asked for, where there are such rows. */
  readonly named: ReadonlyArray<{ readonly seq: number; readonly row_hash: string }>
}

/**
 * The canonical form of `audit_log a`, written out: the functions of the database's owner are not believed, and PostgreSQL's own
 * are named with their schema.
 */
const text = (value: string): string => `pg_catalog.octet_length(${value})::text || ':' || ${value}`
const maybe = (value: string): string => `coalesce(${text(value)}, '-')`
/** Of a length that is always the same. */
const fixed = (length: number, value: string): string => `'${length}:' || ${value}`
const at = `pg_catalog.to_char(a.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
const computed = `pg_catalog.sha256(pg_catalog.convert_to(${[
  text("a.seq::text"),
  fixed(27, at),
  ...["actor_kind", "actor_id", "actor_name", "action", "object_type", "object_id"].map((name) => text(`a.${name}`)),
  maybe("a.before::text"),
  maybe("a.after::text"),
  text("a.request_id"),
  text("a.source_address"),
  fixed(64, "pg_catalog.encode(a.prev_hash, 'hex')")
].join(" || ")}, 'UTF8'))`

interface Judged {
  readonly rows: number
  readonly last: ChainEnd | null
  readonly named: AuditChunk["named"]
  readonly odd: number
  readonly time_back: number | null
  /** The stretch, for a second look at what is odd in it. */
  readonly first: number | null
}

/** The row that stands before a stretch: the last up to `seq`, or the given end of the chain where there is none. */
export type Before = ChainEnd

const predecessor = (sql: SqlClient.SqlClient, { seq }: Before, column: "row_hash" | "seq" | "at") => sql`
  (select p.${sql.literal(column)} from audit_log p where p.seq <= ${String(seq)}::text::bigint order by p.seq desc, p.ctid desc limit 1)`

/**
 * The rows from one number to another with what stands before each: `judged`. The hash is computed beneath the window, which then
 * carries nothing but numbers and hashes; of rows with one number the `order` among them decides, where it matters.
 */
const judgedRows = (
  sql: SqlClient.SqlClient,
  after: Before,
  between: Statement.Fragment,
  more: { readonly columns: string; readonly order: string } = { columns: "", order: "" }
) => sql`
  select n.*,
    coalesce(lag(own) over w, ${predecessor(sql, after, "row_hash")}, decode(${after.hash}, 'hex')) as before_own,
    coalesce(lag(number) over w, ${predecessor(sql, after, "seq")}, ${String(after.seq)}::text::bigint) as before_number,
    coalesce(lag(moment) over w, ${predecessor(sql, after, "at")}) as before_moment
  from (
    select a.seq as number, a.row_hash as own, a.prev_hash as prev, ${sql.literal(computed)} as computed, a.at as moment
      ${sql.literal(more.columns)}
    from audit_log a where a.seq between ${between} order by a.seq offset 0
  ) n window w as (order by number ${sql.literal(more.order)})`

const isOdd = "computed <> own or prev <> before_own or number <> before_number + 1"

const readOdd = Effect.fnUntraced(function* (after: Before, first: number, last: number) {
  const sql = yield* SqlClient.SqlClient
  const columns = `, a.ctid as place, a.seq::text as seq, ${at} as at, a.actor_kind, a.actor_id, a.actor_name, a.action, a.object_type, a.object_id,
    a.before::text as before, a.after::text as after, a.request_id, a.source_address`
  const rows = yield* sql<{ odd: OddRow }>`
    select json_build_object('seq', seq, 'at', at, 'actor_kind', actor_kind, 'actor_id', actor_id, 'actor_name', actor_name,
      'action', action, 'object_type', object_type, 'object_id', object_id, 'before', before, 'after', after,
      'request_id', request_id, 'source_address', source_address, 'prev_hash', encode(prev, 'hex'),
      'row_hash', encode(own, 'hex'), 'computed', encode(computed, 'hex'), 'before_seq', before_number,
      'before_hash', encode(before_own, 'hex')) as odd
    from (${judgedRows(sql, after, sql`${String(first)}::text::bigint and ${String(last)}::text::bigint`, { columns, order: ", place" })}) judged
    where ${sql.literal(isOdd)} order by number limit ${ODD}::int`
  return rows.map(({ odd }) => odd)
})

/** `after`: the row before; `upTo`: the last number to look at; `sizes`: rows whose hashes are wanted. Null where no row is left. */
export const readAuditChunk = Effect.fnUntraced(function* (
  after: Before,
  upTo: number,
  sizes: ReadonlyArray<number>,
  stretch = STRETCH
) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ judged: Judged }>`
    with bounds as materialized (
      select min(seq) as first, least(min(seq) + ${stretch}::int - 1, ${String(upTo)}::text::bigint) as last from audit_log
      where seq > ${String(after.seq)}::text::bigint and seq <= ${String(upTo)}::text::bigint
    ), judged as (
      select count(*) as rows, max(number) as top, min(number) filter (where moment < before_moment) as time_back,
        count(*) filter (where ${sql.literal(isOdd)}) as odd
      from (${judgedRows(sql, after, sql`(select first from bounds) and (select last from bounds)`)}) rows
    )
    select json_build_object('rows', j.rows, 'first', (select first from bounds), 'odd', j.odd, 'time_back', j.time_back,
      'last', (select json_build_object('seq', a.seq, 'hash', encode(a.row_hash, 'hex')) from audit_log a
        where a.seq = j.top order by a.ctid desc limit 1),
      'named', coalesce((select json_agg(json_build_object('seq', a.seq, 'row_hash', encode(a.row_hash, 'hex')) order by a.seq)
        from unnest(${sizes.map(String)}::text[]) size join audit_log a on a.seq = size::bigint
        where a.seq between (select first from bounds) and (select last from bounds)), '[]')) as judged
    from judged j`
  const { first, last, named, odd, rows: count, time_back } = rows[0]!.judged
  if (first === null || last === null) return null
  const chunk: AuditChunk = {
    rows: count,
    last,
    named,
    time_back,
    odd: odd === 0 ? [] : yield* readOdd(after, first, last.seq)
  }
  return chunk
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
