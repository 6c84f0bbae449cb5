/** Whether a worker is alive, from the heartbeat rows. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { FleetStatus } from "#core/Fleet.ts"

export type Heartbeat = FleetStatus["worker"]

export const readHeartbeat = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ heartbeat: Heartbeat }>`
    with lively as (
      select worker_id as id, role, beat_at, beat_at > now() - interval '90 seconds' as fresh from worker_heartbeat
    )
    select json_build_object('fresh', coalesce(bool_or(fresh) filter (where role = 'active'), false),
      'beat_at', max(beat_at) filter (where role = 'active'),
      'workers', coalesce(json_agg(json_build_object('id', id, 'role', role) order by role, id) filter (where fresh), '[]'))
      as heartbeat
    from lively`
  return rows[0]?.heartbeat ?? { fresh: false, beat_at: null, workers: [] }
})
