/** Checkpoints in the database, the public keys they were signed with, and what the worker says of those outside. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { Checkpoint } from "#core/audit/Checkpoint.ts"
import { refuseField } from "#core/Errors.ts"
import type { Page } from "#core/Page.ts"

/** As JSON, oldest first. */
const columns = `json_build_object('origin', c.origin, 'size', c.size, 'row_hash', encode(c.row_hash, 'hex'),
  'signed_at', c.signed_at, 'previous', encode(c.previous, 'hex'), 'key_id', c.key_id,
  'signature', translate(encode(c.signature, 'base64'), E'\\n', ''))`

export const readCheckpoints = Effect.fnUntraced(function* (
  afterSize: number,
  limit: number,
  upTo: number | null = null
) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ checkpoint: Checkpoint }>`
    select ${sql.literal(columns)} as checkpoint from audit_checkpoints c
    where c.size > ${String(afterSize)}::text::bigint
      and ${upTo === null ? sql`true` : sql`c.size <= ${String(upTo)}::text::bigint`}
    order by c.size limit ${limit}::int`
  return rows.map((row) => row.checkpoint)
})

export const readLastCheckpoint = Effect.flatMap(SqlClient.SqlClient, (sql) =>
  Effect.map(
    sql<{ checkpoint: Checkpoint }>`
      select ${sql.literal(columns)} as checkpoint from audit_checkpoints c order by c.size desc limit 1`,
    (rows) => rows[0]?.checkpoint ?? null
  )
)

/** One that is there already stays as it is. */
export const insertCheckpoint = Effect.fnUntraced(function* (point: Checkpoint) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    insert into audit_checkpoints (size, row_hash, origin, signed_at, previous, key_id, signature)
    values (${String(point.size)}::text::bigint, decode(${point.row_hash}, 'hex'), ${point.origin}, ${point.signed_at},
      decode(${point.previous}, 'hex'), ${point.key_id}, decode(${point.signature}, 'base64'))
    on conflict do nothing`
})

export const recordKey = Effect.fnUntraced(function* (keyId: string, publicKeyPem: string) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`insert into audit_keys (key_id, public_key_pem) values (${keyId}, ${publicKeyPem}) on conflict do nothing`
})

export const readOrigin = Effect.flatMap(SqlClient.SqlClient, (sql) =>
  Effect.map(
    sql<{ origin: string }>`select value #>> '{}' as origin from system_config where key = 'installation_id'`,
    (rows) => rows[0]?.origin ?? ""
  )
)

export interface Watch {
  readonly outsideFile: string
  readonly outsideSize: number
  readonly independent: boolean
  readonly reason: string
  readonly syslogTarget: string
  readonly syslogFailure: string | null
  /** Whether a checkpoint has just been sent there. */
  readonly syslogSent: boolean
}

export const writeWatch = Effect.fnUntraced(function* (watch: Watch) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    update audit_watch set checked_at = now(), outside_file = ${watch.outsideFile},
      outside_size = ${String(watch.outsideSize)}::text::bigint, independent = ${watch.independent},
      independence_reason = ${watch.reason}, syslog_target = nullif(${watch.syslogTarget}, ''),
      syslog_failure = nullif(${watch.syslogFailure ?? ""}, ''),
      syslog_sent_at = case when ${watch.syslogSent} then now() else syslog_sent_at end`
})

/** Whether the role of this connection could change rows of the log past `audit_append`. */
export const ownRoleRulesTheLog = Effect.flatMap(SqlClient.SqlClient, (sql) =>
  Effect.map(
    sql<{ rules: boolean }>`
      select pg_has_role(current_user, c.relowner, 'usage') or has_table_privilege('audit_log', 'update') as rules
      from pg_class c where c.oid = 'audit_log'::regclass`,
    (rows) => rows[0]?.rules ?? true
  )
)

/** Newest first; the cursor is the size of the last one. */
export const listCheckpoints = Effect.fnUntraced(function* (request: {
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
}) {
  const sql = yield* SqlClient.SqlClient
  const { cursor } = request
  if (cursor !== undefined && !/^[1-9][0-9]{0,14}$/.test(cursor)) {
    return yield* refuseField("query.cursor", "This cursor was not made for this list. Start again without one.")
  }
  const limit = request.limit ?? 50
  const rows = yield* sql<{ checkpoint: Checkpoint }>`
    select ${sql.literal(columns)} as checkpoint from audit_checkpoints c
    where ${cursor === undefined ? sql`true` : sql`c.size < ${cursor}::text::bigint`}
    order by c.size desc limit ${limit + 1}::int`
  const counted = yield* sql<{ total: number }>`select count(*)::int as total from audit_checkpoints`
  const items = rows.slice(0, limit).map((row) => row.checkpoint)
  const last = items.at(-1)
  const page: Page<Checkpoint> = {
    items,
    total: counted[0]?.total ?? 0,
    next_cursor: rows.length > limit && last ? String(last.size) : null
  }
  return page
})
