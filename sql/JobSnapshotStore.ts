/** Jobs as the worker needs them: what is to be done, where its machine stands, and the commit of its steps. */
import { Effect, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { HostId, JobId, OrderId } from "#core/Ids.ts"
import type { JobRecord } from "#core/JobCommand.ts"
import { JobCounts, type JobEvent } from "#core/JobEvent.ts"
import { type JobState, unstartedJobHostStates } from "#core/JobState.ts"
import { When } from "#core/Dispatch.ts"
import { OnChange, Order, PreCheck, RebootPolicy, RollbackMethod } from "#core/Order.ts"
import { PackageRequest, Selection } from "#core/Package.ts"
import { appendAudit } from "./AuditStore.ts"
import { numbers } from "./numbers.ts"

const StoredJob = Schema.Struct({
  id: JobId,
  number: Schema.Int,
  kind: Order.fields.kind,
  when: When,
  selection: Selection,
  packages: Schema.Array(PackageRequest),
  method: Schema.NullOr(RollbackMethod),
  reboot: RebootPolicy,
  reboot_delay_seconds: Schema.Int,
  on_change: OnChange,
  pin_versions: Schema.Boolean,
  pre_check: PreCheck,
  ignore_blackout: Schema.Boolean,
  max_concurrency: Schema.Int,
  has_waves: Schema.Boolean,
  max_failed: Schema.NullOr(Schema.Int),
  carries_over: Schema.Boolean,
  /** Epoch milliseconds. */
  expires_at: Schema.NullOr(Schema.Number),
  requested_by: Schema.String,
  machine_version: Schema.Int,
  version: Schema.Int,
  value: Schema.Unknown,
  context: Schema.Unknown,
  timers: Schema.Array(Schema.Struct({ id: Schema.String, armed_version: Schema.Int, remaining_ms: Schema.Number }))
})
export type StoredJob = typeof StoredJob.Type
const decodeJobs = Schema.decodeUnknownEffect(Schema.Array(StoredJob))

const jobQuery = (sql: SqlClient.SqlClient) => sql`
  select j.id, j.number::int as number, j.kind, j.run_when as "when", j.selection, j.packages, j.method, j.reboot,
    j.reboot_delay_seconds, j.on_change, j.pin_versions, j.pre_check, j.ignore_blackout, j.max_concurrency,
    jsonb_array_length(j.waves) > 1 as has_waves, j.max_failed, j.carries_over,
    (extract(epoch from j.expires_at) * 1000)::float8 as expires_at, j.requested_by, s.machine_version,
    s.version::int as version, s.value, s.context,
    coalesce((select jsonb_agg(jsonb_build_object('id', t.id, 'armed_version', t.armed_version,
      'remaining_ms', (extract(epoch from t.due_at - now()) * 1000)::float8))
      from job_timers t where t.job_id = j.id), '[]') as timers
  from patch_jobs j join job_snapshots s on s.job_id = j.id`

/** Jobs that have not ended, or of which an ended host moved again; oldest first. */
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

const JobLook = Schema.Struct({
  cancel_requested_by: Schema.NullOr(Schema.String),
  paused_by: Schema.NullOr(Schema.String),
  counts: JobCounts,
  unresolved: Schema.Int,
  unhealthy: Schema.Int,
  /** The first wave with a host that has not ended. */
  wave: Schema.NullOr(Schema.Int)
})
export type JobLook = typeof JobLook.Type
const decodeLook = Schema.decodeUnknownEffect(JobLook)

/** Where the job's hosts stand and what people want of it, all of one moment. */
export const lookAtJob = Effect.fnUntraced(function* (id: JobId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`
    select j.cancel_requested_by, j.paused_by, n.*, case when j.max_failed is null then 0 else (
      select count(*)::int from patch_job_hosts o join host_snapshots s on s.host_id = o.host_id
      where o.job_id = j.id and o.state = 'succeeded' and s.link = 'unreachable') end as unhealthy
    from patch_jobs j, lateral (
      select jsonb_build_object(
        'queued', count(*) filter (where not ended and state = any(${unstartedJobHostStates}::text[])),
        'open', count(*) filter (where state in ('dispatching', 'running', 'verifying', 'rebooting')),
        'succeeded', count(*) filter (where state = 'succeeded'),
        'failed', count(*) filter (where state = 'failed'),
        'deferred', count(*) filter (where ended and state = 'deferred'),
        'cancelled', count(*) filter (where state = 'cancelled'),
        'uncertain', count(*) filter (where state = 'uncertain')) as counts,
        count(*) filter (where state = 'uncertain' and outcome->>'verdict' = 'unresolved')::int as unresolved,
        min(wave) filter (where not ended) as wave
      from patch_job_hosts where job_id = j.id
    ) n
    where j.id = ${id}`
  return yield* Effect.orDie(decodeLook(rows[0]))
})

const OpenOrder = Schema.Struct({ id: OrderId, host_id: HostId })
const decodeOpen = Schema.decodeUnknownEffect(Schema.Array(OpenOrder))

export const readOpenOrders = Effect.fnUntraced(function* (id: JobId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`
    select id, host_id from patch_job_hosts
    where job_id = ${id} and not ended and state <> all(${unstartedJobHostStates}::text[]) order by id`
  return yield* Effect.orDie(decodeOpen(rows))
})

/** Who let the paused job go on. */
export const readResumer = Effect.fnUntraced(function* (id: JobId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ actor_name: string }>`
    select actor_name from audit_log where object_type = 'job' and object_id = ${id} and action = 'job.resume'
    order by seq desc limit 1`
  return rows[0]?.actor_name ?? "the manager"
})

/** For a job that was looked at again and is what it was. */
export const finishAgain = Effect.fnUntraced(function* (id: JobId) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`update patch_jobs set finished_at = now() where id = ${id} and finished_at is null`
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
  readonly records: ReadonlyArray<JobRecord>
}

type Stopped = Extract<JobRecord, { readonly kind: "Stopped" }>

/** One statement; false where the epoch or the version has moved on, and then nothing was written. */
const writeStep = Effect.fnUntraced(function* (epoch: number, row: JobCommitRow, stopped: Stopped | undefined) {
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
        started_at = case when ${row.to} in ('queued', 'waiting', 'paused') then j.started_at else coalesce(j.started_at, now()) end,
        finished_at = case when ${row.ended} then coalesce(j.finished_at, now()) end,
        stopped_reason = coalesce(j.stopped_reason, ${stopped?.reason ?? null}::text)
      from cas where j.id = cas.job_id
    ),
    feed as (insert into change_feed (topic, job_id, version) select 'job', job_id, version from cas)
    select pg_notify('feed', '') from cas`
  return rows.length > 0
})

/** The error limit stopped it: what was decided and on which numbers stands in the audit log, or the step does not stand. */
const auditStop = (row: JobCommitRow, { reason, failed, unresolved, unhealthy, max_failed, not_started }: Stopped) =>
  appendAudit(
    { actor: { kind: "machine", id: "job", name: "error limit" }, request_id: "", source_address: "" },
    {
      action: "job.stop",
      object_type: "job",
      object_id: row.jobId,
      before: { state: row.from },
      after: { reason, failed, unresolved, unhealthy, max_failed, not_started }
    }
  )

/** All or nothing; false where the epoch or the version has moved on. */
export const commitJob = Effect.fnUntraced(function* (epoch: number, row: JobCommitRow) {
  const sql = yield* SqlClient.SqlClient
  const stopped = row.records.find((record) => record.kind === "Stopped")
  if (stopped === undefined) return yield* writeStep(epoch, row, undefined)
  return yield* sql.withTransaction(
    Effect.gen(function* () {
      const written = yield* writeStep(epoch, row, stopped)
      if (written) yield* auditStop(row, stopped)
      return written
    })
  )
})
