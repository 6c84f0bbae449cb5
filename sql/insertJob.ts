/** Makes a job: its row, its hosts' rows, its machine's first state and the hints. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { When } from "#core/Dispatch.ts"
import { Conflict, NotFound } from "#core/Errors.ts"
import type { HostFilter } from "#core/HostFilter.ts"
import { type HostId, JobId, OrderId } from "#core/Ids.ts"
import { openJobHostStates } from "#core/JobState.ts"
import { newId } from "#core/newId.ts"
import {
  defaultPreCheck,
  type JobKind,
  type OnChange,
  type PreCheck,
  type RebootPolicy,
  type RollbackMethod
} from "#core/Order.ts"
import type { Change, PackageRequest, Selection } from "#core/Package.ts"
import type { PlannedHost } from "#core/Plan.ts"
import type { Caller, Principal } from "#core/User.ts"
import { jobMachineVersion } from "#machines/jobMachine.ts"
import { jobStateOf, jobStep } from "#machines/jobStep.ts"
import type { AuditEntry } from "./AuditStore.ts"
import { hostScope } from "./hostScope.ts"
import { getJob } from "./JobStore.ts"
import { numbers } from "./numbers.ts"

/** One host's share, as planned. */
export interface JobTarget {
  readonly host_id: HostId
  readonly wave: number
  readonly planned: ReadonlyArray<Change> | null
  readonly foretold: PlannedHost | null
  readonly expected_seconds: number
  readonly parent_order_id: OrderId | null
  readonly undone_agent_job_id: string | null
}

/** A job with everything decided. */
export interface JobOrder {
  readonly kind: JobKind
  readonly target:
    | { readonly kind: "hosts" }
    | { readonly kind: "group"; readonly group_id: string; readonly name: string }
    | { readonly kind: "filter"; readonly filter: HostFilter }
  readonly when: When
  readonly selection: Selection
  readonly packages: ReadonlyArray<PackageRequest>
  readonly method: RollbackMethod | null
  readonly reboot: RebootPolicy
  readonly reboot_delay_seconds: number
  readonly on_busy: "queue" | "refuse"
  readonly max_concurrency: number
  readonly waves: ReadonlyArray<number>
  readonly max_failed: number | null
  readonly on_change: OnChange
  readonly pin_versions: boolean
  readonly pre_check: PreCheck
  readonly ignore_blackout: boolean
  readonly plan_hash: string | null
  readonly carries_over: boolean
  /** RFC 3339. */
  readonly expires_at: string | null
  readonly window: { readonly id: string; readonly opens_at: string } | null
  readonly parent_job_id: JobId | null
  readonly notes: string
  readonly hosts: ReadonlyArray<JobTarget>
}

/** An immediate job without a plan for these hosts, where nothing else is said. */
export const makeJobOrder = ({
  host_ids = [],
  ...order
}: Partial<JobOrder> & Pick<JobOrder, "kind"> & { readonly host_ids?: ReadonlyArray<HostId> }): JobOrder => ({
  target: { kind: "hosts" },
  when: { kind: "immediate" },
  selection: { kind: "all" },
  packages: [],
  method: null,
  reboot: "never",
  reboot_delay_seconds: 0,
  on_busy: "queue",
  max_concurrency: 32,
  waves: [],
  max_failed: null,
  on_change: "take",
  pin_versions: false,
  pre_check: defaultPreCheck,
  ignore_blackout: false,
  plan_hash: null,
  carries_over: false,
  expires_at: null,
  window: null,
  parent_job_id: null,
  notes: "",
  hosts: host_ids.map((host_id) => ({
    host_id,
    wave: 1,
    planned: null,
    foretold: null,
    expected_seconds: 0,
    parent_order_id: null,
    undone_agent_job_id: null
  })),
  ...order
})

interface Busy {
  readonly job_number: number
  readonly kind: JobKind
  readonly requested_by: string
}

const hostsBusy = (busy: ReadonlyArray<{ readonly id: HostId; readonly busy: Busy }>) => {
  const jobs = [...new Map(busy.map((row) => [row.busy.job_number, row.busy])).values()]
  const shown = jobs.slice(0, 3).map((job) => `job ${job.job_number} (${job.kind}, by ${job.requested_by})`)
  const more = jobs.length > shown.length ? ` and ${jobs.length - shown.length} more` : ""
  return new Conflict({
    code: "hosts_busy",
    message: `${busy.length} of the chosen hosts work on another job: ${shown.join(", ")}${more}. Wait for them, leave them out, or let this job wait.`,
    details: { host_ids: busy.map((row) => row.id), jobs: jobs.slice(0, 20) }
  })
}

/** All hosts have to exist, be in the caller's scope and not be on their way out. */
const checkTargets = Effect.fnUntraced(function* (principal: Principal, order: JobOrder) {
  const sql = yield* SqlClient.SqlClient
  const ids = order.hosts.map((host) => host.host_id)
  // Of two people who want a host for themselves at the same moment, the second waits here and sees the first one's job.
  const lock = order.on_busy === "refuse" ? sql`for no key update of h` : sql`for share of h`
  yield* sql`
    select h.id from hosts h
    where h.id = any(${ids}::uuid[]) and h.removed_at is null and ${hostScope(sql, principal)} order by h.id ${lock}`
  const rows = yield* sql<{ id: HostId; leaving: boolean; busy: Busy | null }>`
    select h.id, h.removal_requested_at is not null as leaving,
      (select json_build_object('job_number', j.number, 'kind', j.kind, 'requested_by', j.requested_by)
        from patch_job_hosts o join patch_jobs j on j.id = o.job_id
        where o.host_id = h.id and not o.ended and (o.state = any(${openJobHostStates}::text[])
          or (o.state = 'queued' and o.waits_for is null and j.run_when->>'kind' = 'immediate'))
        order by j.number limit 1) as busy
    from hosts h
    where h.id = any(${ids}::uuid[]) and h.removed_at is null and ${hostScope(sql, principal)}
    order by h.id`
  const found = new Set(rows.map((row) => row.id))
  const missing = ids.filter((id) => !found.has(id))
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
  const busy = rows.flatMap((row) => (row.busy === null ? [] : [{ id: row.id, busy: row.busy }]))
  if (order.on_busy === "refuse" && busy.length > 0) return yield* hostsBusy(busy)
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

const text = (value: unknown): string => (value === null ? "" : JSON.stringify(value))

/** The rows alone, in the name of a person or a policy; call inside a transaction, audit after it. */
export const insertJobRows = Effect.fnUntraced(function* (requestedBy: string, order: JobOrder) {
  const sql = yield* SqlClient.SqlClient
  const id = newId(JobId)
  const { hosts } = order
  yield* sql`
    insert into patch_jobs
      (id, kind, target, run_when, selection, packages, method, reboot, reboot_delay_seconds, on_busy, max_concurrency,
        waves, max_failed, on_change, pin_versions, pre_check, ignore_blackout, plan_hash, carries_over, expires_at,
        window_id, window_opens_at, parent_job_id, notes, requested_by)
    values (${id}, ${order.kind}, ${JSON.stringify(order.target)}::text::jsonb, ${JSON.stringify(order.when)}::text::jsonb,
      ${JSON.stringify(order.selection)}::text::jsonb, ${JSON.stringify(order.packages)}::text::jsonb, ${order.method},
      ${order.reboot}, ${order.reboot_delay_seconds}, ${order.on_busy}, ${order.max_concurrency},
      ${JSON.stringify(order.waves)}::text::jsonb, ${order.max_failed}, ${order.on_change}, ${order.pin_versions},
      ${JSON.stringify(order.pre_check)}::text::jsonb, ${order.ignore_blackout}, ${order.plan_hash},
      ${order.carries_over}, ${order.expires_at}::text::timestamptz, ${order.window?.id ?? null}::text::uuid,
      ${order.window?.opens_at ?? null}::text::timestamptz, ${order.parent_job_id}::text::uuid, ${order.notes}, ${requestedBy})`
  yield* sql`
    insert into patch_job_hosts
      (id, job_id, host_id, wave, planned, foretold, expected_seconds, parent_order_id, undone_agent_job_id)
    select x.id, ${id}::text::uuid, x.host_id, x.wave, nullif(x.planned, '')::jsonb, nullif(x.foretold, '')::jsonb,
      x.expected_seconds, nullif(x.parent_order_id, '')::uuid, nullif(x.undone_agent_job_id, '')
    from unnest(${hosts.map(() => newId(OrderId))}::uuid[], ${hosts.map((host) => host.host_id)}::uuid[],
      ${numbers(hosts.map((host) => host.wave))}::text[]::int[], ${hosts.map((host) => text(host.planned))}::text[],
      ${hosts.map((host) => text(host.foretold))}::text[],
      ${numbers(hosts.map((host) => Math.ceil(host.expected_seconds)))}::text[]::int[],
      ${hosts.map((host) => host.parent_order_id ?? "")}::text[],
      ${hosts.map((host) => host.undone_agent_job_id ?? "")}::text[])
      as x(id, host_id, wave, planned, foretold, expected_seconds, parent_order_id, undone_agent_job_id)`
  yield* insertFirstSnapshot(id)
  yield* sql`insert into change_feed (topic, job_id) values ('job', ${id})`
  yield* sql`select pg_notify('worker', ${`job_enqueued ${id}`}), pg_notify('feed', '')`
  return id
})

/** A person's job: its hosts are checked against what the person may see. Call inside a transaction, audit after it. */
export const insertJob = Effect.fnUntraced(function* (caller: Caller, order: JobOrder) {
  yield* checkTargets(caller.principal, order)
  const id = yield* insertJobRows(caller.principal.username, order)
  const answer = yield* getJob(caller.principal, id)
  const { hosts, ...rest } = order
  const audit: AuditEntry = {
    action: "job.create",
    object_type: "job",
    object_id: id,
    before: null,
    after: { number: answer.number, ...rest, host_ids: hosts.map((host) => host.host_id) }
  }
  return { answer, audit }
})
