/** What can be concluded from a host's context and one event; the machine's guards and words rest on these. */
import type { AgentJob, AgentJobEntry } from "#core/AgentJob.ts"
import { isActive } from "#core/AgentJob.ts"
import type { Baseline, Evidence, HostEvent } from "#core/HostEvent.ts"
import type { Order } from "#core/Order.ts"
import type { Change } from "#core/Package.ts"
import { isReached } from "#core/Version.ts"
import type { Boot, HostContext } from "./HostContext.ts"
import { productionTuning, type Tuning } from "./Tuning.ts"

/** Clocks and readings may differ by this much without it being a boot. */
const bootSlackSeconds = 30

/** Whether the host booted between two readings of its uptime. */
export const bootedSince = (from: Boot | null, now: Boot): boolean =>
  from !== null && now.uptime_seconds + bootSlackSeconds < from.uptime_seconds + (now.at - from.at) / 1000

export const isDeadline = (event: HostEvent): boolean => event.type.startsWith("xstate.after.")

export const planOf = (context: HostContext, baseline: Baseline): ReadonlyArray<Change> => {
  if (context.order?.kind === "reboot") return []
  return context.changes.length > 0 ? context.changes : baseline.changes
}

export const allReached = (
  changes: ReadonlyArray<Change>,
  installed: Evidence["installed"],
  format: Baseline["format"]
): boolean => changes.every((change) => isReached(change, installed[change.name] ?? null, format))

export const missing = (context: HostContext, installed: Evidence["installed"]): ReadonlyArray<Change> =>
  context.changes.filter(
    (change) => !isReached(change, installed[change.name] ?? null, context.baseline?.format ?? "other")
  )

/** Versions of the planned packages, in the plan's order. */
export const versionsOf = (context: HostContext, installed: Evidence["installed"]): Record<string, string | null> =>
  Object.fromEntries(context.changes.map((change) => [change.name, installed[change.name] ?? null]))

const sameVersions = (context: HostContext, left: Evidence["installed"], right: Evidence["installed"]): boolean =>
  context.changes.every((change) => (left[change.name] ?? null) === (right[change.name] ?? null))

export const isUntouched = (context: HostContext, evidence: Evidence): boolean =>
  context.baseline !== null && sameVersions(context, context.baseline.installed, evidence.installed)

export const isSecondLook = (context: HostContext, evidence: Evidence): boolean =>
  context.look !== null && sameVersions(context, context.look, evidence.installed)

/** Nothing runs on the host and its package database is not known to be half way. */
export const isCalm = (evidence: Evidence): boolean =>
  evidence.active_job_id === null && evidence.database_clean !== false

/** The reboot that was asked for has happened, by what was known or by this reading. */
export const isRebooted = (context: HostContext, now: Boot | null): boolean =>
  context.rebooted || (now !== null && bootedSince(context.reboot_from, now))

/** Whether the order still owes a reboot, given what the host says about needing one. */
export const isRebootDue = (context: HostContext, now: Boot & { readonly reboot_needed: boolean | null }): boolean => {
  const { order } = context
  if (order === null || isRebooted(context, now)) return false
  if (order.kind === "reboot" || order.reboot === "always") return true
  return order.reboot === "if_needed" && now.reboot_needed === true
}

/** Agents round a restart's delay up to whole minutes. */
export const rebootDelayMs = (order: Order | null): number =>
  Math.ceil((order?.reboot_delay_seconds ?? 0) / 60) * 60_000

/** A host may need this long from the restart's command to the end of its services. */
const shutdownMs = 5 * 60_000

/** Until then a restart that was asked for can still happen, whatever the host looks like. */
export const rebootExpectedBy = (opened_at: number, order: Order | null): number =>
  opened_at + rebootDelayMs(order) + shutdownMs

export const isWindowClosed = (context: HostContext, at: number): boolean =>
  context.order !== null && context.order.closes_at !== null && at >= context.order.closes_at

export const wait = (context: HostContext, tuning: Tuning): number => {
  const { retry } = context
  if (retry === null) return tuning.backoff_ms[0]
  if (retry.after_ms !== null) return Math.min(Math.max(retry.after_ms, 1000), tuning.retry_after_max_ms)
  if (retry.why === "job") return tuning.second_try_ms
  return tuning.backoff_ms[Math.min(Math.max(context.comm_tries, 1), 3) - 1] ?? tuning.backoff_ms[2]
}

/** Plans by production times whatever the tuning, so that tuning never changes a decision. */
export const fitsWindow = (context: HostContext, at: number): boolean =>
  !isWindowClosed(context, at + wait(context, productionTuning))

export const isEnded = (job: AgentJob): boolean => !isActive(job.status) && job.status !== "unknown"

/** The agent's job that belongs to the open apply: the one it named, else the new one in its list. */
export const adopt = (context: HostContext, jobs: ReadonlyArray<AgentJobEntry>): AgentJobEntry | undefined => {
  if (context.intent?.action !== "apply") return undefined
  if (context.job_id !== null) return jobs.find((job) => job.id === context.job_id)
  const before = new Set<string>(context.baseline?.job_ids)
  const fresh = jobs.filter((job) => job.operation === "patchapply" && !before.has(job.id))
  return fresh.find((job) => isActive(job.status)) ?? fresh[0]
}
