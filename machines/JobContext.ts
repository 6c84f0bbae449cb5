/** What a job's machine remembers beside its state. */
import { Effect, Schema } from "effect"
import { JobCounts } from "#core/JobEvent.ts"

const absent = <S extends Schema.Top & { readonly Encoded: unknown }>(schema: S, value: S["Encoded"]) =>
  schema.pipe(Schema.withDecodingDefaultKey(Effect.succeed(value)))

/** Keys with a default are new in version 2. */
export const JobContext = Schema.Struct({
  seq: Schema.Int,
  started_at: Schema.NullOr(Schema.Number),
  counts: JobCounts,
  unresolved: absent(Schema.Int, 0),
  unhealthy: absent(Schema.Int, 0),
  /** The furthest wave that was reached. */
  wave: absent(Schema.Int, 1),
  /** When another host may start; null for never, or as soon as something else happens. */
  next_at: absent(Schema.NullOr(Schema.Number), null),
  /** Why nothing more is started. */
  stopped: absent(Schema.NullOr(Schema.String), null),
  paused_by: absent(Schema.NullOr(Schema.String), null),
  cancel_asked: Schema.NullOr(Schema.String),
  /** When it came into its state or last raised an alarm about staying there. */
  since: absent(Schema.NullOr(Schema.Number), null)
})
export type JobContext = typeof JobContext.Type

export const initialJobContext: JobContext = {
  seq: 0,
  started_at: null,
  counts: { queued: 0, open: 0, succeeded: 0, failed: 0, deferred: 0, cancelled: 0, uncertain: 0 },
  unresolved: 0,
  unhealthy: 0,
  wave: 1,
  next_at: null,
  stopped: null,
  paused_by: null,
  cancel_asked: null,
  since: null
}
