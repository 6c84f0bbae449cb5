/** Reading the audit log: pages, single rows, and how it is guarded. */
import { Effect } from "effect"
import type { Statement } from "effect/sql"
import { SqlClient } from "effect/sql"
import type { AuditFilter, AuditRow } from "#core/audit/AuditRow.ts"
import type { AuditStatus } from "#core/audit/Verification.ts"
import { NotFound, refuseField } from "#core/Errors.ts"
import type { Page } from "#core/Page.ts"
import type { Caller } from "#core/User.ts"
import { readLastCheckpoint, readOrigin } from "./AuditCheckpointStore.ts"
import { appendAudit, originOf } from "./AuditStore.ts"
import { readLastVerification } from "./AuditVerificationStore.ts"

const columns = `json_build_object('seq', a.seq,
  'at', to_char(a.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'actor_kind', a.actor_kind,
  'actor_id', a.actor_id, 'actor_name', a.actor_name, 'action', a.action, 'object_type', a.object_type,
  'object_id', a.object_id, 'object_name', case a.object_type
    when 'host' then (select h.display_name from hosts h where h.id::text = a.object_id)
    when 'user' then (select u.username from users u where u.id::text = a.object_id)
    when 'group' then (select g.name from groups g where g.id::text = a.object_id)
    when 'job' then (select '#' || j.number from patch_jobs j where j.id::text = a.object_id)
  end, 'before', a.before, 'after', a.after, 'request_id', a.request_id, 'source_address', a.source_address,
  'prev_hash', encode(a.prev_hash, 'hex'), 'row_hash', encode(a.row_hash, 'hex'))`

/** Told at most: counting further costs more than it tells. */
const COUNTED = 10_000

const contains = (text: string): string => `%${text.replaceAll(/[\\%_]/g, "\\$&")}%`
const begins = (text: string): string => `${text.replaceAll(/[\\%_]/g, "\\$&")}%`

const conditions = (sql: SqlClient.SqlClient, filter: AuditFilter): Statement.Fragment => {
  const all: Array<Statement.Fragment> = [sql`true`]
  if (filter.from !== undefined) all.push(sql`a.at >= ${filter.from}::text::timestamptz`)
  if (filter.to !== undefined) all.push(sql`a.at < ${filter.to}::text::timestamptz`)
  if (filter.actor !== undefined) {
    all.push(sql`(lower(a.actor_name) = lower(${filter.actor}) or a.actor_id = ${filter.actor})`)
  }
  if (filter.action !== undefined) {
    all.push(
      filter.action.endsWith(".") ? sql`a.action like ${begins(filter.action)}` : sql`a.action = ${filter.action}`
    )
  }
  if (filter.object !== undefined) {
    const [type = "", ...rest] = filter.object.split("/")
    const id = rest.join("/")
    all.push(
      id === ""
        ? sql`(a.object_type = ${filter.object} or a.object_id = ${filter.object})`
        : sql`a.object_type = ${type} and a.object_id = ${id}`
    )
  }
  if (filter.search !== undefined) {
    const like = contains(filter.search)
    all.push(sql`(a.actor_name ilike ${like} or a.action ilike ${like} or a.object_id ilike ${like}
      or a.request_id ilike ${like} or a.source_address ilike ${like}
      or a.before::text ilike ${like} or a.after::text ilike ${like})`)
  }
  return sql.and(all)
}

export interface AuditListRequest extends AuditFilter {
  /** The number of the last row of the page before. */
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
}

/** Newest first. `total` stops at 10,000. */
export const listAuditRows = Effect.fnUntraced(function* ({ cursor, limit: wanted, ...filter }: AuditListRequest) {
  const sql = yield* SqlClient.SqlClient
  if (cursor !== undefined && !/^[1-9][0-9]{0,14}$/.test(cursor)) {
    return yield* refuseField("query.cursor", "This cursor was not made for this list. Start again without one.")
  }
  const limit = wanted ?? 50
  const matching = conditions(sql, filter)
  const rows = yield* sql<{ row: AuditRow }>`
    select ${sql.literal(columns)} as row from audit_log a
    where ${matching} and ${cursor === undefined ? sql`true` : sql`a.seq < ${cursor}::text::bigint`}
    order by a.seq desc limit ${limit + 1}::int`
  const counted = yield* sql<{ total: number }>`
    select count(*)::int as total from (select 1 from audit_log a where ${matching} limit ${COUNTED}::int) counted`
  const items = rows.slice(0, limit).map(({ row }) => row)
  const last = items.at(-1)
  const page: Page<AuditRow> = {
    items,
    total: counted[0]?.total ?? 0,
    next_cursor: rows.length > limit && last ? String(last.seq) : null
  }
  return page
})

export const getAuditRow = Effect.fnUntraced(function* (seq: number) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ row: AuditRow }>`
    select ${sql.literal(columns)} as row from audit_log a where a.seq = ${String(seq)}::text::bigint`
  const [found] = rows
  if (found === undefined) {
    return yield* new NotFound({ message: `There is no row ${seq} in the audit log; it may have been pruned.` })
  }
  return found.row
})

/** Who looks at the log stands in it as well, once a minute at most. */
export const recordAuditRead = Effect.fnUntraced(function* (caller: Caller, filter: AuditFilter) {
  const sql = yield* SqlClient.SqlClient
  yield* sql.withTransaction(
    Effect.gen(function* () {
      const first = yield* sql`
        insert into audit_reads as r (user_id) values (${caller.principal.user_id})
        on conflict (user_id) do update set recorded_at = now() where r.recorded_at <= now() - interval '1 minute'
        returning user_id`
      if (first.length === 0) return
      const given = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined))
      yield* appendAudit(originOf(caller), {
        action: "audit.read",
        object_type: "audit_log",
        object_id: "audit_log",
        before: null,
        after: Object.keys(given).length === 0 ? null : given
      })
    })
  )
})

const time = (column: string): string => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

export const readAuditStatus = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ status: Omit<AuditStatus, "origin" | "last_checkpoint" | "last_verification"> }>`
    select json_build_object(
      'head', (select json_build_object('seq', seq, 'row_hash', encode(row_hash, 'hex')) from audit_head),
      'pruned_to_seq', (select seq from audit_anchor),
      'keys', coalesce((select json_agg(json_build_object('key_id', key_id, 'public_key_pem', public_key_pem,
        'first_used_at', ${sql.literal(time("first_used_at"))}) order by first_used_at) from audit_keys), '[]'),
      'outside', (select json_build_object('checked_at', ${sql.literal(time("checked_at"))}, 'file', outside_file,
        'size', outside_size, 'independent', independent, 'reason', independence_reason, 'syslog_target', syslog_target,
        'syslog_sent_at', ${sql.literal(time("syslog_sent_at"))}, 'syslog_failure', syslog_failure) from audit_watch)
    ) as status`
  const status: AuditStatus = {
    ...rows[0]!.status,
    origin: yield* readOrigin,
    last_checkpoint: yield* readLastCheckpoint,
    last_verification: yield* readLastVerification
  }
  return status
})
