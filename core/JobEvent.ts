/** Everything that can happen to a job. `at` is database time in epoch milliseconds. */
import { Effect, Schema } from "effect"
import { Deadline } from "./HostEvent.ts"

const at = Schema.Number

/** The job's hosts by where they stand, counted anew from their rows each time, so that a repeated count changes nothing. */
export const JobCounts = Schema.Struct({
  /** Not started: queued, waiting, or deferred to the next window. */
  queued: Schema.Int,
  /** Dispatching, running, verifying or rebooting. */
  open: Schema.Int,
  succeeded: Schema.Int,
  failed: Schema.Int,
  /** Ended without having started. */
  deferred: Schema.Int,
  cancelled: Schema.Int,
  uncertain: Schema.Int
})
export type JobCounts = typeof JobCounts.Type

const absent = <S extends Schema.Top & { readonly Encoded: unknown }>(schema: S, value: S["Encoded"]) =>
  schema.pipe(Schema.withDecodingDefaultKey(Effect.succeed(value)))

/** What a look at the job's rows found. Keys with a default were not part of it in machine version 1. */
export const JobCounted = Schema.Struct({
  type: Schema.Literal("counts"),
  at,
  counts: JobCounts,
  /** Of the uncertain ones, those that wait for a person's decision. */
  unresolved: absent(Schema.Int, 0),
  /** Of the succeeded ones, those that cannot be reached now. */
  unhealthy: absent(Schema.Int, 0),
  /** More than so many failed, unresolved and unhealthy hosts stop the job; null for no limit. */
  max_failed: absent(Schema.NullOr(Schema.Int), null),
  /** The first wave with a host that has not ended; null after the last. */
  wave: absent(Schema.NullOr(Schema.Int), null),
  /** Hosts that may start now; null where that was not looked at. */
  startable: absent(Schema.NullOr(Schema.Int), null),
  /** When another host may start without anything else happening; null for never, or unknown. */
  next_at: absent(Schema.NullOr(Schema.Number), null)
})
export type JobCounted = typeof JobCounted.Type

export const JobFact = Schema.Union([
  Schema.Struct({ type: Schema.Literal("start"), at, by: Schema.String }),
  JobCounted,
  Schema.Struct({ type: Schema.Literal("pause"), at, by: Schema.String }),
  Schema.Struct({ type: Schema.Literal("resume"), at, by: Schema.String }),
  Schema.Struct({ type: Schema.Literal("cancel"), at, by: Schema.String }),
  Schema.Struct({ type: Schema.Literal("resumed"), at })
])
export type JobFact = typeof JobFact.Type

export const JobEvent = Schema.Union([JobFact, Deadline])
export type JobEvent = typeof JobEvent.Type
