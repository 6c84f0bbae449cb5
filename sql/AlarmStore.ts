/** Alarms and the incidents they make. Alarms of hosts are raised and cleared by the commit of a host's step. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { FleetStatus } from "#core/Fleet.ts"
import type { HostId } from "#core/Ids.ts"
import type { Principal } from "#core/User.ts"
import { hostScope } from "./hostScope.ts"

/** Open alarms of one kind are one incident, however many hosts are in it. */
export type Incident = FleetStatus["incidents"][number]

/** Raises an alarm; one of this kind that is open already stays as it is, and one with another message is replaced. True where it is news. */
export const raiseAlarm = Effect.fnUntraced(function* (kind: string, message: string, hostId: HostId | null = null) {
  const sql = yield* SqlClient.SqlClient
  return yield* sql.withTransaction(
    Effect.gen(function* () {
      yield* sql`
        update alarms set cleared_at = now()
        where kind = ${kind} and host_id is not distinct from nullif(${hostId ?? ""}, '')::uuid and cleared_at is null
          and message <> ${message}`
      const made = yield* sql`
        insert into alarms (kind, host_id, message) values (${kind}, nullif(${hostId ?? ""}, '')::uuid, ${message})
        on conflict do nothing returning id`
      return made.length > 0
    })
  )
})

export const clearAlarm = Effect.fnUntraced(function* (kind: string, hostId: HostId | null = null) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    update alarms set cleared_at = now()
    where kind = ${kind} and host_id is not distinct from nullif(${hostId ?? ""}, '')::uuid and cleared_at is null`
})

/** Hosts with an open alarm of this kind, each with its message. */
export const readAlarmed = Effect.fnUntraced(function* (kind: string) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ host_id: HostId; message: string }>`
    select host_id, message from alarms where kind = ${kind} and host_id is not null and cleared_at is null`
  return rows.map((row) => [row.host_id, row.message] as const)
})

/** What is open now, as far as the caller may see it: one line for a kind. */
export const readIncidents = Effect.fnUntraced(function* (principal: Principal) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ incident: Incident }>`
    select json_build_object('kind', a.kind, 'members', count(*), 'message', (array_agg(a.message order by a.raised_at, a.id))[1],
      'host', (array_agg(case when h.id is not null then json_build_object('id', h.id, 'display_name', h.display_name) end
        order by a.raised_at, a.id))[1],
      'since', min(a.raised_at)) as incident
    from alarms a left join hosts h on h.id = a.host_id
    where a.cleared_at is null and (a.host_id is null or (h.removed_at is null and ${hostScope(sql, principal)}))
    group by a.kind order by min(a.raised_at)`
  return rows.map((row) => row.incident)
})
