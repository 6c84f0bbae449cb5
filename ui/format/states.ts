/** Every state the console shows, as icon, tone and word; never colour alone. */
import type { HostItem } from "#core/Host.ts"
import type { HostSummary, LinkState, WorkState } from "#core/HostState.ts"
import type { JobHostState, JobState } from "#core/JobState.ts"
import type { Verdict } from "#core/Order.ts"
import type { Severity } from "#core/Package.ts"
import type { UndoAnswer } from "#core/Plan.ts"
import type { IconName } from "../kit/Icon.tsx"

/** `quiet` is plain text with a green tick, `none` is grey without an icon. */
export type Tone = "ok" | "warn" | "bad" | "run" | "idle" | "quiet" | "plain" | "none"

export interface Shown {
  readonly tone: Tone
  readonly icon: IconName
  readonly word: string
}

export const linkStates: Readonly<Record<LinkState, Shown>> = {
  unknown: { tone: "idle", icon: "dots", word: "Not contacted" },
  healthy: { tone: "quiet", icon: "check", word: "Healthy" },
  degraded: { tone: "warn", icon: "warning", word: "Degraded" },
  unreachable: { tone: "bad", icon: "lost", word: "Unreachable" },
  retired: { tone: "idle", icon: "minus", word: "Retired" }
}

export const workStates: Readonly<Record<WorkState, Shown>> = {
  idle: { tone: "none", icon: "rest", word: "Nothing to do" },
  "patching.preparing": { tone: "run", icon: "read", word: "Preparing" },
  "patching.dispatching": { tone: "run", icon: "send", word: "Sending" },
  "patching.running": { tone: "run", icon: "sync", word: "Installing" },
  "patching.verifying": { tone: "run", icon: "shield", word: "Verifying" },
  "rebooting.leaving": { tone: "run", icon: "power", word: "Going down" },
  "rebooting.away": { tone: "run", icon: "power", word: "Rebooting" },
  "rebooting.returning": { tone: "run", icon: "power", word: "Coming back" },
  "settling.quiet": { tone: "warn", icon: "unknown", word: "Outcome unclear" },
  "settling.asking": { tone: "warn", icon: "unknown", word: "Asking the host" },
  "settling.inspecting": { tone: "warn", icon: "unknown", word: "Checking versions" },
  retrying: { tone: "warn", icon: "undo", word: "Retrying" },
  failed: { tone: "bad", icon: "failed", word: "Failed" },
  unresolved: { tone: "warn", icon: "decision", word: "Needs a decision" },
  retired: { tone: "idle", icon: "minus", word: "Retired" }
}

export const summaries: Readonly<Record<HostSummary, Shown>> = {
  unresolved: { tone: "warn", icon: "decision", word: "Needs a decision" },
  failed: { tone: "bad", icon: "failed", word: "Failed" },
  unreachable: linkStates.unreachable,
  degraded: linkStates.degraded,
  retrying: { tone: "warn", icon: "undo", word: "Retrying" },
  checking: { tone: "warn", icon: "unknown", word: "Checking outcome" },
  rebooting: { tone: "run", icon: "power", word: "Rebooting" },
  patching: { tone: "run", icon: "sync", word: "Patching" },
  unknown: linkStates.unknown,
  healthy: linkStates.healthy,
  retired: linkStates.retired
}

/** A list older than this says nothing about today. */
const STALE_MS = 24 * 60 * 60 * 1000

export type PatchState = "up_to_date" | "updates" | "security" | "unknown"

/** No report is not compliance: without a patch list of the last day the answer is unknown. */
export const patchStateOf = (
  host: Pick<HostItem, "pending" | "security" | "last_seen_at">,
  now: number = Date.now()
): PatchState => {
  if (host.pending === null || host.last_seen_at === null) return "unknown"
  if (now - Date.parse(host.last_seen_at) > STALE_MS) return "unknown"
  if ((host.security ?? 0) > 0) return "security"
  return host.pending > 0 ? "updates" : "up_to_date"
}

export const patchStates: Readonly<Record<PatchState, Shown>> = {
  up_to_date: { tone: "quiet", icon: "check", word: "Up to date" },
  updates: { tone: "warn", icon: "warning", word: "Updates pending" },
  security: { tone: "bad", icon: "warning", word: "Security pending" },
  unknown: { tone: "idle", icon: "unknown", word: "Unknown" }
}

export const rebootStates = {
  yes: { tone: "plain", icon: "power", word: "Yes" },
  no: { tone: "none", icon: "minus", word: "No" },
  unknown: { tone: "none", icon: "unknown", word: "Unknown" }
} as const satisfies Record<string, Shown>

export const rebootStateOf = (needed: boolean | null): Shown =>
  needed === null ? rebootStates.unknown : needed ? rebootStates.yes : rebootStates.no

export const jobStates: Readonly<Record<JobState, Shown>> = {
  queued: { tone: "idle", icon: "clock", word: "Queued" },
  waiting: { tone: "idle", icon: "clock", word: "Waiting" },
  running: { tone: "run", icon: "sync", word: "Running" },
  paused: { tone: "idle", icon: "minus", word: "Paused" },
  succeeded: { tone: "ok", icon: "check", word: "Succeeded" },
  partially_failed: { tone: "bad", icon: "warning", word: "Partially failed" },
  failed: { tone: "bad", icon: "failed", word: "Failed" },
  cancelled: { tone: "idle", icon: "minus", word: "Cancelled" }
}

export const jobHostStates: Readonly<Record<JobHostState, Shown>> = {
  queued: { tone: "idle", icon: "clock", word: "Queued" },
  waiting: { tone: "idle", icon: "clock", word: "Waiting" },
  dispatching: { tone: "run", icon: "send", word: "Sending" },
  running: { tone: "run", icon: "sync", word: "Installing" },
  verifying: { tone: "run", icon: "shield", word: "Verifying" },
  rebooting: { tone: "run", icon: "power", word: "Rebooting" },
  uncertain: { tone: "warn", icon: "unknown", word: "Uncertain" },
  succeeded: { tone: "quiet", icon: "check", word: "Done" },
  failed: { tone: "bad", icon: "failed", word: "Failed" },
  deferred: { tone: "idle", icon: "undo", word: "Deferred" },
  cancelled: { tone: "idle", icon: "minus", word: "Cancelled" }
}

export const undoStates: Readonly<Record<UndoAnswer["answer"], Shown>> = {
  yes: { tone: "quiet", icon: "check", word: "Yes" },
  partly: { tone: "warn", icon: "warning", word: "Partly" },
  no: { tone: "idle", icon: "close", word: "No" },
  cannot_be_known: { tone: "idle", icon: "unknown", word: "Can't tell" }
}

export const verdictWords: Readonly<Record<Verdict, string>> = {
  done: "Done, proved by the versions found",
  nothing_to_do: "Nothing to do",
  not_effective: "Not effective: the versions found are not the ones asked for",
  failed: "Failed",
  refused: "Refused by the agent",
  unavailable: "Host could not be reached",
  no_return: "Did not return from its reboot",
  deferred: "Deferred",
  cancelled: "Cancelled",
  unresolved: "Outcome unknown, needs a decision",
  plan_changed: "Plan changed: nothing was sent",
  pre_check_failed: "Stopped by a check: nothing was sent",
  service_down: "Installed, but a service is down",
  not_executed: "The agent never began the rollback",
  stopped: "Not started: too many hosts of the job failed"
}

export const severities: Readonly<Record<Severity, Shown & { readonly rank: number }>> = {
  critical: { tone: "bad", icon: "warning", word: "Critical", rank: 4 },
  high: { tone: "bad", icon: "warning", word: "High", rank: 3 },
  medium: { tone: "warn", icon: "warning", word: "Medium", rank: 2 },
  low: { tone: "idle", icon: "info", word: "Low", rank: 1 },
  unknown: { tone: "idle", icon: "minus", word: "None given", rank: 0 }
}
