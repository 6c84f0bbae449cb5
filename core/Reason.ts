/** Why a host, or one package on it, is not patched: one answer each. */
import { Schema } from "effect"
import { HostId, JobId } from "./Ids.ts"
import { Timestamp } from "./Timestamp.ts"

export const ReasonCode = Schema.Literals([
  /** Nothing is pending. */
  "up_to_date",
  /** The patch list was never read, or it is older than the last run. */
  "unknown",
  /** A job is at work on it. */
  "in_progress",
  /** Nothing stands in the way: the dispatcher starts it at its next look. */
  "starting",
  /** The clocks of database and worker differ too much. */
  "clock_skew",
  "waiting_for_window",
  "window_too_short",
  "scheduled",
  "blackout",
  "no_window",
  "blocked_by_job",
  "concurrency_limit",
  "wave_not_reached",
  "paused",
  "error_limit",
  "needs_decision",
  "held",
  "kept_back",
  "unreachable",
  "failed",
  "plan_changed",
  "deferred",
  "cancelled",
  "not_ordered",
  "leaving",
  "parked"
]).annotate({ identifier: "ReasonCode" })
export type ReasonCode = typeof ReasonCode.Type

export const Reason = Schema.Struct({
  code: ReasonCode,
  /** One sentence, and what to do where something is to be done. */
  message: Schema.String,
  /** When it will be another answer, as far as can be said now: the window opens, the hold ends. */
  until: Schema.NullOr(Timestamp),
  /** Since when, for what has happened: the agent went away, the run failed. */
  since: Schema.NullOr(Timestamp),
  job: Schema.NullOr(Schema.Struct({ id: JobId, number: Schema.Int })),
  window_ids: Schema.Array(Schema.String),
  hold_id: Schema.NullOr(Schema.String)
}).annotate({ identifier: "Reason" })
export type Reason = typeof Reason.Type

export const PackageReason = Schema.Struct({
  name: Schema.String,
  current_version: Schema.NullOr(Schema.String),
  available_version: Schema.NullOr(Schema.String),
  security: Schema.Boolean,
  reason: Reason
}).annotate({ identifier: "PackageReason" })
export type PackageReason = typeof PackageReason.Type

/** Packages are those that are pending. */
export const HostReasons = Schema.Struct({
  host_id: HostId,
  as_of: Timestamp,
  /** When the patch list was read; null before the first time. */
  read_at: Schema.NullOr(Timestamp),
  host: Reason,
  packages: Schema.Array(PackageReason)
}).annotate({ identifier: "HostReasons" })
export type HostReasons = typeof HostReasons.Type
