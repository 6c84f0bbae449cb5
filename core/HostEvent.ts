/**
 * Everything that can happen to a host. Stored with each transition, so that replaying them gives the stored snapshot.
 * `at` is database time in epoch milliseconds. Answers to reads carry `call`, answers to mutating calls carry `intent`.
 */
import { Effect, Schema } from "effect"
import { AgentFailureKind } from "./AgentFailure.ts"
import { AgentJob, AgentJobEntry } from "./AgentJob.ts"
import { AgentJobId, IntentId, OrderId } from "./Ids.ts"
import { Order } from "./Order.ts"
import { Change, PackageFormat } from "./Package.ts"
import { ServiceState } from "./ServiceState.ts"

/** Who asked: a user's name, or `policy`. */
const By = Schema.String
const at = Schema.Number
const call = Schema.Int

/** By unit, for those that the order names; events of machine version 1 have none. */
const services = Schema.Record(Schema.String, ServiceState).pipe(Schema.withDecodingDefaultKey(Effect.succeed({})))

/** What was true on the host before anything was sent. */
export const Baseline = Schema.Struct({
  at,
  job_ids: Schema.Array(AgentJobId),
  /** An agent job that is active now, ours or not. */
  active_job_id: Schema.NullOr(AgentJobId),
  changes: Schema.Array(Change),
  installed: Schema.Record(Schema.String, Schema.NullOr(Schema.String)),
  format: PackageFormat,
  uptime_seconds: Schema.Number,
  /** Null where the agent cannot tell. */
  database_clean: Schema.NullOr(Schema.Boolean),
  reboot_needed: Schema.NullOr(Schema.Boolean),
  /** Why the agent calls itself degraded; null where it does not. */
  degraded: Schema.NullOr(Schema.String).pipe(Schema.withDecodingDefaultKey(Effect.succeed(null))),
  services
})
export type Baseline = typeof Baseline.Type

/** What is true on the host now; the only ground for `done`. */
export const Evidence = Schema.Struct({
  at,
  installed: Schema.Record(Schema.String, Schema.NullOr(Schema.String)),
  uptime_seconds: Schema.Number,
  reboot_needed: Schema.NullOr(Schema.Boolean),
  database_clean: Schema.NullOr(Schema.Boolean),
  active_job_id: Schema.NullOr(AgentJobId),
  services
})
export type Evidence = typeof Evidence.Type

const fact = <const T extends string, const F extends Schema.Struct.Fields>(type: T, fields: F) =>
  Schema.Struct({ type: Schema.Literal(type), at, ...fields })

/** A deadline that ran out; the type is the timer's id, `xstate.after.<delay>.<state>`. */
export const Deadline = Schema.Struct({
  type: Schema.TemplateLiteral(["xstate.after.", Schema.String]),
  at
})
export type Deadline = typeof Deadline.Type

export const HostFact = Schema.Union([
  fact("poll.ok", {
    health: Schema.Literals(["healthy", "degraded"]),
    reason: Schema.NullOr(Schema.String),
    uptime_seconds: Schema.Number
  }),
  fact("poll.failed", { kind: AgentFailureKind, message: Schema.String }),
  /** Packages that are older than the last order left them. */
  fact("inventory.older", { order_id: OrderId, packages: Schema.Array(Schema.String) }),
  fact("job", { call, job: AgentJob }),
  fact("job.gone", { call, job_id: AgentJobId }),
  fact("resumed", {}),
  fact("baseline", { call, baseline: Baseline }),
  fact("jobs", { call, jobs: Schema.Array(AgentJobEntry) }),
  fact("evidence", { call, evidence: Evidence }),
  fact("unavailable", {
    call,
    kind: AgentFailureKind,
    message: Schema.String,
    retry_after_ms: Schema.NullOr(Schema.Number)
  }),
  fact("accepted", { intent: IntentId, job_id: AgentJobId }),
  fact("refused", {
    intent: IntentId,
    code: Schema.String,
    message: Schema.String,
    retryable: Schema.Boolean,
    retry_after_ms: Schema.NullOr(Schema.Number)
  }),
  fact("unsent", { intent: IntentId, kind: AgentFailureKind, message: Schema.String }),
  fact("unclear", { intent: IntentId, kind: AgentFailureKind, message: Schema.String }),
  fact("order", { order: Order, by: By }),
  fact("cancel", { order_id: OrderId, by: By }),
  fact("retry.now", { by: By }),
  fact("dismiss", { by: By }),
  fact("settle.by_hand", { verdict: Schema.Literals(["done", "not_effective"]), by: By }),
  fact("retire", { force: Schema.Boolean, by: By })
])
export type HostFact = typeof HostFact.Type

export const HostEvent = Schema.Union([HostFact, Deadline])
export type HostEvent = typeof HostEvent.Type
