/** Maintenance windows as people make, look at, edit and delete them, and as jobs are held against them. */
import { Effect } from "effect"
import { SqlClient, type SqlError, type Statement } from "effect/sql"
import { Forbidden, NotFound, PreconditionFailed, refuseField } from "#core/Errors.ts"
import { type GroupId, type HostId, WindowId } from "#core/Ids.ts"
import { newId } from "#core/newId.ts"
import type { Page } from "#core/Page.ts"
import type { Caller, Principal } from "#core/User.ts"
import {
  faultOf,
  type MaintenanceWindow,
  type NewWindow,
  type WindowChange,
  type WindowContent,
  type WindowItem,
  type WindowKind,
  type WindowScope
} from "#core/Window.ts"
import { effectiveFor, type EffectiveWindows, noWindows } from "#core/window/effective.ts"
import { appendAudit, type AuditEntry, originOf } from "./AuditStore.ts"
import { readCursor, writeCursor } from "./cursor.ts"
import { groupScope, mustSeeGroup } from "./groupScope.ts"
import { hostScope } from "./hostScope.ts"
import { hostNotFound } from "./HostStore.ts"
import { runColumns, windowColumns } from "./windowColumns.ts"

/** Also for a window of something the caller may not see. */
export const windowNotFound = new NotFound({
  code: "window_not_found",
  message: "There is no such window among those you can see."
})

const sources = `
  from maintenance_windows w left join hosts h on h.id = w.host_id left join groups g on g.id = w.group_id`

/** Windows of hosts and groups in sight, and blackouts of all hosts. */
const scope = (sql: SqlClient.SqlClient, principal: Principal): Statement.Fragment => sql`(w.scope = 'all'
  or (w.scope = 'host' and h.removed_at is null and ${hostScope(sql, principal)})
  or (w.scope = 'group' and ${groupScope(sql, principal)}))`

/** A listed window without what the calendar adds. */
export type StoredWindowItem = Omit<WindowItem, "state" | "current" | "next">

const itemColumns = (sql: SqlClient.SqlClient, principal: Principal) => sql`
  ${sql.literal(windowColumns)}, coalesce(h.display_name, g.name) as scope_name,
  case w.scope when 'host' then 1 else (
    select count(*)::int from hosts h where h.removed_at is null and ${hostScope(sql, principal)}
      and (w.scope = 'all' or exists (select 1 from host_groups m where m.host_id = h.id and m.group_id = w.group_id))
  ) end as hosts_total,
  (select row_to_json(x) from (
    select ${sql.literal(runColumns)} where r.window_id = w.id order by r.opens_at desc limit 1) x) as last_run`

export interface WindowListRequest {
  readonly q?: string | undefined
  readonly kind?: WindowKind | undefined
  readonly enabled?: boolean | undefined
  readonly host_id?: HostId | undefined
  readonly group_id?: GroupId | undefined
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
}

/** By name. */
export const listWindows = Effect.fnUntraced(function* (principal: Principal, request: WindowListRequest) {
  const sql = yield* SqlClient.SqlClient
  const limit = request.limit ?? 100
  const after = yield* readCursor("windows", request.cursor, "text")
  const all: Array<Statement.Fragment> = [scope(sql, principal)]
  const q = (request.q ?? "").trim()
  if (q !== "") {
    const part = `%${q.replace(/[\\%_]/g, "\\$&")}%`
    all.push(sql`(w.name ilike ${part} or h.display_name ilike ${part} or g.name ilike ${part})`)
  }
  if (request.kind) all.push(sql`w.kind = ${request.kind}`)
  if (request.enabled !== undefined) all.push(sql`w.enabled = ${request.enabled}`)
  if (request.host_id) all.push(sql`w.host_id = ${request.host_id}`)
  if (request.group_id) all.push(sql`w.group_id = ${request.group_id}`)
  const matching = sql.and(all)
  const rows = yield* sql<{ item: StoredWindowItem }>`
    select row_to_json(t) as item from (
      select ${itemColumns(sql, principal)} ${sql.literal(sources)}
      where ${matching} and ${after ? sql`(w.name, w.id) > (${after.key}, ${after.id}::text::uuid)` : sql`true`}
      order by w.name, w.id limit ${limit + 1}
    ) t`
  const counted = yield* sql<{ total: number }>`
    select count(*)::int as total ${sql.literal(sources)} where ${matching}`
  const items = rows.slice(0, limit).map((row) => row.item)
  const last = items.at(-1)
  const page: Page<StoredWindowItem> = {
    items,
    total: counted[0]?.total ?? 0,
    next_cursor: rows.length > limit && last ? writeCursor("windows", { key: last.name, id: last.id }) : null
  }
  return page
})

export const getWindow = Effect.fnUntraced(function* (principal: Principal, id: WindowId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ item: StoredWindowItem }>`
    select row_to_json(t) as item from (
      select ${itemColumns(sql, principal)} ${sql.literal(sources)} where w.id = ${id} and ${scope(sql, principal)}
    ) t`
  const row = rows[0]
  if (row === undefined) return yield* windowNotFound
  return row.item
})

/** NotFound for what the caller cannot see; Forbidden where only an administrator may. */
export const mustReachScope = Effect.fnUntraced(function* (principal: Principal, target: WindowScope) {
  const sql = yield* SqlClient.SqlClient
  if (target.kind === "group") return yield* mustSeeGroup(principal, target.group_id)
  if (target.kind === "all") {
    if (principal.role === "admin") return
    return yield* new Forbidden({ message: "Only an administrator can change a blackout of all hosts." })
  }
  const rows = yield* sql`
    select 1 from hosts h where h.id = ${target.host_id} and h.removed_at is null and ${hostScope(sql, principal)}`
  if (rows.length === 0) return yield* hostNotFound
})

export const contentOf = (window: NewWindow): WindowContent => ({
  ...window,
  blackout_dates: window.blackout_dates ?? [],
  auto_apply: window.auto_apply ?? null,
  enabled: window.enabled ?? true
})

const check = (content: WindowContent) => {
  const fault = faultOf(content)
  return fault === null ? Effect.void : Effect.fail(refuseField(`payload.${fault.path}`, fault.message))
}

const announce = Effect.flatMap(
  SqlClient.SqlClient,
  (sql) => sql`select pg_notify('worker', 'window_changed'), pg_notify('feed', '')`
)

const idIn = (target: WindowScope, kind: "host" | "group"): string =>
  target.kind === "host" && kind === "host"
    ? target.host_id
    : target.kind === "group" && kind === "group"
      ? target.group_id
      : ""

const autoApplyText = (content: WindowContent): string =>
  content.auto_apply === null ? "" : JSON.stringify(content.auto_apply)

/** Call inside a transaction, audit after it. */
export const insertWindow = Effect.fnUntraced(function* (caller: Caller, window: NewWindow) {
  const sql = yield* SqlClient.SqlClient
  const content = contentOf(window)
  yield* check(content)
  yield* mustReachScope(caller.principal, content.scope)
  const id = newId(WindowId)
  yield* sql`
    insert into maintenance_windows
      (id, name, kind, scope, host_id, group_id, rule, time_zone, duration_minutes, blackout_dates, auto_apply, enabled, created_by)
    values (${id}, ${content.name}, ${content.kind}, ${content.scope.kind}, nullif(${idIn(content.scope, "host")}, '')::uuid,
      nullif(${idIn(content.scope, "group")}, '')::uuid, ${JSON.stringify(content.rule)}::text::jsonb, ${content.time_zone},
      ${content.duration_minutes}, ${JSON.stringify(content.blackout_dates)}::text::jsonb,
      nullif(${autoApplyText(content)}, '')::jsonb, ${content.enabled}, ${caller.principal.username})`
  yield* announce
  const answer = yield* getWindow(caller.principal, id)
  const audit: AuditEntry = {
    action: "window.create",
    object_type: "window",
    object_id: id,
    before: null,
    after: { ...content, scope_name: answer.scope_name }
  }
  return { answer, audit }
})

const editable = ({
  name,
  kind,
  scope: target,
  rule,
  time_zone,
  duration_minutes,
  blackout_dates,
  auto_apply,
  enabled
}: StoredWindowItem): WindowContent => ({
  name,
  kind,
  scope: target,
  rule,
  time_zone,
  duration_minutes,
  blackout_dates,
  auto_apply,
  enabled
})

/** What decides when and for whom it fires; the name and what the job does then are not part of it. */
const timing = (content: WindowContent): string =>
  JSON.stringify([
    content.scope,
    content.rule,
    content.time_zone,
    content.duration_minutes,
    content.blackout_dates,
    content.auto_apply !== null,
    content.enabled
  ])

const lockWindow = Effect.fnUntraced(function* (principal: Principal, id: WindowId) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`select 1 from maintenance_windows where id = ${id} for update`
  const window = yield* getWindow(principal, id)
  yield* mustReachScope(principal, window.scope)
  return window
})

/** PreconditionFailed where somebody edited the window since `version` was read. */
export const updateWindow = (caller: Caller, id: WindowId, version: number, change: WindowChange) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(
      Effect.gen(function* () {
        const window = yield* lockWindow(caller.principal, id)
        if (window.version !== version) {
          return yield* new PreconditionFailed({
            code: "version_mismatch",
            message: `Somebody changed this window meanwhile: it is at version ${window.version}, you edited ${version}. Read it again.`
          })
        }
        const before = editable(window)
        const after: WindowContent = { ...before, ...change }
        yield* check(after)
        if (change.scope !== undefined) yield* mustReachScope(caller.principal, after.scope)
        yield* sql`
          update maintenance_windows set name = ${after.name}, scope = ${after.scope.kind},
            host_id = nullif(${idIn(after.scope, "host")}, '')::uuid, group_id = nullif(${idIn(after.scope, "group")}, '')::uuid,
            rule = ${JSON.stringify(after.rule)}::text::jsonb, time_zone = ${after.time_zone},
            duration_minutes = ${after.duration_minutes}, blackout_dates = ${JSON.stringify(after.blackout_dates)}::text::jsonb,
            auto_apply = nullif(${autoApplyText(after)}, '')::jsonb, enabled = ${after.enabled}, updated_at = now(),
            watched_since = case when ${timing(before) !== timing(after)} then now() else watched_since end,
            version = version + 1
          where id = ${id}`
        yield* announce
        const answer = yield* getWindow(caller.principal, id)
        yield* appendAudit(originOf(caller), {
          action: "window.edit",
          object_type: "window",
          object_id: id,
          before,
          after
        })
        return answer
      })
    )
  )

/** Jobs that it made stay. */
export const deleteWindow = (caller: Caller, id: WindowId) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(
      Effect.gen(function* () {
        const window = yield* lockWindow(caller.principal, id)
        yield* sql`delete from maintenance_windows where id = ${id}`
        yield* announce
        yield* appendAudit(originOf(caller), {
          action: "window.delete",
          object_type: "window",
          object_id: id,
          before: editable(window),
          after: null
        })
      })
    )
  )

/** The windows and blackouts that hold for each of these hosts; a host without any has `noWindows`. */
export const readEffectiveWindows = (
  hostIds: ReadonlyArray<HostId>
): Effect.Effect<ReadonlyMap<HostId, EffectiveWindows>, SqlError.SqlError, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const rows = yield* sql<{ item: MaintenanceWindow }>`
      select row_to_json(t) as item from (
        select ${sql.literal(windowColumns)} from maintenance_windows w
        where w.enabled and (w.scope = 'all' or w.host_id = any(${hostIds}::uuid[])
          or w.group_id in (select m.group_id from host_groups m where m.host_id = any(${hostIds}::uuid[])))
        order by w.id
      ) t`
    if (rows.length === 0) return new Map(hostIds.map((id) => [id, noWindows]))
    const members = yield* sql<{ id: HostId; group_ids: ReadonlyArray<GroupId> }>`
      select m.host_id as id, json_agg(m.group_id order by m.group_id) as group_ids
      from host_groups m where m.host_id = any(${hostIds}::uuid[]) group by m.host_id`
    const groupsOf = new Map(members.map((row) => [row.id, row.group_ids]))
    const effectiveOf = effectiveFor(rows.map((row) => row.item))
    return new Map(hostIds.map((id) => [id, effectiveOf({ id, group_ids: groupsOf.get(id) ?? [] })]))
  })
