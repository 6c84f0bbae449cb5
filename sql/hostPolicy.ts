/** What every change to groups, holds and service checks of hosts has in common. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { Conflict } from "#core/Errors.ts"
import type { GroupId, HostId } from "#core/Ids.ts"
import { MOST_SERVICE_CHECKS } from "#core/ServiceCheck.ts"

/**
 * One change of this kind at a time, until the transaction ends: each is checked against all others (does a host get too
 * many services, which hosts lose their last group), and row locks would not cover rows that are not there yet.
 */
export const lockHostPolicy = Effect.flatMap(
  SqlClient.SqlClient,
  (sql) => sql`select pg_advisory_xact_lock(7202614, 0)`
)

/** Tells whoever looks at these hosts that something about them changed. */
export const announceHosts = Effect.fnUntraced(function* (ids: ReadonlyArray<HostId>) {
  if (ids.length === 0) return
  const sql = yield* SqlClient.SqlClient
  yield* sql`insert into change_feed (topic, host_id) select 'host', x from unnest(${ids}::uuid[]) x order by x`
  yield* sql`select pg_notify('worker', 'policy_changed'), pg_notify('feed', '')`
})

/** Hosts of a group, whoever may see them. */
export const hostsOfGroup = Effect.fnUntraced(function* (id: GroupId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ id: HostId }>`
    select h.id from host_groups m join hosts h on h.id = m.host_id
    where m.group_id = ${id} and h.removed_at is null order by h.id`
  return rows.map((row) => row.id)
})

/** Conflict where the groups of one of these hosts together name too many services. Call it after the change. */
export const refuseTooManyServices = Effect.fnUntraced(function* (ids: ReadonlyArray<HostId>) {
  if (ids.length === 0) return
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ id: HostId; display_name: string; n: number; groups: string }>`
    select h.id, h.display_name, count(distinct s)::int as n, string_agg(distinct g.name, ', ' order by g.name) as groups
    from hosts h join host_groups m on m.host_id = h.id join service_checks c on c.group_id = m.group_id
      left join groups g on g.id = m.group_id cross join unnest(c.services) s
    where h.id = any(${ids}::uuid[]) and not exists (select 1 from service_checks o where o.host_id = h.id)
    group by h.id having count(distinct s) > ${MOST_SERVICE_CHECKS} order by h.display_name, h.id`
  const first = rows[0]
  if (first === undefined) return
  const others = rows.length === 1 ? "" : `, and ${rows.length - 1} other hosts have too many as well`
  return yield* new Conflict({
    code: "too_many_service_checks",
    message:
      `${first.display_name} would have ${first.n} services to check from its groups ${first.groups}${others}. ` +
      `A host has at most ${MOST_SERVICE_CHECKS}: shorten a group's list, or give the host a list of its own.`,
    details: { host_ids: rows.slice(0, 100).map((row) => row.id) }
  })
})
