/** Whether a worker is alive, from the heartbeat rows. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { FleetStatus } from "#core/Fleet.ts"

export type Heartbeat = FleetStatus["worker"]

/** A beat from the future is one from before the database's clock was set back. */
const fresh = (sql: SqlClient.SqlClient) => sql`abs(extract(epoch from now() - beat_at)) < 90`

/** How far the database's clock is ahead of the active worker's, in milliseconds; 0 where no worker is there to say. */
export const readClockSkew = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ skew: number }>`
    select clock_skew_ms::float8 as skew from worker_heartbeat
    where role = 'active' and ${fresh(sql)} order by beat_at desc limit 1`
  return rows[0]?.skew ?? 0
})

/** Whether this process' own role may do everything. */
export const ownsLog = "pg_has_role((select relowner from pg_class where oid = 'audit_log'::regclass), 'member')"

export const readHeartbeat = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ heartbeat: Heartbeat }>`
    with lively as (
      select worker_id as id, role, beat_at, clock_skew_ms, database_roles, ${fresh(sql)} as fresh
      from worker_heartbeat
    )
    select json_build_object('fresh', coalesce(bool_or(fresh) filter (where role = 'active'), false),
      'beat_at', max(beat_at) filter (where role = 'active'),
      'clock_skew_seconds', coalesce((array_agg(round(clock_skew_ms / 1000.0) order by beat_at desc)
        filter (where role = 'active' and fresh))[1], 0),
      'database_roles', case when ${sql.literal(ownsLog)} or coalesce(bool_or(database_roles = 'single') filter (where fresh), false)
        then 'single' else 'separate' end,
      'workers', coalesce(json_agg(json_build_object('id', id, 'role', role) order by role, id) filter (where fresh), '[]'))
      as heartbeat
    from lively`
  const none: Heartbeat = { fresh: false, beat_at: null, clock_skew_seconds: 0, database_roles: "single", workers: [] }
  return rows[0]?.heartbeat ?? none
})
