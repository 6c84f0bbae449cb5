/** What a job's machine asks for. Calls may be lost and are made again; both are idempotent and answer `counts`. */
import { Schema } from "effect"
import { JobCounts } from "./JobEvent.ts"
import { JobState } from "./JobState.ts"

export const JobCall = Schema.Union([
  /** Offer every order that is still queued to its host. */
  Schema.Struct({ kind: Schema.Literal("OfferOrders"), call: Schema.Int }),
  /** Cancel queued orders and ask the hosts to cancel the open ones. */
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
  Schema.Struct({ kind: Schema.Literal("Alarm"), name: Schema.String, message: Schema.String })
])
export type JobRecord = typeof JobRecord.Type

export const JobCommand = Schema.Union([JobCall, JobRecord])
export type JobCommand = typeof JobCommand.Type

export const isJobCall = (command: JobCommand): command is JobCall =>
  command.kind === "OfferOrders" || command.kind === "CancelOrders"
