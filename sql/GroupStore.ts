/** Groups as people make, look at, rename and delete them. Who belongs to them is in groupMembers.ts. */
import { Effect } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { Conflict, PreconditionFailed } from "#core/Errors.ts"
import type { GroupChange, GroupDeletion, GroupDetail, GroupItem, NewGroup } from "#core/Group.ts"
import { GroupId, type HostId } from "#core/Ids.ts"
import { newId } from "#core/newId.ts"
import type { Page } from "#core/Page.ts"
import type { Caller, Principal } from "#core/User.ts"
import { appendAudit, type AuditEntry, originOf } from "./AuditStore.ts"
import { readCursor, writeCursor } from "./cursor.ts"
import { groupNotFound, groupScope, mustSeeGroup } from "./groupScope.ts"
import { announceHosts, hostsOfGroup, lockHostPolicy } from "./hostPolicy.ts"
import { hostScope } from "./hostScope.ts"

const columns = `
  g.id, g.name, g.description, g.created_at, g.version,
  (select count(*)::int from host_groups m join hosts h on h.id = m.host_id
    where m.group_id = g.id and h.removed_at is null) as hosts_total,
  (select count(*)::int from user_groups m where m.group_id = g.id) as users_total`

export interface GroupListRequest {
  readonly q?: string | undefined
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
}

/** By name. */
export const listGroups = Effect.fnUntraced(function* (principal: Principal, request: GroupListRequest) {
  const sql = yield* SqlClient.SqlClient
  const limit = request.limit ?? 100
  const after = yield* readCursor("groups", request.cursor, "text")
  const part = `%${(request.q ?? "").trim().replace(/[\\%_]/g, "\\$&")}%`
  const matching = sql`${groupScope(sql, principal)} and g.name ilike ${part}`
  const rows = yield* sql<{ item: GroupItem }>`
    select row_to_json(r) as item from (
      select ${sql.literal(columns)} from groups g
      where ${matching} and ${after ? sql`(g.name, g.id) > (${after.key}, ${after.id}::text::uuid)` : sql`true`}
      order by g.name, g.id limit ${limit + 1}
    ) r`
  const counted = yield* sql<{ total: number }>`select count(*)::int as total from groups g where ${matching}`
  const items = rows.slice(0, limit).map((row) => row.item)
  const last = items.at(-1)
  const page: Page<GroupItem> = {
    items,
    total: counted[0]?.total ?? 0,
    next_cursor: rows.length > limit && last ? writeCursor("groups", { key: last.name, id: last.id }) : null
  }
  return page
})

export const getGroup = Effect.fnUntraced(function* (principal: Principal, id: GroupId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ detail: GroupDetail }>`
    select row_to_json(r) as detail from (
      select ${sql.literal(columns)}, coalesce((
        select json_agg(json_build_object('id', u.id, 'username', u.username, 'role', u.role) order by u.username)
        from user_groups m join users u on u.id = m.user_id where m.group_id = g.id), '[]') as users
      from groups g where g.id = ${id} and ${groupScope(sql, principal)}
    ) r`
  const row = rows[0]
  if (row === undefined) return yield* groupNotFound
  return row.detail
})

/** Hosts of a group that the caller may see and that are not removed, by name. */
export const readGroupHosts = Effect.fnUntraced(function* (principal: Principal, groupId: GroupId) {
  const sql = yield* SqlClient.SqlClient
  yield* mustSeeGroup(principal, groupId)
  const rows = yield* sql<{ id: HostId }>`
    select h.id from host_groups m join hosts h on h.id = m.host_id
    where m.group_id = ${groupId} and h.removed_at is null and ${hostScope(sql, principal)}
    order by h.display_name, h.id`
  const hosts: ReadonlyArray<HostId> = rows.map((row) => row.id)
  return hosts
})

/** Turns the unique index' refusal into a Conflict; use it outside of the transaction. */
export const refuseGroupName = <A, E, R>(effect: Effect.Effect<A, E | SqlError.SqlError, R>) =>
  Effect.catchReason(effect, "SqlError", "UniqueViolation", () =>
    Effect.fail(
      new Conflict({ code: "group_name_taken", message: "There is a group of this name already. Choose another." })
    )
  )

/** Call inside a transaction, audit after it. */
export const insertGroup = Effect.fnUntraced(function* (caller: Caller, group: NewGroup) {
  const sql = yield* SqlClient.SqlClient
  const id = newId(GroupId)
  yield* sql`
    insert into groups (id, name, description) values (${id}, ${group.name}, ${group.description ?? ""})`
  const answer = yield* Effect.catchTag(getGroup(caller.principal, id), "NotFound", Effect.die)
  const audit: AuditEntry = {
    action: "group.create",
    object_type: "group",
    object_id: id,
    before: null,
    after: { name: answer.name, description: answer.description }
  }
  return { answer, audit }
})

const lockGroup = Effect.fnUntraced(function* (principal: Principal, id: GroupId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ name: string; description: string; version: number }>`
    select g.name, g.description, g.version::int as version
    from groups g where g.id = ${id} and ${groupScope(sql, principal)} for update of g`
  const row = rows[0]
  if (row === undefined) return yield* groupNotFound
  return row
})

/** PreconditionFailed where somebody edited the group since `version` was read. */
export const updateGroup = (caller: Caller, id: GroupId, version: number, change: GroupChange) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(
      Effect.gen(function* () {
        const { version: found, ...before } = yield* lockGroup(caller.principal, id)
        if (found !== version) {
          return yield* new PreconditionFailed({
            code: "version_mismatch",
            message: `Somebody changed this group meanwhile: it is at version ${found}, you edited ${version}. Read it again.`
          })
        }
        const after = { ...before, ...change }
        yield* sql`
          update groups set name = ${after.name}, description = ${after.description}, version = version + 1
          where id = ${id}`
        yield* announceHosts(yield* hostsOfGroup(id))
        const group = yield* getGroup(caller.principal, id)
        yield* appendAudit(originOf(caller), {
          action: "group.edit",
          object_type: "group",
          object_id: id,
          before,
          after
        })
        return group
      })
    )
  )

/** What follows from deleting the group, as things are now. */
export const readGroupDeletion = Effect.fnUntraced(function* (principal: Principal, id: GroupId) {
  const sql = yield* SqlClient.SqlClient
  const { hosts_total, users_total } = yield* getGroup(principal, id)
  const ungrouped = yield* sql<GroupDeletion["ungrouped"][number]>`
    select h.id, h.display_name from host_groups m join hosts h on h.id = m.host_id
    where m.group_id = ${id} and h.removed_at is null
      and not exists (select 1 from host_groups o where o.host_id = h.id and o.group_id <> ${id})
    order by h.display_name, h.id`
  const rest = yield* sql<Pick<GroupDeletion, "windows_total" | "holds_total" | "services">>`
    select (select count(*)::int from maintenance_windows w where w.group_id = ${id}) as windows_total,
      (select count(*)::int from holds d where d.group_id = ${id} and d.ended_at is null
        and (d.until_at is null or d.until_at > now())) as holds_total,
      coalesce((select to_json(c.services) from service_checks c where c.group_id = ${id}), '[]') as services`
  const deletion: GroupDeletion = {
    ungrouped,
    ungrouped_total: ungrouped.length,
    hosts_total,
    users_total,
    windows_total: rest[0]?.windows_total ?? 0,
    holds_total: rest[0]?.holds_total ?? 0,
    services: rest[0]?.services ?? []
  }
  return deletion
})

/** Conflict unless the caller says how many hosts become visible to every operator by it. */
export const deleteGroup = (caller: Caller, id: GroupId, confirmUngrouped: number) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(
      Effect.gen(function* () {
        yield* lockHostPolicy
        const { name, description } = yield* lockGroup(caller.principal, id)
        const deletion = yield* readGroupDeletion(caller.principal, id)
        const { users } = yield* getGroup(caller.principal, id)
        if (deletion.ungrouped_total !== confirmUngrouped) {
          return yield* new Conflict({
            code: "ungrouped_differs",
            message:
              `Deleting this group leaves ${deletion.ungrouped_total} hosts without a group, visible to every operator; ` +
              `you confirmed ${confirmUngrouped}. Look at them and confirm that number.`
          })
        }
        const hosts = yield* hostsOfGroup(id)
        const holds = yield* sql`
          select id, pattern, reason, until_at as until from holds
          where group_id = ${id} and ended_at is null and (until_at is null or until_at > now()) order by id`
        const windows = yield* sql`
          select id, name, kind from maintenance_windows where group_id = ${id} order by name, id`
        yield* sql`delete from groups where id = ${id}`
        yield* announceHosts(hosts)
        yield* appendAudit(originOf(caller), {
          action: "group.delete",
          object_type: "group",
          object_id: id,
          before: { name, description, host_ids: hosts, usernames: users.map((user) => user.username) },
          after: {
            ungrouped: deletion.ungrouped,
            holds_ended: holds,
            windows_deleted: windows,
            services_dropped: deletion.services
          }
        })
      })
    )
  )
