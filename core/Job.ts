/** Jobs as the API takes and shows them. */
import { Schema } from "effect"
import { WaitReason, When } from "./Dispatch.ts"
import { HostFilter } from "./HostFilter.ts"
import { GroupId, HostId, JobId, OrderId } from "./Ids.ts"
import { JobHostState, JobState } from "./JobState.ts"
import { JobKind, OnChange, Outcome, PreCheck, RebootPolicy, RollbackMethod } from "./Order.ts"
import { Change, PackageRequest, Selection } from "./Package.ts"
import { PlannedHost, UndoAnswer } from "./Plan.ts"
import { Timestamp } from "./Timestamp.ts"

const count = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** The first waves by number or by percent of all hosts, rounded up; what is left is the last wave. */
export const Wave = Schema.Union([
  Schema.Struct({ hosts: count(1, 10_000) }),
  Schema.Struct({ percent: count(1, 100) })
]).annotate({ identifier: "Wave" })
export type Wave = typeof Wave.Type

/** The job stops when more hosts than this fail or turn unhealthy. */
export const ErrorLimit = Schema.Union([
  Schema.Struct({ hosts: count(0, 10_000) }),
  Schema.Struct({ percent: count(0, 100) })
]).annotate({ identifier: "ErrorLimit" })
export type ErrorLimit = typeof ErrorLimit.Type

const options = {
  when: Schema.optionalKey(When),
  reboot: Schema.optionalKey(RebootPolicy),
  reboot_delay_seconds: Schema.optionalKey(count(0, 86_400)),
  /** A host that already works on a job: wait for it, or refuse the whole job. */
  on_busy: Schema.optionalKey(Schema.Literals(["queue", "refuse"])),
  max_concurrency: Schema.optionalKey(count(1, 1000)),
  waves: Schema.optionalKey(Schema.Array(Wave).check(Schema.isMaxLength(20))),
  error_limit: Schema.optionalKey(ErrorLimit),
  on_change: Schema.optionalKey(OnChange),
  pin_versions: Schema.optionalKey(Schema.Boolean),
  pre_check: Schema.optionalKey(PreCheck),
  /** For an immediate job alone: runs although a blackout is on. */
  ignore_blackout: Schema.optionalKey(Schema.Boolean),
  notes: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(2000))),
  /** The plan that was looked at; another plan than that one is refused. */
  plan_hash: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^[0-9a-f]{64}$/, { expected: "a plan's hash" })))
}

/**
 * Exactly one of `host_ids`, `group_id` and `filter`. `selection` is needed for patch_apply, `packages` for package_install,
 * and exactly one package for package_update and package_remove. Rollbacks are made from the job that they undo.
 */
export const NewJob = Schema.Struct({
  kind: Schema.Literals(["patch_apply", "package_install", "package_update", "package_remove", "reboot"]),
  host_ids: Schema.optionalKey(
    Schema.Array(HostId).check(Schema.isMinLength(1), Schema.isMaxLength(10_000), Schema.isUnique())
  ),
  group_id: Schema.optionalKey(GroupId),
  filter: Schema.optionalKey(HostFilter),
  /** As many hosts as somebody saw when choosing; another number is refused. */
  expected_hosts: Schema.optionalKey(count(1, 10_000)),
  selection: Schema.optionalKey(Selection),
  packages: Schema.optionalKey(Schema.Array(PackageRequest).check(Schema.isMinLength(1), Schema.isMaxLength(100))),
  ...options
}).annotate({ identifier: "NewJob" })
export type NewJob = typeof NewJob.Type

/** Undoes what a job did; without `host_ids` on every host on which it ran. */
export const NewRollback = Schema.Struct({
  method: RollbackMethod,
  host_ids: Schema.optionalKey(Schema.Array(HostId).check(Schema.isMinLength(1), Schema.isUnique())),
  ...options
}).annotate({ identifier: "NewRollback" })
export type NewRollback = typeof NewRollback.Type

/** A new job like this one, for those of its hosts that ended so. */
export const NewRetry = Schema.Struct({
  states: Schema.Array(Schema.Literals(["failed", "deferred", "cancelled"])).check(
    Schema.isMinLength(1),
    Schema.isUnique()
  ),
  when: Schema.optionalKey(When)
}).annotate({ identifier: "NewRetry" })
export type NewRetry = typeof NewRetry.Type

/** How many of the job's hosts are in each state; states without a host are left out. */
export const JobCounts = Schema.Record(JobHostState, Schema.optionalKey(Schema.Int)).annotate({
  identifier: "JobCounts"
})
export type JobCounts = typeof JobCounts.Type

const item = {
  id: JobId,
  /** The short number people say. */
  number: Schema.Int,
  kind: JobKind,
  state: JobState,
  when: When,
  requested_by: Schema.String,
  notes: Schema.String,
  hosts_total: Schema.Int,
  counts: JobCounts,
  parent_job_id: Schema.NullOr(JobId),
  created_at: Timestamp,
  started_at: Schema.NullOr(Timestamp),
  finished_at: Schema.NullOr(Timestamp)
}

export const JobItem = Schema.Struct(item).annotate({ identifier: "JobItem" })
export type JobItem = typeof JobItem.Type

export const JobDetail = Schema.Struct({
  ...item,
  /** `hosts` also for an operator who is not in the group that was meant. */
  target: Schema.Union([
    Schema.Struct({ kind: Schema.Literal("hosts") }),
    Schema.Struct({ kind: Schema.Literal("group"), group_id: Schema.String, name: Schema.String }),
    Schema.Struct({ kind: Schema.Literal("filter"), filter: HostFilter })
  ]),
  selection: Selection,
  packages: Schema.Array(PackageRequest),
  method: Schema.NullOr(RollbackMethod),
  reboot: RebootPolicy,
  reboot_delay_seconds: Schema.Int,
  on_busy: Schema.Literals(["queue", "refuse"]),
  max_concurrency: Schema.Int,
  /** Hosts in each wave, as far as the caller may see them; one number is no waves. */
  waves: Schema.Array(Schema.Int),
  /** The first wave with a host that has not ended; null after the last. */
  current_wave: Schema.NullOr(Schema.Int),
  /** Of each wave, how many of its hosts are in each state. */
  wave_counts: Schema.Array(JobCounts),
  max_failed: Schema.NullOr(Schema.Int),
  on_change: OnChange,
  pin_versions: Schema.Boolean,
  pre_check: PreCheck,
  ignore_blackout: Schema.Boolean,
  plan_hash: Schema.NullOr(Schema.String),
  expires_at: Schema.NullOr(Timestamp),
  paused_by: Schema.NullOr(Schema.String),
  cancel_requested_by: Schema.NullOr(Schema.String),
  stopped_reason: Schema.NullOr(Schema.String),
  window_id: Schema.NullOr(Schema.String)
}).annotate({ identifier: "JobDetail" })
export type JobDetail = typeof JobDetail.Type

/** One host's share of a job. */
export const JobHost = Schema.Struct({
  order_id: OrderId,
  job_id: JobId,
  host_id: HostId,
  host_name: Schema.String,
  wave: Schema.Int,
  state: JobHostState,
  ended: Schema.Boolean,
  progress_percent: Schema.Int,
  /** What the plan said when the job was made; null for jobs from before plans. */
  foretold: Schema.NullOr(PlannedHost),
  /** Why it has not started, as the dispatcher last saw it; null once it has. */
  waits_for: Schema.NullOr(WaitReason),
  /** How often a window closed before it could start. */
  deferrals: Schema.Int,
  /** What came of it, with the changes and the versions read afterwards; null until it ended. */
  outcome: Schema.NullOr(Outcome),
  /** Every package whose version the run changed, dependencies included; null before the first reading. */
  effects: Schema.NullOr(Schema.Array(Change)),
  /** Whether that can be undone by installing the versions from before, as things are now; null until the effects were read. */
  undo: Schema.NullOr(UndoAnswer),
  agent_job_id: Schema.NullOr(Schema.String),
  /** The agent's own log. */
  log: Schema.Array(Schema.String),
  started_at: Schema.NullOr(Timestamp),
  finished_at: Schema.NullOr(Timestamp)
}).annotate({ identifier: "JobHost" })
export type JobHost = typeof JobHost.Type
