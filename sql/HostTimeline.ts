/** A host's past: its transitions and its share of jobs, newest first. */
import { Effect } from "effect"
import { SqlClient, type Statement } from "effect/sql"
import type { HostJob, HostTransition } from "#core/Host.ts"
import type { HostId } from "#core/Ids.ts"
import type { Page } from "#core/Page.ts"
import type { Principal } from "#core/User.ts"
import { readCursor, writeCursor } from "./cursor.ts"
import { hostScope } from "./hostScope.ts"
import { hostNotFound } from "./HostStore.ts"
import { transitionWords } from "./transitionWords.ts"

type Stored = Omit<HostTransition, "words" | "by"> & { readonly event: unknown; readonly by: string | null }

const speak = ({ event, ...row }: Stored): HostTransition => ({ ...row, words: transitionWords({ ...row, event }) })

const readRows = (sql: SqlClient.SqlClient, condition: Statement.Fragment, limit: number) =>
  Effect.map(
    sql<{ row: Stored }>`
      select json_build_object('host_id', t.host_id, 'version', t.version, 'at', t.at, 'event_type', t.event_type,
        'from_link', t.from_link, 'to_link', t.to_link, 'from_work', t.from_work, 'to_work', t.to_work,
        'order_id', t.order_id, 'by', t.event->>'by', 'event', t.event) as row
      from host_transitions t where ${condition} order by t.version desc limit ${limit}`,
    (rows) => rows.map(({ row }) => speak(row))
  )

const mustSee = Effect.fnUntraced(function* (principal: Principal, id: HostId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`
    select 1 from hosts h where h.id = ${id} and h.removed_at is null and ${hostScope(sql, principal)}`
  if (rows.length === 0) return yield* hostNotFound
})

export const listTransitions = Effect.fnUntraced(function* (
  principal: Principal,
  id: HostId,
  cursor: string | undefined,
  limit = 100
) {
  const sql = yield* SqlClient.SqlClient
  yield* mustSee(principal, id)
  const after = yield* readCursor("transitions", cursor, "number")
  const below = after ? sql`t.host_id = ${id} and t.version < ${after.key}::text::bigint` : sql`t.host_id = ${id}`
  const rows = yield* readRows(sql, below, limit + 1)
  const counted = yield* sql<{
    total: number
  }>`select count(*)::int as total from host_transitions where host_id = ${id}`
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  const next_cursor = rows.length > limit && last ? writeCursor("transitions", { key: String(last.version), id }) : null
  const page: Page<HostTransition> = { items, total: counted[0]?.total ?? 0, next_cursor }
  return page
})

/** The transitions of these host versions, for the live feed; scope is the caller's business. */
export const readTransitions = Effect.fnUntraced(function* (
  of: ReadonlyArray<{ readonly host_id: HostId; readonly version: number }>
) {
  const sql = yield* SqlClient.SqlClient
  if (of.length === 0) return []
  return yield* readRows(
    sql,
    sql`(t.host_id, t.version) in (select * from unnest(${of.map((one) => one.host_id)}::uuid[],
      ${of.map((one) => String(one.version))}::text[]::bigint[]))`,
    of.length
  )
})

export const listHostJobs = Effect.fnUntraced(function* (
  principal: Principal,
  id: HostId,
  cursor: string | undefined,
  limit = 50
) {
  const sql = yield* SqlClient.SqlClient
  yield* mustSee(principal, id)
  const after = yield* readCursor("host-jobs", cursor, "text")
  const rows = yield* sql<{ row: HostJob }>`
    select json_build_object('order_id', o.id, 'job_id', o.job_id, 'job_number', j.number, 'kind', j.kind,
      'state', o.state, 'outcome', o.outcome, 'requested_by', j.requested_by, 'created_at', j.created_at,
      'started_at', o.started_at, 'finished_at', o.finished_at) as row
    from patch_job_hosts o join patch_jobs j on j.id = o.job_id
    where o.host_id = ${id} and ${after ? sql`o.id < ${after.id}::text::uuid` : sql`true`}
    order by o.id desc limit ${limit + 1}`
  const counted = yield* sql<{
    total: number
  }>`select count(*)::int as total from patch_job_hosts where host_id = ${id}`
  const items = rows.slice(0, limit).map(({ row }) => row)
  const last = items.at(-1)
  const next_cursor = rows.length > limit && last ? writeCursor("host-jobs", { key: "", id: last.order_id }) : null
  const page: Page<HostJob> = { items, total: counted[0]?.total ?? 0, next_cursor }
  return page
})
