/** Everything that can happen to a job. `at` is database time in epoch milliseconds. */
import { Schema } from "effect"
import { Deadline } from "./HostEvent.ts"

const at = Schema.Number

/** The job's hosts by where they stand, counted anew from their rows each time, so that a repeated count changes nothing. */
export const JobCounts = Schema.Struct({
  queued: Schema.Int,
  /** Dispatching, running, verifying or rebooting. */
  open: Schema.Int,
  succeeded: Schema.Int,
  failed: Schema.Int,
  deferred: Schema.Int,
  cancelled: Schema.Int,
  uncertain: Schema.Int
})
export type JobCounts = typeof JobCounts.Type

export const JobFact = Schema.Union([
  Schema.Struct({ type: Schema.Literal("start"), at, by: Schema.String }),
  Schema.Struct({ type: Schema.Literal("counts"), at, counts: JobCounts }),
  Schema.Struct({ type: Schema.Literal("cancel"), at, by: Schema.String }),
  Schema.Struct({ type: Schema.Literal("resumed"), at })
])
export type JobFact = typeof JobFact.Type

export const JobEvent = Schema.Union([JobFact, Deadline])
export type JobEvent = typeof JobEvent.Type
