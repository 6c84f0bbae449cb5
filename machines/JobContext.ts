/** What a job's machine remembers beside its state. */
import { Schema } from "effect"
import { JobCounts } from "#core/JobEvent.ts"

export const JobContext = Schema.Struct({
  seq: Schema.Int,
  started_at: Schema.NullOr(Schema.Number),
  counts: JobCounts,
  cancel_asked: Schema.NullOr(Schema.String),
  /** The alarm for a job that does not end has been raised. */
  overdue: Schema.Boolean
})
export type JobContext = typeof JobContext.Type

export const initialJobContext: JobContext = {
  seq: 0,
  started_at: null,
  counts: { queued: 0, open: 0, succeeded: 0, failed: 0, deferred: 0, cancelled: 0, uncertain: 0 },
  cancel_asked: null,
  overdue: false
}
