/**
 * What a host's machine asks for. Calls are carried out after the commit and may be lost: state rebuilds them.
 * Records are rows of the commit itself and cannot be lost.
 */
import { Schema } from "effect"
import { AgentJobId, IntentId } from "./Ids.ts"
import { Outcome } from "./Order.ts"
import { Selection } from "./Package.ts"
import { Baseline } from "./HostEvent.ts"

const call = Schema.Int

export const HostCall = Schema.Union([
  /** Job list, packages, patch list, health and system info, before anything is sent. Answers `baseline` or `unavailable`. */
  Schema.Struct({ kind: Schema.Literal("ReadBaseline"), call, selection: Selection }),
  /** POST /patches/apply with explicit names and no reboot key. Answers `accepted`, `refused`, `unsent` or `unclear`. */
  Schema.Struct({ kind: Schema.Literal("Apply"), call, intent: IntentId, names: Schema.Array(Schema.String) }),
  /** POST /system/reboot. Same answers. */
  Schema.Struct({ kind: Schema.Literal("Reboot"), call, intent: IntentId, delay_seconds: Schema.Int }),
  /** Standing: follow one agent job by WebSocket and polling until the state is left. Answers `job` and `job.gone`. */
  Schema.Struct({ kind: Schema.Literal("Watch"), call, job_id: AgentJobId }),
  /** The agent's job list. Answers `jobs` or `unavailable`. */
  Schema.Struct({ kind: Schema.Literal("ReadJobs"), call }),
  /**
   * Versions of these packages, uptime, reboot flag, database state. Answers `evidence` or `unavailable`.
   * Standing: read again every 15 s, after an answer as after a failure, until the state is left.
   */
  Schema.Struct({
    kind: Schema.Literal("ReadEvidence"),
    call,
    names: Schema.Array(Schema.String),
    standing: Schema.Boolean
  }),
  /** Standing: poll health every few seconds, as while the host restarts. Answers `poll.ok` and `poll.failed`. */
  Schema.Struct({ kind: Schema.Literal("Probe"), call })
])
export type HostCall = typeof HostCall.Type

export const IntentVerdict = Schema.Literals(["ran", "no_effect", "abandoned"])
export type IntentVerdict = typeof IntentVerdict.Type

export const HostRecord = Schema.Union([
  Schema.Struct({
    kind: Schema.Literal("IntentOpened"),
    intent: IntentId,
    action: Schema.Literals(["apply", "reboot"]),
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
