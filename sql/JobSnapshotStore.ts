/** Jobs as the worker needs them: what is to be done, where its machine stands, and the commit of its steps. */
import { Effect, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { HostId, JobId, OrderId } from "#core/Ids.ts"
import { JobCounts, type JobEvent } from "#core/JobEvent.ts"
import type { JobState } from "#core/JobState.ts"
import { Order, RebootPolicy } from "#core/Order.ts"
import { Selection } from "#core/Package.ts"
import { numbers } from "./numbers.ts"

const StoredJob = Schema.Struct({
  id: JobId,
  kind: Order.fields.kind,
  selection: Selection,
  reboot: RebootPolicy,
  reboot_delay_seconds: Schema.Int,
  max_concurrency: Schema.Int,
  requested_by: Schema.String,
  cancel_requested_by: Schema.NullOr(Schema.String),
  machine_version: Schema.Int,
  version: Schema.Int,
  value: Schema.Unknown,
  context: Schema.Unknown,
  timers: Schema.Array(Schema.Struct({ id: Schema.String, armed_version: Schema.Int, remaining_ms: Schema.Number }))
})
export type StoredJob = typeof StoredJob.Type
const decodeJobs = Schema.decodeUnknownEffect(Schema.Array(StoredJob))

const jobQuery = (sql: SqlClient.SqlClient) => sql`
  select j.id, j.kind, j.selection, j.reboot, j.reboot_delay_seconds, j.max_concurrency, j.requested_by,
    j.cancel_requested_by, s.machine_version, s.version::int as version, s.value, s.context,
    coalesce((select jsonb_agg(jsonb_build_object('id', t.id, 'armed_version', t.armed_version,
      'remaining_ms', (extract(epoch from t.due_at - now()) * 1000)::float8))
      from job_timers t where t.job_id = j.id), '[]') as timers
  from patch_jobs j join job_snapshots s on s.job_id = j.id`

/** Jobs that have not ended, oldest first. */
export const readOpenJobs = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  return yield* Effect.orDie(decodeJobs(yield* sql`${jobQuery(sql)} where j.finished_at is null order by j.number`))
})

/** One of them; undefined where it has ended. */
export const readJob = Effect.fnUntraced(function* (id: JobId) {
  const sql = yield* SqlClient.SqlClient
  const jobs = yield* Effect.orDie(
    decodeJobs(yield* sql`${jobQuery(sql)} where j.id = ${id} and j.finished_at is null`)
  )
  return jobs[0]
})

const QueuedOrder = Schema.Struct({
  id: OrderId,
  host_id: HostId,
  /** The host was removed or is parked: nobody will ever take the order. */
  lost: Schema.Boolean
})
export type QueuedOrder = typeof QueuedOrder.Type

const JobLook = Schema.Struct({
  cancel_requested_by: Schema.NullOr(Schema.String),
  counts: JobCounts,
  queued: Schema.Array(QueuedOrder)
})
export type JobLook = typeof JobLook.Type
const decodeLook = Schema.decodeUnknownEffect(JobLook)

/** Where the job's hosts stand, and which of them still wait, both of one moment. */
export const lookAtJob = Effect.fnUntraced(function* (id: JobId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`
    with orders as (select id, host_id, state, ended from patch_job_hosts where job_id = ${id})
    select j.cancel_requested_by, (
      select jsonb_build_object(
        'queued', count(*) filter (where state in ('queued', 'waiting')),
        'open', count(*) filter (where state in ('dispatching', 'running', 'verifying', 'rebooting')),
        'succeeded', count(*) filter (where state = 'succeeded'),
        'failed', count(*) filter (where state = 'failed'),
        'deferred', count(*) filter (where state = 'deferred'),
        'cancelled', count(*) filter (where state = 'cancelled'),
        'uncertain', count(*) filter (where state = 'uncertain'))
      from orders) as counts, (
      select coalesce(jsonb_agg(jsonb_build_object('id', o.id, 'host_id', o.host_id,
        'lost', h.removed_at is not null or s.parked_reason is not null) order by o.id), '[]')
      from orders o join hosts h on h.id = o.host_id join host_snapshots s on s.host_id = o.host_id
      where o.state in ('queued', 'waiting') and not o.ended) as queued
    from patch_jobs j where j.id = ${id}`
  return yield* Effect.orDie(decodeLook(rows[0]))
})

/** Ends queued orders without the host: it was cancelled, or there is no host any more. */
export const endQueuedOrders = Effect.fnUntraced(function* (
  job: JobId,
  orders: ReadonlyArray<OrderId>,
  state: "cancelled" | "failed",
  message: string
) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    with ended as (
      update patch_job_hosts set state = ${state}, ended = true, finished_at = now(),
        outcome = jsonb_build_object('order_id', id, 'verdict', ${state === "failed" ? "unavailable" : "cancelled"}::text,
          'message', ${message}::text, 'ran', false, 'reboot_pending', false, 'rebooted', false, 'changes', '[]'::jsonb,
          'installed', '{}'::jsonb, 'error_code', null, 'failure', null)
      where job_id = ${job} and id = any(${orders}::uuid[]) and state in ('queued', 'waiting') and not ended
      returning host_id
    ),
    fed as (insert into change_feed (topic, host_id, job_id) select 'job_host', host_id, ${job}::text::uuid from ended returning 1)
    select pg_notify('feed', '') where exists (select 1 from fed)`
})

const OpenOrder = Schema.Struct({ id: OrderId, host_id: HostId })
const decodeOpen = Schema.decodeUnknownEffect(Schema.Array(OpenOrder))

export const readOpenOrders = Effect.fnUntraced(function* (id: JobId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`
    select id, host_id from patch_job_hosts
    where job_id = ${id} and not ended and state not in ('queued', 'waiting') order by id`
  return yield* Effect.orDie(decodeOpen(rows))
})

export interface JobCommitRow {
  readonly jobId: JobId
  readonly machineVersion: number
  /** The version this step was computed from; the row gets `was + 1`. */
  readonly was: number
  readonly from: JobState
  readonly to: JobState
  readonly value: unknown
  readonly context: unknown
  readonly event: JobEvent
  readonly ended: boolean
  readonly timersSet: ReadonlyArray<{ readonly id: string; readonly delay_ms: number }>
  readonly timersCancelled: ReadonlyArray<string>
}

/** One statement; false where the epoch or the version has moved on, and then nothing was written. */
export const commitJob = Effect.fnUntraced(function* (epoch: number, row: JobCommitRow) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`
    with cas as (
      update job_snapshots s set machine_version = ${row.machineVersion}, version = s.version + 1, state = ${row.to},
        value = ${JSON.stringify(row.value)}::text::jsonb, context = ${JSON.stringify(row.context)}::text::jsonb,
        updated_at = now()
      from worker_lease l
      where l.name = 'worker' and l.epoch = ${epoch}::float8
        and s.job_id = ${row.jobId} and s.version = ${row.was}::float8 and s.state = ${row.from}
      returning s.job_id, s.version
    ),
    transition as (
      insert into job_transitions (job_id, version, machine_version, event_type, event, from_state, to_state)
      select job_id, version, ${row.machineVersion}, ${row.event.type}, ${JSON.stringify(row.event)}::text::jsonb,
        ${row.from}, ${row.to}
      from cas
    ),
    timers_cancelled as (
      delete from job_timers t using cas where t.job_id = cas.job_id and t.id = any(${row.timersCancelled}::text[])
    ),
    timers_set as (
      insert into job_timers (job_id, id, due_at, armed_version)
      select cas.job_id, x.id, now() + x.delay_ms * interval '1 millisecond', cas.version
      from cas, unnest(${row.timersSet.map((timer) => timer.id)}::text[],
        ${numbers(row.timersSet.map((timer) => timer.delay_ms))}::text[]::float8[]) x(id, delay_ms)
      on conflict (job_id, id) do update set due_at = excluded.due_at, armed_version = excluded.armed_version
    ),
    job as (
      update patch_jobs j set state = ${row.to},
        started_at = case when ${row.to} = 'queued' then j.started_at else coalesce(j.started_at, now()) end,
        finished_at = case when ${row.ended} then coalesce(j.finished_at, now()) end
      from cas where j.id = cas.job_id
    ),
    feed as (insert into change_feed (topic, job_id, version) select 'job', job_id, version from cas)
    select pg_notify('feed', '') from cas`
  return rows.length > 0
})
