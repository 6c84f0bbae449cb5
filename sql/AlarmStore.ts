/** Alarms and the incidents they make. Alarms of hosts are raised and cleared by the commit of a host's step. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { HostId } from "#core/Ids.ts"

/** Open alarms of one kind are one incident, however many hosts are in it. */
export interface Incident {
  readonly kind: string
  readonly members: number
  /** The message where it is one alarm, else that of the first. */
  readonly message: string
  readonly since: Date
  readonly latest: Date
}

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

/** What is open now, for the banner: one line for a kind. */
export const readIncidents = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  return yield* sql<Incident>`
    select kind, count(*)::int as members, (array_agg(message order by raised_at, id))[1] as message,
      min(raised_at) as since, max(raised_at) as latest
    from alarms where cleared_at is null group by kind order by min(raised_at)`
})
