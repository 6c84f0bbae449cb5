/** What can be concluded from a host's context and one event; the machine's guards and words rest on these. */
import type { AgentJob, AgentJobEntry } from "#core/AgentJob.ts"
import { isActive } from "#core/AgentJob.ts"
import { changesOfOrder, type OrderChanges } from "#core/changesOfOrder.ts"
import type { IntentAction } from "#core/HostCommand.ts"
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

const noChanges: OrderChanges = { changes: [], held: [], differences: [], stays: [] }

/** The order against what this baseline found. */
export const weighed = (context: HostContext, baseline: Baseline | null): OrderChanges =>
  context.order === null || baseline === null
    ? noChanges
    : changesOfOrder(context.order, {
        candidates: baseline.changes,
        installed: baseline.installed,
        format: baseline.format
      })

/** Fixed by the order's first baseline. */
export const planOf = (context: HostContext, baseline: Baseline): ReadonlyArray<Change> =>
  context.changes.length > 0 ? context.changes : weighed(context, baseline).changes

/** The host offers other versions than planned, and the order is not to take them. */
export const isPlanChanged = (context: HostContext, baseline: Baseline): boolean =>
  context.order?.on_change === "stop" && weighed(context, baseline).differences.length > 0

/** The order is carried out by the agent's own rollback, which most agents never begin. */
export const isAgentRollback = ({ order }: HostContext): boolean =>
  order?.kind === "rollback" && order.method === "agent"

/** By which call the order's packages are changed. */
export const packageActionOf = (order: Order): Exclude<IntentAction, "reboot"> => {
  switch (order.kind) {
    case "package_install":
      return "install"
    case "package_update":
      return "update"
    case "package_remove":
      return "remove"
    case "rollback":
      return order.method === "agent" ? "rollback" : "install"
    default:
      return order.pin_versions ? "install" : "apply"
  }
}

/** How agents call the job that such a call starts. */
const operations: Record<IntentAction, string> = {
  apply: "patchapply",
  install: "install",
  update: "update",
  remove: "remove",
  rollback: "rollback",
  reboot: "reboot"
}

/** What a pre-check has against sending anything, in words that follow "because". */
export const preCheckProblems = ({ order }: HostContext, baseline: Baseline): ReadonlyArray<string> => {
  if (order === null) return []
  const strict = order.pre_check.unknown === "stop"
  const units = order.services.map((unit) => [unit, baseline.services[unit] ?? "unknown"] as const)
  return [
    ...(order.pre_check.degraded === "stop" && baseline.degraded !== null
      ? [`the agent is degraded (${baseline.degraded.replace(/\.$/, "")})`]
      : []),
    ...units.flatMap(([unit, state]) => (state === "down" ? [`${unit} is not running`] : [])),
    ...(strict ? units.flatMap(([unit, state]) => (state === "unknown" ? [`${unit} cannot be checked`] : [])) : []),
    ...(strict && baseline.database_clean === null ? ["the state of the package database cannot be checked"] : [])
  ]
}

/** Units that were up before and are down now. */
export const servicesDown = ({ services_before }: HostContext, evidence: Evidence): ReadonlyArray<string> =>
  Object.entries(services_before ?? {}).flatMap(([unit, before]) =>
    before === "up" && evidence.services[unit] === "down" ? [unit] : []
  )

/** Readings, 15 s apart, in which a service may come up again after its package was changed. */
export const SERVICE_LOOKS = 3

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

/** Epoch milliseconds after which the open intent may not be sent any more; null without a window. */
export const sendableUntil = ({ order, intent }: HostContext): number | null => {
  if (order === null || order.closes_at === null) return null
  return order.closes_at - (intent?.action === "reboot" ? 0 : order.expected_ms)
}

/** Closed, or the work would not be over before it closes. */
export const isTooLate = (context: HostContext, at: number): boolean =>
  isWindowClosed(context, at) ||
  (context.order !== null &&
    context.order.closes_at !== null &&
    at + context.order.expected_ms > context.order.closes_at)

export const wait = (context: HostContext, tuning: Tuning): number => {
  const { retry } = context
  if (retry === null) return tuning.backoff_ms[0]
  if (retry.after_ms !== null) return Math.min(Math.max(retry.after_ms, 1000), tuning.retry_after_max_ms)
  if (retry.why === "job") return tuning.second_try_ms
  return tuning.backoff_ms[Math.min(Math.max(context.comm_tries, 1), 3) - 1] ?? tuning.backoff_ms[2]
}

/** Plans by production times whatever the tuning, so that tuning never changes a decision. */
export const fitsWindow = (context: HostContext, at: number): boolean =>
  !isTooLate(context, at + wait(context, productionTuning))

export const isEnded = (job: AgentJob): boolean => !isActive(job.status) && job.status !== "unknown"

/** The agent's job that belongs to the open intent: the one it named, else the new one in its list. A restart is known by the boot. */
export const adopt = (context: HostContext, jobs: ReadonlyArray<AgentJobEntry>): AgentJobEntry | undefined => {
  if (context.intent === null || context.intent.action === "reboot") return undefined
  if (context.job_id !== null) return jobs.find((job) => job.id === context.job_id)
  const before = new Set<string>(context.baseline?.job_ids)
  const operation = operations[context.intent.action]
  const fresh = jobs.filter((job) => job.operation === operation && !before.has(job.id))
  return fresh.find((job) => isActive(job.status)) ?? fresh[0]
}
