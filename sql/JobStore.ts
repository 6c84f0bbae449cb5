/** Jobs as people look at and cancel them. What the worker writes about jobs is elsewhere. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { unstartedJobHostStates } from "#core/JobState.ts"
import { Conflict, NotFound } from "#core/Errors.ts"
import type { HostId, JobId, OrderId } from "#core/Ids.ts"
import type { JobDetail } from "#core/Job.ts"
import type { Caller, Principal } from "#core/User.ts"
import { appendAudit, originOf } from "./AuditStore.ts"
import { hostScope } from "./hostScope.ts"
import { insertRequest } from "./HostStore.ts"

/** Also for a job that touches none of the hosts the caller may see. */
export const jobNotFound = new NotFound({
  code: "job_not_found",
  message: "There is no such job among those you can see."
})

/** Columns of a job with its hosts counted as far as the caller may see them, from `patch_jobs j`. */
export const jobItemColumns = `
  j.id, j.number, j.kind, j.state, j.run_when as "when", j.requested_by, j.notes, n.hosts_total, n.counts, j.parent_job_id,
  j.created_at, j.started_at, j.finished_at`

export const jobSources = (sql: SqlClient.SqlClient, principal: Principal) => sql`
  from patch_jobs j join lateral (
    select coalesce(sum(c.n), 0)::int as hosts_total, coalesce(json_object_agg(c.state, c.n), '{}') as counts
    from (
      select o.state, count(*)::int as n from patch_job_hosts o join hosts h on h.id = o.host_id
      where o.job_id = j.id and ${hostScope(sql, principal)} group by o.state
    ) c
  ) n on n.hosts_total > 0`

/** An operator is not told of a group he is not in: for him those are hosts that somebody chose. */
const target = (sql: SqlClient.SqlClient, principal: Principal) =>
  principal.role === "operator"
    ? sql`case when coalesce(j.target->>'group_id', j.target->'filter'->>'group') <> all (${principal.group_ids}::text[])
        then '{"kind":"hosts"}' else j.target end`
    : sql`j.target`

/** Hosts of each wave as far as the caller may see them; a wave without one has its place too. */
const waves = (sql: SqlClient.SqlClient, principal: Principal) => sql`
  generate_series(1, greatest(jsonb_array_length(j.waves), 1)) w(n) left join (
    select c.wave, sum(c.n)::int as hosts, json_object_agg(c.state, c.n) as counts from (
      select o.wave, o.state, count(*)::int as n from patch_job_hosts o join hosts h on h.id = o.host_id
      where o.job_id = j.id and ${hostScope(sql, principal)} group by o.wave, o.state
    ) c group by c.wave
  ) seen on seen.wave = w.n`

export const getJob = Effect.fnUntraced(function* (principal: Principal, id: JobId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ job: JobDetail }>`
    select row_to_json(r) as job from (
      select ${sql.literal(jobItemColumns)}, ${target(sql, principal)} as target, j.selection, j.packages, j.method, j.reboot,
        j.reboot_delay_seconds, j.on_busy, j.max_concurrency, ${
          principal.role === "operator"
            ? sql`(select json_agg(coalesce(seen.hosts, 0) order by w.n) from ${waves(sql, principal)})`
            : sql`j.waves`
        } as waves,
        job_current_wave(j.id) as current_wave,
        (select json_agg(coalesce(seen.counts, '{}') order by w.n) from ${waves(sql, principal)}) as wave_counts,
        j.max_failed, j.on_change, j.pin_versions, j.pre_check, j.ignore_blackout, j.plan_hash, j.expires_at, j.paused_by,
        j.cancel_requested_by, j.stopped_reason, j.window_id
      ${jobSources(sql, principal)} where j.id = ${id}
    ) r`
  const row = rows[0]
  if (row === undefined) return yield* jobNotFound
  return row.job
})

/** Hosts that wait are cancelled at once; hosts at work are asked to stop as soon as that is safe. */
export const requestCancel = (caller: Caller, id: JobId) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(
      Effect.gen(function* () {
        const job = yield* getJob(caller.principal, id)
        if (job.finished_at !== null) {
          return yield* new Conflict({
            code: "job_finished",
            message: `Job ${job.number} is already ${job.state.replace("_", " ")}: there is nothing left to cancel.`
          })
        }
        const mine = sql`job_id = ${id} and not ended and exists (
          select 1 from hosts h where h.id = host_id and ${hostScope(sql, caller.principal)})`
        const message = `Cancelled by ${caller.principal.username} before anything was sent to the host.`
        const dropped = yield* sql<{ host_id: HostId }>`
          update patch_job_hosts set state = 'cancelled', ended = true, finished_at = now(), waits_for = null,
            outcome = jsonb_build_object('order_id', id, 'verdict', 'cancelled', 'message', ${message}::text, 'ran', false,
              'reboot_pending', false, 'rebooted', false, 'changes', '[]'::jsonb, 'installed', '{}'::jsonb,
              'error_code', null, 'failure', null)
          where ${mine} and state = any(${unstartedJobHostStates}::text[]) returning host_id`
        const open = yield* sql<{ id: OrderId; host_id: HostId }>`
          select id, host_id from patch_job_hosts where ${mine} order by host_id`
        for (const row of open) {
          yield* insertRequest(row.host_id, { type: "cancel", order_id: row.id, by: caller.principal.username })
        }
        // Somebody who sees only part of the job cancels that part; the job itself goes on for the rest.
        yield* sql`
          update patch_jobs set cancel_requested_by = ${caller.principal.username}
          where id = ${id} and job_hosts_in(id, ${unstartedJobHostStates}::text[]) = 0`
        yield* sql`
          insert into change_feed (topic, host_id, job_id)
          select 'job_host', x, ${id}::text::uuid from unnest(${dropped.map((row) => row.host_id)}::uuid[]) x`
        yield* sql`insert into change_feed (topic, job_id) values ('job', ${id})`
        yield* sql`select pg_notify('worker', ${`job_enqueued ${id}`}), pg_notify('feed', '')`
        yield* appendAudit(originOf(caller), {
          action: "job.cancel",
          object_type: "job",
          object_id: id,
          before: { state: job.state },
          after: { hosts_cancelled: dropped.length, hosts_asked_to_stop: open.length }
        })
      })
    )
  )

const pausing = (caller: Caller, id: JobId, pause: boolean) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(
      Effect.gen(function* () {
        yield* sql`select 1 from patch_jobs where id = ${id} for update`
        const now = yield* getJob(caller.principal, id)
        if (now.finished_at !== null) {
          return yield* new Conflict({
            code: "job_finished",
            message: `Job ${now.number} is already ${now.state.replace("_", " ")}.`
          })
        }
        const beyond = yield* sql`
          select 1 where job_hosts_total(${id}) > (
            select count(*) from patch_job_hosts o join hosts h on h.id = o.host_id
            where o.job_id = ${id} and ${hostScope(sql, caller.principal)})`
        if (beyond.length > 0) {
          return yield* new Conflict({
            code: "not_all_in_sight",
            message: `Job ${now.number} has hosts that you cannot see, so it is not yours to ${pause ? "pause" : "resume"}. Cancel your part of it, or ask somebody who sees all of it.`
          })
        }
        if (pause === (now.paused_by !== null)) {
          return yield* new Conflict({
            code: pause ? "job_paused" : "job_not_paused",
            message: pause
              ? `Job ${now.number} was already paused by ${now.paused_by}.`
              : `Job ${now.number} is not paused.`
          })
        }
        yield* sql`update patch_jobs set paused_by = ${pause ? caller.principal.username : null} where id = ${id}`
        yield* sql`insert into change_feed (topic, job_id) values ('job', ${id})`
        yield* sql`select pg_notify('worker', ${`job_enqueued ${id}`}), pg_notify('feed', '')`
        yield* appendAudit(originOf(caller), {
          action: pause ? "job.pause" : "job.resume",
          object_type: "job",
          object_id: id,
          before: { paused_by: now.paused_by },
          after: { paused_by: pause ? caller.principal.username : null }
        })
      })
    )
  )

/** No host is started any more until somebody resumes the job; what runs goes on. */
export const pauseJob = (caller: Caller, id: JobId) => pausing(caller, id, true)

export const resumeJob = (caller: Caller, id: JobId) => pausing(caller, id, false)
