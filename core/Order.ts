/** An order is one host's share of a job: what its machine is asked to bring about, and how that ended. */
import { Effect, Schema } from "effect"
import { AgentFailureKind } from "./AgentFailure.ts"
import { AgentJobId, JobId, OrderId } from "./Ids.ts"
import { Change, PackageRequest, Selection } from "./Package.ts"

export const JobKind = Schema.Literals([
  "patch_apply",
  "package_install",
  "package_update",
  "package_remove",
  "reboot",
  "rollback"
])
export type JobKind = typeof JobKind.Type

export const RebootPolicy = Schema.Literals(["never", "if_needed", "always"])
export type RebootPolicy = typeof RebootPolicy.Type

/** `agent`: the agent's own rollback of one of its jobs. `versions`: the versions from before are installed again. */
export const RollbackMethod = Schema.Literals(["agent", "versions"])
export type RollbackMethod = typeof RollbackMethod.Type

/** What to do where the host has another candidate than planned: leave it alone, or take what there is. */
export const OnChange = Schema.Literals(["stop", "take"])
export type OnChange = typeof OnChange.Type

const go = Schema.Literals(["go", "stop"])

/** What is looked at before anything is sent; a service that is down or an unclean package database always stops a host. */
export const PreCheck = Schema.Struct({
  /** The agent answers, but says itself that something is wrong with it. */
  degraded: go,
  /** The agent cannot tell: too old for services, or for the state of the package database. */
  unknown: go
}).annotate({ identifier: "PreCheck" })
export type PreCheck = typeof PreCheck.Type

export const defaultPreCheck: PreCheck = { degraded: "go", unknown: "go" }

const absent = <S extends Schema.Top & { readonly Encoded: unknown }>(schema: S, value: S["Encoded"]) =>
  schema.pipe(Schema.withDecodingDefaultKey(Effect.succeed(value)))

/** Keys with a default were not part of the orders of machine version 1. */
export const Order = Schema.Struct({
  id: OrderId,
  job_id: JobId,
  kind: JobKind,
  /** For patch_apply. */
  selection: Selection,
  /** For package_install, package_update and package_remove. */
  packages: absent(Schema.Array(PackageRequest), []),
  /** The changes as planned, names and versions; null where nothing was known when the job was made. Always given for rollback. */
  planned: absent(Schema.NullOr(Schema.Array(Change)), null),
  on_change: absent(OnChange, "take"),
  /** Installs the planned versions by number instead of the newest ones by name. */
  pin_versions: absent(Schema.Boolean, false),
  /** Patterns of packages that are left alone; `*` stands for any characters. */
  held: absent(Schema.Array(Schema.String), []),
  pre_check: absent(PreCheck, { degraded: "go", unknown: "go" }),
  /** Units that have to be up before and after. */
  services: absent(Schema.Array(Schema.String), []),
  /** For rollback. */
  method: absent(Schema.NullOr(RollbackMethod), null),
  /** For rollback by the agent: the agent's job to undo. */
  undone_agent_job_id: absent(Schema.NullOr(AgentJobId), null),
  reboot: RebootPolicy,
  reboot_delay_seconds: Schema.Int,
  /** Epoch milliseconds of the window's end; null for an immediate order. No start and no reboot after it. */
  closes_at: Schema.NullOr(Schema.Number),
  /** How long the work is expected to take; nothing is sent that would not fit before `closes_at`. */
  expected_ms: absent(Schema.Number, 0),
  /** How often a window closed before it could start; a host may be handed the same order once for each. */
  deferrals: absent(Schema.Int, 0)
})
export type Order = typeof Order.Type

/** The keys of an order that most kinds leave as they are. */
export const orderDefaults = {
  packages: [],
  planned: null,
  on_change: "take",
  pin_versions: false,
  held: [],
  pre_check: defaultPreCheck,
  services: [],
  method: null,
  undone_agent_job_id: null,
  expected_ms: 0,
  deferrals: 0
} satisfies Partial<Order>

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
  "unresolved",
  /** Another candidate than planned; nothing was sent. */
  "plan_changed",
  /** A pre-check stopped it; nothing was sent. */
  "pre_check_failed",
  /** The packages are right, but a service that was up before is down now. */
  "service_down",
  /** The agent took the rollback and never began it. */
  "not_executed",
  /** Not started, because too many other hosts of the job failed. */
  "stopped"
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
