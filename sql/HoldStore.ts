/** Holds as people make, look at, edit and end them, and as plans and the dispatcher weigh them. */
import { Effect } from "effect"
import { SqlClient, type Statement } from "effect/sql"
import { Conflict, Forbidden, NotFound, PreconditionFailed } from "#core/Errors.ts"
import type { HeldPattern, Hold, HoldChange, HoldTarget, NewHold } from "#core/Hold.ts"
import { type GroupId, HoldId, type HostId } from "#core/Ids.ts"
import { newId } from "#core/newId.ts"
import type { Page } from "#core/Page.ts"
import type { Caller, Principal } from "#core/User.ts"
import { appendAudit, type AuditEntry, originOf } from "./AuditStore.ts"
import { readCursor, writeCursor } from "./cursor.ts"
import { groupScope, mustSeeGroup } from "./groupScope.ts"
import { announceHosts, hostsOfGroup } from "./hostPolicy.ts"
import { hostScope } from "./hostScope.ts"
import { hostNotFound } from "./HostStore.ts"

/** By database time, of `holds d`. */
const active = "(d.ended_at is null and (d.until_at is null or d.until_at > now()))"

/** Whether `holds d` is about `hosts h`: that host, one of its groups, or all hosts. */
const concerns = `(d.target = 'all' or d.host_id = h.id
  or exists (select 1 from host_groups m where m.host_id = h.id and m.group_id = d.group_id))`

/** What is held on each of these hosts now; a host on which nothing is held is left out. */
export const readActiveHolds = Effect.fnUntraced(function* (hostIds: ReadonlyArray<HostId>) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ host_id: HostId; holds: ReadonlyArray<HeldPattern> }>`
    select h.id as host_id, json_agg(json_build_object('hold_id', d.id, 'pattern', d.pattern, 'reason', d.reason,
      'until_ms', floor(extract(epoch from d.until_at) * 1000)) order by d.id) as holds
    from hosts h join holds d on ${sql.literal(active)} and ${sql.literal(concerns)}
    where h.id = any(${hostIds}::uuid[]) group by h.id`
  const found: ReadonlyMap<HostId, ReadonlyArray<HeldPattern>> = new Map(rows.map((row) => [row.host_id, row.holds]))
  return found
})

const sources = `
  from holds d left join hosts h on h.id = d.host_id left join groups g on g.id = d.group_id`

/** A group's hold reaches a host of somebody who is not in that group; then it does not say which group. */
const columns = (sql: SqlClient.SqlClient, principal: Principal) => sql`
  d.id, case d.target when 'all' then json_build_object('kind', 'all')
      when 'host' then json_build_object('kind', 'host', 'host_id', h.id)
      else case when ${groupScope(sql, principal)} then json_build_object('kind', 'group', 'group_id', g.id)
        else json_build_object('kind', 'other_group') end end as target,
  coalesce(h.display_name, case when ${groupScope(sql, principal)} then g.name end) as target_name,
  d.pattern, d.reason, d.until_at as until, ${sql.literal(active)} as active, d.created_at, d.created_by,
  d.ended_at, d.ended_by, d.version`

/** Holds on all hosts, on hosts in sight and on groups in sight. */
const scope = (sql: SqlClient.SqlClient, principal: Principal): Statement.Fragment => sql`(d.target = 'all'
  or (d.target = 'host' and h.removed_at is null and ${hostScope(sql, principal)})
  or (d.target = 'group' and ${groupScope(sql, principal)}))`

/** Also for a hold on something the caller may not see. */
const holdNotFound = new NotFound({
  code: "hold_not_found",
  message: "There is no such hold among those you can see."
})

const mustSeeHost = Effect.fnUntraced(function* (principal: Principal, id: HostId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`
    select 1 from hosts h where h.id = ${id} and h.removed_at is null and ${hostScope(sql, principal)}`
  if (rows.length === 0) return yield* hostNotFound
})

export interface HoldListRequest {
  /** Every hold that reaches this host: its own, its groups' and those on all hosts. */
  readonly host_id?: HostId | undefined
  /** Holds on this group itself. */
  readonly group_id?: GroupId | undefined
  readonly active?: boolean | undefined
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
}

/** Newest first. NotFound for a host or a group that the caller may not see. */
export const listHolds = Effect.fnUntraced(function* (principal: Principal, request: HoldListRequest) {
  const sql = yield* SqlClient.SqlClient
  if (request.host_id) yield* mustSeeHost(principal, request.host_id)
  if (request.group_id) yield* mustSeeGroup(principal, request.group_id)
  const limit = request.limit ?? 100
  const after = yield* readCursor("holds", request.cursor, "text")
  const matching = sql.and([
    request.host_id
      ? sql`exists (select 1 from hosts h where h.id = ${request.host_id} and ${sql.literal(concerns)})`
      : scope(sql, principal),
    request.group_id ? sql`d.group_id = ${request.group_id}` : sql`true`,
    request.active === undefined ? sql`true` : sql`${sql.literal(active)} = ${request.active}`
  ])
  const rows = yield* sql<{ item: Hold }>`
    select row_to_json(r) as item from (
      select ${columns(sql, principal)} ${sql.literal(sources)}
      where ${matching} and ${after ? sql`d.id < ${after.id}::text::uuid` : sql`true`}
      order by d.id desc limit ${limit + 1}
    ) r`
  const counted = yield* sql<{ total: number }>`
    select count(*)::int as total ${sql.literal(sources)} where ${matching}`
  const items = rows.slice(0, limit).map((row) => row.item)
  const last = items.at(-1)
  const page: Page<Hold> = {
    items,
    total: counted[0]?.total ?? 0,
    next_cursor: rows.length > limit && last ? writeCursor("holds", { key: "", id: last.id }) : null
  }
  return page
})

export const getHold = Effect.fnUntraced(function* (principal: Principal, id: HoldId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ item: Hold }>`
    select row_to_json(r) as item from (
      select ${columns(sql, principal)} ${sql.literal(sources)} where d.id = ${id} and ${scope(sql, principal)}
    ) r`
  const row = rows[0]
  if (row === undefined) return yield* holdNotFound
  return row.item
})

/** NotFound for what the caller cannot see; Forbidden where only an administrator may. */
const mustReach = (principal: Principal, target: HoldTarget) => {
  switch (target.kind) {
    case "host":
      return mustSeeHost(principal, target.host_id)
    case "group":
      return mustSeeGroup(principal, target.group_id)
    case "all":
      return principal.role === "admin"
        ? Effect.void
        : Effect.fail(
            new Forbidden({ message: "Only an administrator can hold a package on all hosts or end such a hold." })
          )
  }
}

const announce = Effect.fnUntraced(function* (target: HoldTarget) {
  const sql = yield* SqlClient.SqlClient
  if (target.kind === "host") return yield* announceHosts([target.host_id])
  if (target.kind === "group") return yield* announceHosts(yield* hostsOfGroup(target.group_id))
  const all = yield* sql<{ id: HostId }>`select id from hosts where removed_at is null order by id`
  yield* announceHosts(all.map((row) => row.id))
})

/** Call inside a transaction, audit after it. `until` is a time to come. */
export const insertHold = Effect.fnUntraced(function* (caller: Caller, hold: NewHold) {
  const sql = yield* SqlClient.SqlClient
  const { target } = hold
  yield* mustReach(caller.principal, target)
  const id = newId(HoldId)
  yield* sql`
    insert into holds (id, target, host_id, group_id, pattern, reason, until_at, created_by)
    values (${id}, ${target.kind}, nullif(${target.kind === "host" ? target.host_id : ""}, '')::uuid,
      nullif(${target.kind === "group" ? target.group_id : ""}, '')::uuid, ${hold.pattern}, ${hold.reason},
      nullif(${hold.until ?? ""}, '')::timestamptz, ${caller.principal.username})`
  yield* announce(target)
  const answer = yield* getHold(caller.principal, id)
  const audit: AuditEntry = {
    action: "hold.create",
    object_type: "hold",
    object_id: id,
    before: null,
    after: { ...hold, target_name: answer.target_name }
  }
  return { answer, audit }
})

/** A hold in sight that still runs and that the caller may change, its row locked. */
const lockHold = Effect.fnUntraced(function* (principal: Principal, id: HoldId) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`select 1 from holds where id = ${id} for update`
  const hold = yield* getHold(principal, id)
  const { target } = hold
  if (target.kind === "other_group") return yield* holdNotFound
  yield* mustReach(principal, target)
  if (!hold.active) {
    return yield* new Conflict({
      code: "hold_over",
      message: "This hold is over already. Make a new one if the package is to be held again."
    })
  }
  return { ...hold, target }
})

/** PreconditionFailed where somebody edited the hold since `version` was read. */
export const updateHold = (caller: Caller, id: HoldId, version: number, change: HoldChange) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(
      Effect.gen(function* () {
        const hold = yield* lockHold(caller.principal, id)
        if (hold.version !== version) {
          return yield* new PreconditionFailed({
            code: "version_mismatch",
            message: `Somebody changed this hold meanwhile: it is at version ${hold.version}, you edited ${version}. Read it again.`
          })
        }
        const before = { reason: hold.reason, until: hold.until }
        const after = { ...before, ...change }
        yield* sql`
          update holds set reason = ${after.reason}, until_at = nullif(${after.until ?? ""}, '')::timestamptz,
            version = version + 1 where id = ${id}`
        yield* announce(hold.target)
        const answer = yield* getHold(caller.principal, id)
        yield* appendAudit(originOf(caller), { action: "hold.edit", object_type: "hold", object_id: id, before, after })
        return answer
      })
    )
  )

/** From now on the package may be changed again; the hold stays in the list as one that is over. */
export const endHold = (caller: Caller, id: HoldId) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(
      Effect.gen(function* () {
        const { target, target_name, pattern, reason, until } = yield* lockHold(caller.principal, id)
        yield* sql`
          update holds set ended_at = now(), ended_by = ${caller.principal.username}, version = version + 1
          where id = ${id}`
        yield* announce(target)
        yield* appendAudit(originOf(caller), {
          action: "hold.end",
          object_type: "hold",
          object_id: id,
          before: { target, target_name, pattern, reason, until },
          after: null
        })
      })
    )
  )
