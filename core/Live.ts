/** The live sockets' messages, in both directions. */
import { Schema } from "effect"
import { HostTransition } from "./Host.ts"
import { HostSummary, LinkState, WorkState } from "./HostState.ts"
import { HostId, JobId, OrderId } from "./Ids.ts"
import { JobHostState, JobState } from "./JobState.ts"
import { JobCounts } from "./Job.ts"
import { Timestamp } from "./Timestamp.ts"

/** First and any later message of the browser; `from_seq` null means from now on. */
export const LiveSubscribe = Schema.Struct({
  subscribe: Schema.Struct({
    from_seq: Schema.NullOr(Schema.Int),
    /** Also the transitions of this host. */
    host_id: Schema.optionalKey(HostId),
    /** Only this job and its hosts, on the jobs socket. */
    job_id: Schema.optionalKey(JobId)
  })
}).annotate({ identifier: "LiveSubscribe" })
export type LiveSubscribe = typeof LiveSubscribe.Type

export const LiveHost = Schema.Struct({
  id: HostId,
  state_version: Schema.Int,
  link: LinkState,
  work: WorkState,
  summary: HostSummary,
  since: Timestamp,
  pending: Schema.NullOr(Schema.Int),
  security: Schema.NullOr(Schema.Int),
  reboot_needed: Schema.NullOr(Schema.Boolean),
  last_seen_at: Schema.NullOr(Timestamp)
})
export type LiveHost = typeof LiveHost.Type

export const LiveJob = Schema.Struct({
  id: JobId,
  number: Schema.Int,
  state: JobState,
  hosts_total: Schema.Int,
  counts: JobCounts,
  started_at: Schema.NullOr(Timestamp),
  finished_at: Schema.NullOr(Timestamp)
})
export type LiveJob = typeof LiveJob.Type

export const LiveJobHost = Schema.Struct({
  order_id: OrderId,
  job_id: JobId,
  host_id: HostId,
  state: JobHostState,
  ended: Schema.Boolean,
  progress_percent: Schema.Int,
  started_at: Schema.NullOr(Timestamp),
  finished_at: Schema.NullOr(Timestamp)
})
export type LiveJobHost = typeof LiveJobHost.Type

/**
 * `seq` never falls; several messages may share one. Resume with the last one seen: what shared it comes again,
 * nothing is missed. `resync` means: too old to resume, read the lists again and go on from its `seq`.
 */
export const LiveMessage = Schema.Union([
  Schema.Struct({ type: Schema.Literal("hello"), seq: Schema.Int }),
  Schema.Struct({ type: Schema.Literal("resync"), seq: Schema.Int }),
  Schema.Struct({ type: Schema.Literal("host"), seq: Schema.Int, host: LiveHost }),
  Schema.Struct({ type: Schema.Literal("host_removed"), seq: Schema.Int, host_id: HostId }),
  Schema.Struct({ type: Schema.Literal("transition"), seq: Schema.Int, transition: HostTransition }),
  Schema.Struct({ type: Schema.Literal("job"), seq: Schema.Int, job: LiveJob }),
  Schema.Struct({ type: Schema.Literal("job_host"), seq: Schema.Int, job_host: LiveJobHost })
]).annotate({ identifier: "LiveMessage" })
export type LiveMessage = typeof LiveMessage.Type
