/** What a host's machine remembers beside its state: plain data, stored with every snapshot. */
import { Effect, Schema } from "effect"
import { AgentFailureKind } from "#core/AgentFailure.ts"
import { AgentJobStatus } from "#core/AgentJob.ts"
import { IntentAction } from "#core/HostCommand.ts"
import { Baseline, Evidence } from "#core/HostEvent.ts"
import { AgentJobId, IntentId, OrderId } from "#core/Ids.ts"
import { Order, Outcome, Verdict } from "#core/Order.ts"
import { Change } from "#core/Package.ts"
import { ServiceState } from "#core/ServiceState.ts"

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

/** A key that snapshots of machine version 1 have not. */
const since2 = <S extends Schema.Top & { readonly Encoded: unknown }>(schema: S, value: S["Encoded"]) =>
  schema.pipe(Schema.withDecodingDefaultKey(Effect.succeed(value)))

export const HostContext = Schema.Struct({
  /** Names the call whose answer is awaited; grows when the state that asked is left. */
  seq: Schema.Int,

  misses: Schema.Int,
  link_reason: Schema.NullOr(Schema.String),
  link_since: Schema.NullOr(Schema.Number),
  /** Uptime as it was first seen since the last boot; a shorter one than that is another boot. */
  up: since2(Schema.NullOr(Boot), null),
  /** When it was seen to have booted by itself, not longer ago than a restless host is watched. */
  boots: since2(Schema.Array(Schema.Number), []),
  /** Boots so often that it is given no work. */
  unstable: since2(Schema.Boolean, false),
  /** Found with older packages than the order left: a snapshot was rolled back. */
  reverted: since2(
    Schema.NullOr(Schema.Struct({ at: Schema.Number, order_id: OrderId, packages: Schema.Array(Schema.String) })),
    null
  ),

  order: Schema.NullOr(Order),
  ordered_by: Schema.NullOr(Schema.String),
  /** The order's plan, fixed by its first baseline. */
  changes: Schema.Array(Change),
  baseline: Schema.NullOr(Baseline),
  evidence: Schema.NullOr(Evidence),
  /** Versions seen by the first of the two equal reads that prove a request had no effect. */
  look: Schema.NullOr(Schema.Record(Schema.String, Schema.NullOr(Schema.String))),

  /** The mutating call whose effect is not settled yet. */
  intent: Schema.NullOr(Schema.Struct({ id: IntentId, action: IntentAction, opened_at: Schema.Number })),
  job_id: Schema.NullOr(AgentJobId),
  /** The status last seen of a job that may never begin. */
  job_seen: since2(Schema.NullOr(AgentJobStatus), null),
  boot: Schema.NullOr(Boot),
  /** Uptime when the last reboot was asked for; a boot after it proves the reboot. */
  reboot_from: Schema.NullOr(Boot),
  rebooted: Schema.Boolean,
  /** The agent worked on the order at least once; from then on only evidence may end it. */
  ran: Schema.Boolean,

  /** By unit, as the last baseline found them before anything was sent. */
  services_before: since2(Schema.NullOr(Schema.Record(Schema.String, ServiceState)), null),
  /** Readings that found the versions right and a service down. */
  service_looks: since2(Schema.Int, 0),

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
  job_seen: null,
  boot: null,
  reboot_from: null,
  rebooted: false,
  ran: false,
  services_before: null,
  service_looks: 0,
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
  up: null,
  boots: [],
  unstable: false,
  reverted: null,
  ...noWork,
  retire_asked: null,
  outcome: null
}
