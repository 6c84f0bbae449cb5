/** Jobs as people make, look at and cancel them. What the worker writes about jobs is elsewhere. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { Conflict, NotFound } from "#core/Errors.ts"
import { type HostId, JobId, OrderId } from "#core/Ids.ts"
import type { JobDetail, JobKind } from "#core/Job.ts"
import { openJobHostStates } from "#core/JobState.ts"
import { newId } from "#core/newId.ts"
import type { RebootPolicy } from "#core/Order.ts"
import type { Selection } from "#core/Package.ts"
import type { Caller, Principal } from "#core/User.ts"
import { jobMachineVersion } from "#machines/jobMachine.ts"
import { jobStateOf, jobStep } from "#machines/jobStep.ts"
import { appendAudit, type AuditEntry, originOf } from "./AuditStore.ts"
import { hostScope } from "./hostScope.ts"
import { insertRequest } from "./HostStore.ts"

/** Also for a job that touches none of the hosts the caller may see. */
export const jobNotFound = new NotFound({
  code: "job_not_found",
  message: "There is no such job among those you can see."
})

/** Columns of a job with its hosts counted as far as the caller may see them, from `patch_jobs j`. */
export const jobItemColumns = `
  j.id, j.number, j.kind, j.state, j.requested_by, j.notes, n.hosts_total, n.counts, j.created_at, j.started_at, j.finished_at`

export const jobSources = (sql: SqlClient.SqlClient, principal: Principal) => sql`
  from patch_jobs j join lateral (
    select coalesce(sum(c.n), 0)::int as hosts_total, coalesce(json_object_agg(c.state, c.n), '{}') as counts
    from (
      select o.state, count(*)::int as n from patch_job_hosts o join hosts h on h.id = o.host_id
      where o.job_id = j.id and ${hostScope(sql, principal)} group by o.state
    ) c
  ) n on n.hosts_total > 0`

export const getJob = Effect.fnUntraced(function* (principal: Principal, id: JobId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ job: JobDetail }>`
    select row_to_json(r) as job from (
      select ${sql.literal(jobItemColumns)}, j.selection, j.reboot, j.reboot_delay_seconds, j.on_busy, j.max_concurrency,
        j.parent_job_id
      ${jobSources(sql, principal)} where j.id = ${id}
    ) r`
  const row = rows[0]
  if (row === undefined) return yield* jobNotFound
  return row.job
})

export interface JobOrder {
  readonly kind: JobKind
  readonly host_ids: ReadonlyArray<HostId>
  readonly selection: Selection
  readonly reboot: RebootPolicy
  readonly reboot_delay_seconds: number
  readonly on_busy: "queue" | "refuse"
  readonly max_concurrency: number
  readonly notes: string
}

/** All hosts have to exist, be in the caller's scope and not be on their way out. */
const checkTargets = Effect.fnUntraced(function* (principal: Principal, order: JobOrder) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ id: HostId; leaving: boolean; busy: boolean }>`
    select h.id, h.removal_requested_at is not null as leaving,
      exists (select 1 from patch_job_hosts o where o.host_id = h.id and not o.ended
        and o.state = any(${openJobHostStates}::text[])) as busy
    from hosts h
    where h.id = any(${order.host_ids}::uuid[]) and h.removed_at is null and ${hostScope(sql, principal)}
    order by h.id for share of h`
  const found = new Set(rows.map((row) => row.id))
  const missing = order.host_ids.filter((id) => !found.has(id))
  if (missing.length > 0) {
    return yield* new NotFound({
      code: "host_not_found",
      message: `${missing.length} of the chosen hosts do not exist among those you can see.`,
      details: { host_ids: missing }
    })
  }
  const leaving = rows.filter((row) => row.leaving).map((row) => row.id)
  if (leaving.length > 0) {
    return yield* new Conflict({
      code: "hosts_leaving",
      message: `${leaving.length} of the chosen hosts are being removed. Leave them out.`,
      details: { host_ids: leaving }
    })
  }
  const busy = rows.filter((row) => row.busy).map((row) => row.id)
  if (order.on_busy === "refuse" && busy.length > 0) {
    return yield* new Conflict({
      code: "hosts_busy",
      message: `${busy.length} of the chosen hosts work on another job. Wait for them, leave them out, or let this job wait.`,
      details: { host_ids: busy }
    })
  }
})

/** The job's machine in its first state, with the deadline by which the worker has to have taken it up. */
const insertFirstSnapshot = Effect.fnUntraced(function* (id: JobId) {
  const sql = yield* SqlClient.SqlClient
  const { snapshot, timers } = yield* Effect.orDie(Effect.fromResult(jobStep.initialStep()))
  const { value, context } = jobStep.persist(snapshot)
  yield* sql`
    insert into job_snapshots (job_id, machine_version, version, state, value, context)
    values (${id}, ${jobMachineVersion}, 0, ${jobStateOf(snapshot)}, ${JSON.stringify(value)}::text::jsonb,
      ${JSON.stringify(context)}::text::jsonb)`
  for (const timer of timers.set) {
    yield* sql`
      insert into job_timers (job_id, id, due_at, armed_version)
      values (${id}, ${timer.id}, now() + ${timer.delay_ms}::float8 * interval '1 millisecond', 0)`
  }
})

/** Rows of a new job and the hints; call inside a transaction, audit after it. */
export const insertJob = Effect.fnUntraced(function* (caller: Caller, order: JobOrder) {
  const sql = yield* SqlClient.SqlClient
  yield* checkTargets(caller.principal, order)
  const id = newId(JobId)
  yield* sql`
    insert into patch_jobs
      (id, kind, selection, reboot, reboot_delay_seconds, on_busy, max_concurrency, notes, requested_by)
    values (${id}, ${order.kind}, ${JSON.stringify(order.selection)}::text::jsonb, ${order.reboot},
      ${order.reboot_delay_seconds}, ${order.on_busy}, ${order.max_concurrency}, ${order.notes},
      ${caller.principal.username})`
  yield* sql`
    insert into patch_job_hosts (id, job_id, host_id)
    select x.id, ${id}::text::uuid, x.host_id
    from unnest(${order.host_ids.map(() => newId(OrderId))}::uuid[], ${order.host_ids}::uuid[]) as x(id, host_id)`
  yield* insertFirstSnapshot(id)
  yield* sql`insert into change_feed (topic, job_id) values ('job', ${id})`
  yield* sql`select pg_notify('worker', ${`job_enqueued ${id}`}), pg_notify('feed', '')`
  const answer = yield* getJob(caller.principal, id)
  const audit: AuditEntry = {
    action: "job.create",
    object_type: "job",
    object_id: id,
    before: null,
    after: { number: answer.number, ...order }
  }
  return { answer, audit }
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
        const dropped = yield* sql<{ host_id: HostId }>`
          update patch_job_hosts set state = 'cancelled', ended = true, finished_at = now()
          where ${mine} and state in ('queued', 'waiting') returning host_id`
        const open = yield* sql<{ id: OrderId; host_id: HostId }>`
          select id, host_id from patch_job_hosts where ${mine} order by host_id`
        for (const row of open) {
          yield* insertRequest(row.host_id, { type: "cancel", order_id: row.id, by: caller.principal.username })
        }
        // Somebody who sees only part of the job cancels that part; the job itself goes on for the rest.
        yield* sql`
          update patch_jobs set cancel_requested_by = ${caller.principal.username}
          where id = ${id} and not exists (
            select 1 from patch_job_hosts where job_id = ${id} and not ended and state in ('queued', 'waiting'))`
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
