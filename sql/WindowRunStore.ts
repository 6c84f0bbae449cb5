/** What became of the openings of windows with automatic apply, and the rows the scheduler and the simulation decide from. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { unstartedJobHostStates } from "#core/JobState.ts"
import type { GroupId, HostId, JobId, WindowId } from "#core/Ids.ts"
import type { Principal } from "#core/User.ts"
import type { MaintenanceWindow, WindowOutcome, WindowRun } from "#core/Window.ts"
import type { QueuedOrder } from "#core/plan/queuedStarts.ts"
import { firingKey, type Unattended } from "#core/window/firings.ts"
import type { PastDuration } from "#core/window/simulate.ts"
import { hostScope } from "./hostScope.ts"
import { numbers } from "./numbers.ts"
import { runColumns, windowColumns } from "./windowColumns.ts"

/** Newest first. The caller has to have seen the window. */
export const readRuns = Effect.fnUntraced(function* (id: WindowId, limit: number) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ run: WindowRun }>`
    select row_to_json(x) as run from (
      select ${sql.literal(runColumns)} where r.window_id = ${id} order by r.opens_at desc limit ${limit}) x`
  return rows.map((row) => row.run)
})

/** All windows that are switched on and whose host is still there. */
export const readEnabledWindows = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ item: MaintenanceWindow }>`
    select row_to_json(t) as item from (
      select ${sql.literal(windowColumns)} from maintenance_windows w left join hosts h on h.id = w.host_id
      where w.enabled and h.removed_at is null order by w.id) t`
  return rows.map((row) => row.item)
})

export interface FleetHost {
  readonly id: HostId
  readonly display_name: string
  readonly group_ids: ReadonlyArray<GroupId>
}

/** Hosts with their groups, by name: those a caller may see, or all of them. Hosts on their way out are left out. */
export const readWindowHosts = Effect.fnUntraced(function* (principal: Principal | null) {
  const sql = yield* SqlClient.SqlClient
  return yield* sql<FleetHost>`
    select h.id, h.display_name,
      coalesce((select json_agg(m.group_id order by m.group_id) from host_groups m where m.host_id = h.id), '[]') as group_ids
    from hosts h
    where h.removed_at is null and h.removal_requested_at is null
      and ${principal === null ? sql`true` : hostScope(sql, principal)}
    order by h.display_name, h.id`
})

/** Openings of the last weeks that something is written down about, by `firingKey`. */
export const readRecorded = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ window_id: WindowId; opens_at: number }>`
    select window_id, (extract(epoch from opens_at) * 1000)::float8 as opens_at
    from window_runs where opens_at > now() - interval '42 days'`
  const recorded: ReadonlySet<string> = new Set(rows.map(firingKey))
  return recorded
})

/**
 * Hosts whose next look is overdue, of jobs that wait for windows. A worker that is there notes at that moment why the host still
 * waits, or starts it: what is noted is when the last worker left off. One that was never looked at is overdue since its job.
 */
export const readUnattended = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  return yield* sql<Unattended>`
    select host_id, (extract(epoch from since) * 1000)::float8 as since, (extract(epoch from until) * 1000)::float8 as until
    from (
      select o.host_id, j.expires_at as until, case o.waits_for->>'code'
        when 'waiting_for_window' then (o.waits_for->>'at')::timestamptz
        when 'window_too_short' then (o.waits_for->>'next_at')::timestamptz
        else case when o.waits_for is null then j.created_at end end as since
      from patch_job_hosts o join patch_jobs j on j.id = o.job_id
      where not o.ended and o.state = any(${unstartedJobHostStates}::text[]) and j.finished_at is null
        and j.run_when->>'kind' = 'next_window' and j.paused_by is null and j.cancel_requested_by is null
        and j.stopped_reason is null
    ) x
    where since is not null`
})

/** Shares of jobs that wait for windows or a time and that nothing but the calendar and other work holds back. */
export const readQueued = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  return yield* sql<QueuedOrder>`
    select j.id as job_id, j.number::int as job_number, o.host_id, o.expected_seconds,
      (extract(epoch from j.expires_at) * 1000)::float8 as expires_at,
      case j.run_when->>'kind'
        when 'at' then json_build_object('kind', 'at', 'at', (extract(epoch from (j.run_when->>'at')::timestamptz) * 1000)::float8)
        else json_build_object('kind', j.run_when->>'kind') end as when
    from patch_job_hosts o join patch_jobs j on j.id = o.job_id
    where not o.ended and o.state = any(${unstartedJobHostStates}::text[]) and j.finished_at is null
      and j.run_when->>'kind' <> 'immediate' and j.paused_by is null and j.cancel_requested_by is null
      and j.stopped_reason is null
    order by j.number, o.host_id`
})

export interface NewRun {
  readonly window_id: WindowId
  readonly opens_at: number
  readonly closes_at: number
  readonly outcome: WindowOutcome
  readonly hosts: number
  readonly note: string
}

/** False where the opening is decided already, the window is gone or was changed, or this worker is not the worker any more. */
export const insertRun = Effect.fnUntraced(function* (epoch: number, version: number, run: NewRun) {
  const sql = yield* SqlClient.SqlClient
  const [opens, closes] = numbers([run.opens_at, run.closes_at])
  const rows = yield* sql`
    insert into window_runs (window_id, opens_at, closes_at, outcome, hosts, note)
    select w.id, to_timestamp(${opens}::text::float8 / 1000), to_timestamp(${closes}::text::float8 / 1000), ${run.outcome},
      ${run.hosts}::int, ${run.note}
    from maintenance_windows w
    where w.id = ${run.window_id} and w.version = ${version}::int and w.enabled
      and exists (select 1 from worker_lease l where l.name = 'worker' and l.epoch = ${epoch}::int)
    on conflict (window_id, opens_at) do nothing returning 1`
  return rows.length > 0
})

/** The job that was made, or why there is none after all. */
export const settleRun = Effect.fnUntraced(function* (
  run: Pick<NewRun, "window_id" | "opens_at" | "outcome" | "hosts" | "note">,
  jobId: JobId | null
) {
  const sql = yield* SqlClient.SqlClient
  const [opens] = numbers([run.opens_at])
  yield* sql`
    update window_runs set outcome = ${run.outcome}, hosts = ${run.hosts}::int, note = ${run.note},
      job_id = nullif(${jobId ?? ""}, '')::uuid
    where window_id = ${run.window_id} and opens_at = to_timestamp(${opens}::text::float8 / 1000)`
})

/** How long patching took on each host in the last half year, from its start to its end. */
export const readPastDurations = Effect.fnUntraced(function* (hostIds: ReadonlyArray<HostId>) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<PastDuration & { readonly host_id: HostId }>`
    select o.host_id,
      (percentile_cont(0.5) within group (order by extract(epoch from o.finished_at - o.started_at)) * 1000)::float8 as median_ms,
      (percentile_cont(0.95) within group (order by extract(epoch from o.finished_at - o.started_at)) * 1000)::float8 as p95_ms
    from patch_job_hosts o join patch_jobs j on j.id = o.job_id
    where o.host_id = any(${hostIds}::uuid[]) and o.state in ('succeeded', 'failed') and o.started_at is not null
      and o.finished_at > now() - interval '180 days' and j.kind in ('patch_apply', 'package_update', 'package_install')
    group by o.host_id`
  const found: ReadonlyMap<HostId, PastDuration> = new Map(rows.map((row) => [row.host_id, row]))
  return found
})
