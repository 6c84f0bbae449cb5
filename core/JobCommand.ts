/** What a job's machine asks for. Calls may be lost and are made again; both are idempotent and answer `counts`. */
import { Schema } from "effect"
import { JobCounts } from "./JobEvent.ts"
import { JobState } from "./JobState.ts"

export const JobCall = Schema.Union([
  /** Judge every order that has not started, and hand those that may start to their hosts. */
  Schema.Struct({ kind: Schema.Literal("OfferOrders"), call: Schema.Int }),
  /** End every order that has not started, and ask the hosts to cancel the open ones. */
  Schema.Struct({ kind: Schema.Literal("CancelOrders"), call: Schema.Int, by: Schema.String })
])
export type JobCall = typeof JobCall.Type

export const JobRecord = Schema.Union([
  /** Written again with another state when a host's result is corrected later. */
  Schema.Struct({
    kind: Schema.Literal("JobEnded"),
    state: JobState,
    counts: JobCounts,
    /** One sentence for the operator. */
    message: Schema.String
  }),
  /** Every host of the waves before this one has ended. */
  Schema.Struct({ kind: Schema.Literal("WavePassed"), wave: Schema.Int }),
  /** The error limit: nothing more is started. Audited together with the step. */
  Schema.Struct({
    kind: Schema.Literal("Stopped"),
    reason: Schema.String,
    failed: Schema.Int,
    unresolved: Schema.Int,
    unhealthy: Schema.Int,
    max_failed: Schema.Int,
    not_started: Schema.Int
  }),
  Schema.Struct({ kind: Schema.Literal("Alarm"), name: Schema.String, message: Schema.String })
])
export type JobRecord = typeof JobRecord.Type

export const JobCommand = Schema.Union([JobCall, JobRecord])
export type JobCommand = typeof JobCommand.Type

export const isJobCall = (command: JobCommand): command is JobCall =>
  command.kind === "OfferOrders" || command.kind === "CancelOrders"
