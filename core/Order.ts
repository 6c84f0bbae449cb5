/** An order is one host's share of a job: what its machine is asked to bring about, and how that ended. */
import { Schema } from "effect"
import { AgentFailureKind } from "./AgentFailure.ts"
import { JobId, OrderId } from "./Ids.ts"
import { Change, Selection } from "./Package.ts"

export const RebootPolicy = Schema.Literals(["never", "if_needed", "always"])
export type RebootPolicy = typeof RebootPolicy.Type

export const Order = Schema.Struct({
  id: OrderId,
  job_id: JobId,
  kind: Schema.Literals(["patch_apply", "reboot"]),
  selection: Selection,
  reboot: RebootPolicy,
  reboot_delay_seconds: Schema.Int,
  /** Epoch milliseconds of the window's end; null for an immediate order. No start and no reboot after it. */
  closes_at: Schema.NullOr(Schema.Number)
})
export type Order = typeof Order.Type

/** How an order ended. `done` comes from evidence alone. */
export const Verdict = Schema.Literals([
  "done",
  "nothing_to_do",
  "not_effective",
  "failed",
  "refused",
  "unavailable",
  "no_return",
  "deferred",
  "cancelled",
  "unresolved"
])
export type Verdict = typeof Verdict.Type

export const Outcome = Schema.Struct({
  order_id: OrderId,
  verdict: Verdict,
  /** One sentence for the operator. */
  message: Schema.String,
  /** The agent really began to work on it. */
  ran: Schema.Boolean,
  /** Null where the agent cannot tell whether a reboot is owed. */
  reboot_pending: Schema.NullOr(Schema.Boolean),
  rebooted: Schema.Boolean,
  changes: Schema.Array(Change),
  /** Versions read after the run, by package; null means not installed. */
  installed: Schema.Record(Schema.String, Schema.NullOr(Schema.String)),
  error_code: Schema.NullOr(Schema.String),
  failure: Schema.NullOr(AgentFailureKind)
}).annotate({ identifier: "Outcome" })
export type Outcome = typeof Outcome.Type
