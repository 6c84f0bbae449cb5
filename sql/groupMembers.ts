/** Which hosts and which users belong to a group. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { Forbidden, NotFound, refuseField } from "#core/Errors.ts"
import type { GroupHostsChanged } from "#core/Group.ts"
import type { GroupId, HostId, UserId } from "#core/Ids.ts"
import type { Caller, Principal } from "#core/User.ts"
import { appendAudit, originOf } from "./AuditStore.ts"
import { groupNotFound, groupScope, mustSeeGroup } from "./groupScope.ts"
import { announceHosts, hostsOfGroup, lockHostPolicy, refuseTooManyServices } from "./hostPolicy.ts"
import { hostScope } from "./hostScope.ts"

/** NotFound for all of them where one is unknown, removed or not the caller's to see. */
const mustSeeHosts = Effect.fnUntraced(function* (principal: Principal, ids: ReadonlyArray<HostId>) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ id: HostId }>`
    select h.id from hosts h where h.id = any(${ids}::uuid[]) and h.removed_at is null and ${hostScope(sql, principal)}
    order by h.id for share of h`
  const found = new Set(rows.map((row) => row.id))
  const missing = ids.filter((id) => !found.has(id))
  if (missing.length === 0) return
  return yield* new NotFound({
    code: "host_not_found",
    message: `${missing.length} of the hosts named do not exist among those you can see. Nothing was changed.`,
    details: { host_ids: missing }
  })
})

export type MembersChange = "replace" | "add" | "remove"

/** Takes effect with the next request of everybody: what is seen is asked for each time. */
export const changeGroupHosts = (caller: Caller, id: GroupId, change: MembersChange, ids: ReadonlyArray<HostId>) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(
      Effect.gen(function* () {
        yield* lockHostPolicy
        yield* mustSeeGroup(caller.principal, id)
        yield* mustSeeHosts(caller.principal, ids)
        const before = new Set(yield* hostsOfGroup(id))
        const named = new Set(ids)
        const added = change === "remove" ? [] : ids.filter((host) => !before.has(host))
        const removed = change === "add" ? [] : [...before].filter((host) => named.has(host) === (change === "remove"))
        yield* sql`
          insert into host_groups (host_id, group_id) select x, ${id}::text::uuid from unnest(${added}::uuid[]) x`
        yield* sql`delete from host_groups where group_id = ${id} and host_id = any(${removed}::uuid[])`
        yield* refuseTooManyServices([...added, ...removed])
        yield* announceHosts([...added, ...removed])
        if (added.length + removed.length > 0) {
          yield* appendAudit(originOf(caller), {
            action: "group.hosts",
            object_type: "group",
            object_id: id,
            before: { hosts_total: before.size },
            after: { hosts_total: before.size + added.length - removed.length, added, removed }
          })
        }
        const answer: GroupHostsChanged = {
          hosts_total: before.size + added.length - removed.length,
          added: added.length,
          removed: removed.length
        }
        return answer
      })
    )
  )

/** Replaces the users of a group. A token must not: whoever is in a group sees its hosts. */
export const replaceGroupUsers = (caller: Caller, id: GroupId, usernames: ReadonlyArray<string>) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(
      Effect.gen(function* () {
        if (caller.principal.kind === "token" || caller.principal.role !== "admin") {
          return yield* new Forbidden({
            message: "Only an administrator who is signed in decides who belongs to a group; an API token cannot."
          })
        }
        yield* lockHostPolicy
        yield* mustSeeGroup(caller.principal, id)
        const wanted = [...new Set(usernames.map((name) => name.toLowerCase()))]
        const users = yield* sql<{ id: UserId; username: string }>`
          select id, username from users where username = any(${wanted}::text[]) and deleted_at is null order by username`
        const known = new Set(users.map((user) => user.username))
        const unknown = wanted.filter((name) => !known.has(name))
        if (unknown.length > 0) {
          return yield* refuseField("payload.usernames", `There is no user named ${unknown.slice(0, 5).join(", ")}.`)
        }
        const before = yield* sql<{ username: string }>`
          select u.username from user_groups m join users u on u.id = m.user_id
          where m.group_id = ${id} order by u.username`
        // Who joins or leaves is an account changed: an edit that was begun before is refused.
        yield* sql`
          update users u set version = version + 1
          where (u.id = any(${users.map((user) => user.id)}::uuid[])) <>
            exists (select 1 from user_groups m where m.user_id = u.id and m.group_id = ${id})`
        yield* sql`delete from user_groups where group_id = ${id}`
        yield* sql`
          insert into user_groups (user_id, group_id)
          select x, ${id}::text::uuid from unnest(${users.map((user) => user.id)}::uuid[]) x`
        yield* appendAudit(originOf(caller), {
          action: "group.users",
          object_type: "group",
          object_id: id,
          before: { usernames: before.map((user) => user.username) },
          after: { usernames: users.map((user) => user.username) }
        })
      })
    )
  )

/**
 * Into which groups a host goes that this caller adds: those asked for, else an operator's only one. An operator with
 * groups cannot add a host without one, which every other operator would see.
 */
const groupsForNewHost = Effect.fnUntraced(function* (
  principal: Principal,
  wanted: ReadonlyArray<GroupId> | undefined
) {
  const sql = yield* SqlClient.SqlClient
  const bound = principal.role === "operator" && principal.group_ids.length > 0
  if (wanted === undefined && !bound) return []
  if (wanted === undefined && principal.group_ids.length === 1) return principal.group_ids
  if (bound && (wanted === undefined || wanted.length === 0)) {
    return yield* refuseField("payload.group_ids", "Say which of your groups this host goes into.")
  }
  const found = yield* sql`
    select 1 from groups g where g.id = any(${wanted ?? []}::uuid[]) and ${groupScope(sql, principal)} for share of g`
  if (found.length < (wanted ?? []).length) return yield* groupNotFound
  return wanted ?? []
})

/** Puts a host that was just inserted into its groups, and says which; inside the same transaction. */
export const joinGroups = Effect.fnUntraced(function* (
  principal: Principal,
  host: HostId,
  wanted: ReadonlyArray<GroupId> | undefined
) {
  const sql = yield* SqlClient.SqlClient
  const groups = yield* groupsForNewHost(principal, wanted)
  if (groups.length === 0) return groups
  yield* lockHostPolicy
  yield* sql`
    insert into host_groups (host_id, group_id) select ${host}::text::uuid, x from unnest(${groups}::uuid[]) x`
  yield* refuseTooManyServices([host])
  return groups
})
