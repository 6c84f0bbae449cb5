/** Jobs as the API shows them. */
import { Schema } from "effect"
import { HostId, JobId, OrderId } from "./Ids.ts"
import { JobHostState, JobState } from "./JobState.ts"
import { Outcome, RebootPolicy } from "./Order.ts"
import { Selection } from "./Package.ts"
import { Timestamp } from "./Timestamp.ts"

export const JobKind = Schema.Literals(["patch_apply", "reboot"])
export type JobKind = typeof JobKind.Type

/** `selection` is needed for patch_apply and has no meaning for reboot. */
export const NewJob = Schema.Struct({
  kind: JobKind,
  host_ids: Schema.Array(HostId).check(Schema.isMinLength(1), Schema.isMaxLength(2500), Schema.isUnique()),
  selection: Schema.optionalKey(Selection),
  reboot: Schema.optionalKey(RebootPolicy),
  reboot_delay_seconds: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 86400 }))),
  /** A host that already works on a job: wait for it, or refuse the whole job. */
  on_busy: Schema.optionalKey(Schema.Literals(["queue", "refuse"])),
  max_concurrency: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 }))),
  notes: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(2000)))
}).annotate({ identifier: "NewJob" })
export type NewJob = typeof NewJob.Type

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
  requested_by: Schema.String,
  notes: Schema.String,
  hosts_total: Schema.Int,
  counts: JobCounts,
  created_at: Timestamp,
  started_at: Schema.NullOr(Timestamp),
  finished_at: Schema.NullOr(Timestamp)
}

export const JobItem = Schema.Struct(item).annotate({ identifier: "JobItem" })
export type JobItem = typeof JobItem.Type

export const JobDetail = Schema.Struct({
  ...item,
  selection: Selection,
  reboot: RebootPolicy,
  reboot_delay_seconds: Schema.Int,
  on_busy: Schema.Literals(["queue", "refuse"]),
  max_concurrency: Schema.Int,
  parent_job_id: Schema.NullOr(JobId)
}).annotate({ identifier: "JobDetail" })
export type JobDetail = typeof JobDetail.Type

/** One host's share of a job. */
export const JobHost = Schema.Struct({
  order_id: OrderId,
  job_id: JobId,
  host_id: HostId,
  host_name: Schema.String,
  state: JobHostState,
  ended: Schema.Boolean,
  progress_percent: Schema.Int,
  /** What came of it, with the changes and the versions read afterwards; null until it ended. */
  outcome: Schema.NullOr(Outcome),
  agent_job_id: Schema.NullOr(Schema.String),
  /** The agent's own log. */
  log: Schema.Array(Schema.String),
  started_at: Schema.NullOr(Timestamp),
  finished_at: Schema.NullOr(Timestamp)
}).annotate({ identifier: "JobHost" })
export type JobHost = typeof JobHost.Type
