/**
 * What a host's machine asks for. Calls are carried out after the commit and may be lost: state rebuilds them.
 * Records are rows of the commit itself and cannot be lost.
 */
import { Schema } from "effect"
import { AgentJobId, IntentId } from "./Ids.ts"
import { Outcome } from "./Order.ts"
import { PackageRequest, Selection } from "./Package.ts"
import { Baseline } from "./HostEvent.ts"

const call = Schema.Int
const services = Schema.Array(Schema.String)

export const HostCall = Schema.Union([
  /** Job list, packages, patch list, health, system info and services, before anything is sent. Answers `baseline` or `unavailable`. */
  Schema.Struct({ kind: Schema.Literal("ReadBaseline"), call, selection: Selection, services }),
  /** POST /patches/apply with explicit names and no reboot key. Answers `accepted`, `refused`, `unsent` or `unclear`. */
  Schema.Struct({ kind: Schema.Literal("Apply"), call, intent: IntentId, names: Schema.Array(Schema.String) }),
  /** POST /packages. Same answers. */
  Schema.Struct({ kind: Schema.Literal("Install"), call, intent: IntentId, packages: Schema.Array(PackageRequest) }),
  /** PUT /packages/{name}. Same answers. */
  Schema.Struct({ kind: Schema.Literal("Update"), call, intent: IntentId, name: Schema.String }),
  /** DELETE /packages/{name}. Same answers. */
  Schema.Struct({ kind: Schema.Literal("Remove"), call, intent: IntentId, name: Schema.String }),
  /** POST /jobs/{id}/rollback. Same answers. */
  Schema.Struct({ kind: Schema.Literal("Rollback"), call, intent: IntentId, job_id: AgentJobId }),
  /** POST /system/reboot. Same answers. */
  Schema.Struct({ kind: Schema.Literal("Reboot"), call, intent: IntentId, delay_seconds: Schema.Int }),
  /** Standing: follow one agent job by WebSocket and polling until the state is left. Answers `job` and `job.gone`. */
  Schema.Struct({ kind: Schema.Literal("Watch"), call, job_id: AgentJobId }),
  /** The agent's job list. Answers `jobs` or `unavailable`. */
  Schema.Struct({ kind: Schema.Literal("ReadJobs"), call }),
  /**
   * Versions of these packages, uptime, reboot flag, database state, services. Answers `evidence` or `unavailable`.
   * Standing: read again every 15 s, after an answer as after a failure, until the state is left.
   */
  Schema.Struct({
    kind: Schema.Literal("ReadEvidence"),
    call,
    names: Schema.Array(Schema.String),
    services,
    standing: Schema.Boolean
  }),
  /** Standing: poll health every few seconds, as while the host restarts. Answers `poll.ok` and `poll.failed`. */
  Schema.Struct({ kind: Schema.Literal("Probe"), call })
])
export type HostCall = typeof HostCall.Type

/** A call that changes the host. */
export type HostChangeCall = Extract<HostCall, { readonly intent: IntentId }>

/** What an intent was opened for, as `host_intents` spells it. */
export const IntentAction = Schema.Literals(["apply", "install", "update", "remove", "rollback", "reboot"])
export type IntentAction = typeof IntentAction.Type

export const IntentVerdict = Schema.Literals(["ran", "no_effect", "abandoned"])
export type IntentVerdict = typeof IntentVerdict.Type

export const HostRecord = Schema.Union([
  Schema.Struct({
    kind: Schema.Literal("IntentOpened"),
    intent: IntentId,
    action: IntentAction,
    baseline: Schema.NullOr(Baseline)
  }),
  Schema.Struct({ kind: Schema.Literal("IntentClosed"), intent: IntentId, verdict: IntentVerdict }),
  Schema.Struct({ kind: Schema.Literal("Ended"), outcome: Outcome }),
  Schema.Struct({ kind: Schema.Literal("Alarm"), name: Schema.String, message: Schema.String })
])
export type HostRecord = typeof HostRecord.Type

export const HostCommand = Schema.Union([HostCall, HostRecord])
export type HostCommand = typeof HostCommand.Type

export const isCall = (command: HostCommand): command is HostCall =>
  command.kind !== "IntentOpened" &&
  command.kind !== "IntentClosed" &&
  command.kind !== "Ended" &&
  command.kind !== "Alarm"
