/** Which services have to be up on a host before and after a run. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { GroupId, HostId } from "#core/Ids.ts"
import { distinctServices, type GroupServiceChecks, type HostServiceChecks } from "#core/ServiceCheck.ts"
import type { Caller, Principal } from "#core/User.ts"
import { appendAudit, originOf } from "./AuditStore.ts"
import { groupScope, mustSeeGroup } from "./groupScope.ts"
import { announceHosts, hostsOfGroup, lockHostPolicy, refuseTooManyServices } from "./hostPolicy.ts"
import { hostScope } from "./hostScope.ts"
import { hostNotFound } from "./HostStore.ts"

/** The services of each of these hosts: its own, else its groups' together; a host without any is left out. */
export const readServiceChecks = Effect.fnUntraced(function* (hostIds: ReadonlyArray<HostId>) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ host_id: HostId; services: ReadonlyArray<string> }>`
    select host_id, services from (
      select h.id as host_id, coalesce(
        (select to_json(c.services) from service_checks c where c.host_id = h.id),
        (select json_agg(distinct s order by s) from host_groups m join service_checks c on c.group_id = m.group_id,
          unnest(c.services) s where m.host_id = h.id)) as services
      from hosts h where h.id = any(${hostIds}::uuid[])
    ) x where services is not null`
  const found: ReadonlyMap<HostId, ReadonlyArray<string>> = new Map(rows.map((row) => [row.host_id, row.services]))
  return found
})

const mustSeeHost = Effect.fnUntraced(function* (principal: Principal, id: HostId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`
    select 1 from hosts h where h.id = ${id} and h.removed_at is null and ${hostScope(sql, principal)}`
  if (rows.length === 0) return yield* hostNotFound
})

const readOwn = Effect.fnUntraced(function* (owner: "host_id" | "group_id", id: HostId | GroupId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ services: ReadonlyArray<string> }>`
    select to_json(services) as services from service_checks where ${sql.literal(owner)} = ${id}`
  return rows[0]?.services ?? []
})

/** What a host's services are and where they come from. A group that the caller may not see has no id and no name. */
export const readHostServiceChecks = Effect.fnUntraced(function* (principal: Principal, id: HostId) {
  const sql = yield* SqlClient.SqlClient
  yield* mustSeeHost(principal, id)
  const own = yield* readOwn("host_id", id)
  const from_groups = yield* sql<HostServiceChecks["from_groups"][number]>`
    select case when ${groupScope(sql, principal)} then g.id end as group_id,
      case when ${groupScope(sql, principal)} then g.name end as group_name, to_json(c.services) as services
    from host_groups m join service_checks c on c.group_id = m.group_id left join groups g on g.id = m.group_id
    where m.host_id = ${id} order by g.name`
  const effective = (yield* readServiceChecks([id])).get(id) ?? []
  const checks: HostServiceChecks = {
    own,
    from_groups,
    effective,
    decided_by: own.length > 0 ? "host" : effective.length > 0 ? "groups" : "nobody"
  }
  return checks
})

export const readGroupServiceChecks = Effect.fnUntraced(function* (principal: Principal, id: GroupId) {
  yield* mustSeeGroup(principal, id)
  const checks: GroupServiceChecks = { services: yield* readOwn("group_id", id) }
  return checks
})

/** An empty list takes the declaration back. */
const replaceOwn = Effect.fnUntraced(function* (
  caller: Caller,
  owner: "host_id" | "group_id",
  id: HostId | GroupId,
  affected: ReadonlyArray<HostId>,
  names: ReadonlyArray<string>
) {
  const sql = yield* SqlClient.SqlClient
  const before = yield* readOwn(owner, id)
  const services = distinctServices(names)
  yield* sql`delete from service_checks where ${sql.literal(owner)} = ${id}`
  if (services.length > 0) {
    yield* sql`
      insert into service_checks (${sql.literal(owner)}, services) values (${id}, ${services}::text[])`
  }
  yield* refuseTooManyServices(affected)
  yield* announceHosts(affected)
  const object_type = owner === "host_id" ? "host" : "group"
  yield* appendAudit(originOf(caller), {
    action: `${object_type}.service_checks`,
    object_type,
    object_id: id,
    before: { services: before },
    after: { services }
  })
})

export const replaceHostServiceChecks = (caller: Caller, id: HostId, services: ReadonlyArray<string>) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(
      Effect.gen(function* () {
        yield* lockHostPolicy
        yield* mustSeeHost(caller.principal, id)
        yield* replaceOwn(caller, "host_id", id, [id], services)
        return yield* readHostServiceChecks(caller.principal, id)
      })
    )
  )

/** Conflict where a host of the group would have too many services from its groups together. */
export const replaceGroupServiceChecks = (caller: Caller, id: GroupId, services: ReadonlyArray<string>) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(
      Effect.gen(function* () {
        yield* lockHostPolicy
        yield* mustSeeGroup(caller.principal, id)
        yield* replaceOwn(caller, "group_id", id, yield* hostsOfGroup(id), services)
        return yield* readGroupServiceChecks(caller.principal, id)
      })
    )
  )
