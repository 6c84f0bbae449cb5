/** Whether a worker is alive, from its heartbeat row. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export interface Heartbeat {
  /** The newest heartbeat is younger than 90 s. */
  readonly fresh: boolean
  readonly beat_at: string | null
}

export const readHeartbeat = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ heartbeat: Heartbeat }>`
    select json_build_object('fresh', coalesce(max(beat_at) > now() - interval '90 seconds', false),
      'beat_at', max(beat_at)) as heartbeat
    from worker_heartbeat`
  return rows[0]?.heartbeat ?? { fresh: false, beat_at: null }
})
