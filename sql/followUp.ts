/** What a retry or a rollback has to know of the job that it follows. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { AgentJobId, HostId, JobId } from "#core/Ids.ts"
import type { JobHostState } from "#core/JobState.ts"
import type { Change } from "#core/Package.ts"
import type { Principal } from "#core/User.ts"
import { hostScope } from "./hostScope.ts"

export interface FollowedHost {
  readonly host_id: HostId
  readonly host_name: string
  readonly state: JobHostState
  readonly ended: boolean
  /** The agent really began to work on it. */
  readonly ran: boolean
  readonly agent_job_id: AgentJobId | null
  readonly effects: ReadonlyArray<Change> | null
}

/** Its hosts that the caller may see and that are still registered, in the order of the job. */
export const readFollowedHosts = Effect.fnUntraced(function* (principal: Principal, id: JobId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ host: FollowedHost }>`
    select json_build_object('host_id', o.host_id, 'host_name', h.display_name, 'state', o.state, 'ended', o.ended,
      'ran', coalesce((o.outcome->>'ran')::boolean, false), 'agent_job_id', o.agent_job_id, 'effects', e.effects) as host
    from patch_job_hosts o join hosts h on h.id = o.host_id left join order_effects e on e.order_id = o.id
    where o.job_id = ${id} and h.removed_at is null and ${hostScope(sql, principal)} order by o.wave, o.id`
  return rows.map((row) => row.host)
})
