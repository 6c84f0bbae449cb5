/** The dashboard's numbers, counted in one statement over the hosts the caller may see. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { FleetStatus } from "#core/Fleet.ts"
import { HostSummary } from "#core/HostState.ts"
import type { Principal } from "#core/User.ts"
import { readIncidents } from "./AlarmStore.ts"
import { complianceClass } from "./complianceClass.ts"
import { readHeartbeat } from "./HeartbeatStore.ts"
import { hostScope } from "./hostScope.ts"

type Counted = Omit<FleetStatus, "by_summary" | "worker" | "attention" | "incidents"> & {
  readonly by_summary: Partial<Record<HostSummary, number>>
  readonly parked: number
}

const everySummary = (found: Partial<Record<HostSummary, number>>): Record<HostSummary, number> => {
  const counts = Object.fromEntries(HostSummary.literals.map((summary) => [summary, found[summary] ?? 0]))
  return counts as Record<HostSummary, number>
}

export const readFleet = Effect.fnUntraced(function* (principal: Principal, securityTargetDays: number) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ fleet: Counted }>`
    with seen as (
      select h.id, s.summary, s.parked_reason, p.pending, p.security, h.reboot_needed,
        ${complianceClass(sql, securityTargetDays)} as class
      from hosts h join host_snapshots s on s.host_id = h.id left join host_patch_data p on p.host_id = h.id
      where h.removed_at is null and ${hostScope(sql, principal)}
    ),
    open_jobs as (
      select j.id, j.state from patch_jobs j where j.finished_at is null
        and exists (select 1 from patch_job_hosts o join seen on seen.id = o.host_id where o.job_id = j.id)
    )
    select json_build_object(
      'as_of', now(), 'hosts_total', count(*),
      'by_summary', (select coalesce(json_object_agg(g.summary, g.n), '{}')
        from (select summary, count(*) as n from seen group by summary) g),
      'pending_patches', coalesce(sum(pending), 0), 'security_patches', coalesce(sum(security), 0),
      'hosts_with_pending', count(*) filter (where pending > 0),
      'hosts_with_security', count(*) filter (where security > 0),
      'hosts_needing_reboot', count(*) filter (where reboot_needed),
      'parked', count(*) filter (where parked_reason is not null),
      'compliance', json_build_object('compliant', count(*) filter (where class = 'compliant'),
        'not_compliant', count(*) filter (where class = 'not_compliant'),
        'unknown', count(*) filter (where class = 'unknown')),
      'jobs', json_build_object('running', (select count(*) from open_jobs where state in ('running', 'paused')),
        'waiting', (select count(*) from open_jobs where state in ('queued', 'waiting')))) as fleet
    from seen`
  const { parked, by_summary: found, ...numbers } = rows[0]!.fleet
  const by_summary = everySummary(found)
  const attention: FleetStatus["attention"] = [
    { kind: "unresolved" as const, hosts: by_summary.unresolved },
    { kind: "failed" as const, hosts: by_summary.failed },
    { kind: "parked" as const, hosts: parked },
    { kind: "unreachable" as const, hosts: by_summary.unreachable },
    { kind: "security" as const, hosts: numbers.hosts_with_security },
    { kind: "degraded" as const, hosts: by_summary.degraded },
    { kind: "reboot_needed" as const, hosts: numbers.hosts_needing_reboot }
  ].filter((entry) => entry.hosts > 0)
  const worker = yield* readHeartbeat
  const incidents = yield* readIncidents(principal)
  const status: FleetStatus = { ...numbers, by_summary, worker, attention, incidents }
  return status
})
