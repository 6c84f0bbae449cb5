/** What a host's machine remembers beside its state: plain data, stored with every snapshot. */
import { Schema } from "effect"
import { AgentFailureKind } from "#core/AgentFailure.ts"
import { Baseline, Evidence } from "#core/HostEvent.ts"
import { AgentJobId, IntentId } from "#core/Ids.ts"
import { Order, Outcome, Verdict } from "#core/Order.ts"
import { Change } from "#core/Package.ts"

/** A point of the host's uptime, to tell later whether it booted since. */
export const Boot = Schema.Struct({ at: Schema.Number, uptime_seconds: Schema.Number })
export type Boot = typeof Boot.Type

/** Why the last try did not succeed, and how the order ends if it was the last one. */
export const Failure = Schema.Struct({
  verdict: Verdict,
  message: Schema.String,
  code: Schema.NullOr(Schema.String),
  kind: Schema.NullOr(AgentFailureKind)
})
export type Failure = typeof Failure.Type

export const HostContext = Schema.Struct({
  /** Names the call whose answer is awaited; grows when the state that asked is left. */
  seq: Schema.Int,

  misses: Schema.Int,
  link_reason: Schema.NullOr(Schema.String),
  link_since: Schema.NullOr(Schema.Number),

  order: Schema.NullOr(Order),
  ordered_by: Schema.NullOr(Schema.String),
  /** The order's plan, fixed by its first baseline. */
  changes: Schema.Array(Change),
  baseline: Schema.NullOr(Baseline),
  evidence: Schema.NullOr(Evidence),
  /** Versions seen by the first of the two equal reads that prove a request had no effect. */
  look: Schema.NullOr(Schema.Record(Schema.String, Schema.NullOr(Schema.String))),

  /** The mutating call whose effect is not settled yet. */
  intent: Schema.NullOr(
    Schema.Struct({ id: IntentId, action: Schema.Literals(["apply", "reboot"]), opened_at: Schema.Number })
  ),
  job_id: Schema.NullOr(AgentJobId),
  boot: Schema.NullOr(Boot),
  /** Uptime when the last reboot was asked for; a boot after it proves the reboot. */
  reboot_from: Schema.NullOr(Boot),
  rebooted: Schema.Boolean,
  /** The agent worked on the order at least once; from then on only evidence may end it. */
  ran: Schema.Boolean,

  /** Mutating calls of this order; numbers its intents. */
  sends: Schema.Int,
  /** Jobs of this order that the agent failed. */
  attempts: Schema.Int,
  comm_tries: Schema.Int,
  settles: Schema.Int,
  asks: Schema.Int,
  /** Why another try is planned; null once it is sent. */
  retry: Schema.NullOr(
    Schema.Struct({ why: Schema.Literals(["unavailable", "job"]), after_ms: Schema.NullOr(Schema.Number) })
  ),
  failure: Schema.NullOr(Failure),

  cancel_asked: Schema.NullOr(Schema.String),
  retire_asked: Schema.NullOr(Schema.String),
  /** How the last order ended. */
  outcome: Schema.NullOr(Outcome)
})
export type HostContext = typeof HostContext.Type

/** Everything that belongs to one order, as it is before the order. */
export const noWork = {
  order: null,
  ordered_by: null,
  changes: [],
  baseline: null,
  evidence: null,
  look: null,
  intent: null,
  job_id: null,
  boot: null,
  reboot_from: null,
  rebooted: false,
  ran: false,
  sends: 0,
  attempts: 0,
  comm_tries: 0,
  settles: 0,
  asks: 0,
  retry: null,
  failure: null,
  cancel_asked: null
} satisfies Partial<HostContext>

export const initialHostContext: HostContext = {
  seq: 0,
  misses: 0,
  link_reason: null,
  link_since: null,
  ...noWork,
  retire_asked: null,
  outcome: null
}
