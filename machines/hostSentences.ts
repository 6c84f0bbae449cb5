/** The sentences of an order's ending: what happened to this host, and what to do about it. */
import type { HostEvent } from "#core/HostEvent.ts"
import type { Verdict } from "#core/Order.ts"
import type { HostContext } from "./HostContext.ts"
import {
  isRebootDue,
  isTooLate,
  isWindowClosed,
  missing,
  preCheckProblems,
  servicesDown,
  weighed
} from "./hostFacts.ts"

const packages = (count: number): string => (count === 1 ? "1 package" : `${count} packages`)

/** Names a few and counts the rest, so that the sentence stays a sentence. */
const list = (names: ReadonlyArray<string>): string =>
  names.length <= 3 ? names.join(", ") : `${names.slice(0, 3).join(", ")} and ${names.length - 3} more`

const is = (names: ReadonlyArray<string>, one: string, several: string): string =>
  `${list(names)} ${names.length === 1 ? one : several}`

export const rebootOwed = (context: HostContext): boolean | null => {
  const known = context.evidence ?? context.baseline
  if (known === null) return context.order?.kind === "reboot" && !context.rebooted ? true : null
  return isRebootDue(context, known) ? true : known.reboot_needed
}

const changed = ({ order, changes, sends, rebooted }: HostContext): string => {
  const count = packages(changes.length)
  const restarted = rebooted ? ", which has restarted" : ""
  if (changes.length === 0) return rebooted ? "The host has restarted." : "Nothing had to be installed."
  if (sends === 0) return `Nothing had to be sent: ${count} read back from the host as wanted.`
  switch (order?.kind) {
    case "package_remove":
      return `${count} removed and read back as gone from the host${restarted}.`
    case "rollback":
      return `${count} read back at the version from before the run${rebooted ? "; the host has restarted" : ""}.`
    default:
      return `${count} installed and read back from the host${restarted}.`
  }
}

const restart = (context: HostContext): ReadonlyArray<string> => {
  const owed = rebootOwed(context)
  if (owed === true) return ["A restart is still owed."]
  return owed === null && context.order?.reboot === "if_needed"
    ? ["Whether a restart is needed cannot be known from this agent."]
    : []
}

const services = ({ order, evidence, services_before }: HostContext): ReadonlyArray<string> => {
  const now = (unit: string) => evidence?.services[unit] ?? "unknown"
  const unknown = (order?.services ?? []).filter((unit) => now(unit) === "unknown")
  const down = (order?.services ?? []).filter((unit) => now(unit) === "down" && services_before?.[unit] === "unknown")
  return [
    ...(unknown.length === 0 ? [] : [`Whether ${is(unknown, "runs", "run")} could not be checked.`]),
    ...(down.length === 0 ? [] : [`${is(down, "is", "are")} not running, and whether before could not be checked.`])
  ]
}

const leftOut = (context: HostContext): ReadonlyArray<string> => {
  const { held, stays, differences } = weighed(context, context.baseline)
  const gone = differences.filter(
    ({ found, name }) => found === null && !context.changes.some((one) => one.name === name)
  )
  return [
    ...(gone.length === 0
      ? []
      : [
          `${is(
            gone.map(({ name }) => name),
            "was",
            "were"
          )} planned and not offered any more.`
        ]),
    ...(stays.length === 0
      ? []
      : [`${list(stays)} came with the run that was undone and ${stays.length === 1 ? "stays" : "stay"} installed.`]),
    ...(held.length === 0 ? [] : [`${is(held, "is held and was", "are held and were")} left alone.`])
  ]
}

export const done = (context: HostContext): string =>
  [changed(context), ...leftOut(context), ...services(context), ...restart(context)].join(" ")

export const nothingToDo = (context: HostContext): string => {
  const { held, stays } = weighed(context, context.baseline)
  if (held.length > 0)
    return context.order?.kind === "rollback" && context.order.method === "agent"
      ? `Nothing was sent: ${is(held, "is", "are")} held, and the agent's rollback cannot leave a package out.`
      : `Nothing was sent: ${is(held, "is", "are")} held. End the hold and order again to change ${held.length === 1 ? "it" : "them"}.`
  if (stays.length > 0)
    return `Nothing was sent: ${list(stays)} came with the run that is to be undone and can only be removed by a job of its own.`
  switch (context.order?.kind) {
    case "package_update":
      return `Nothing to update: the host offers no newer version of ${list(context.order.packages.map(({ name }) => name))}.`
    case "rollback":
      return "Nothing to undo: no version from before is known for this host."
    default:
      return "Nothing to install: none of the chosen packages has a pending patch."
  }
}

const sent = ({ ran }: HostContext): string => (ran ? "Nothing more was sent" : "Nothing was sent")

/** Names package, planned and found version. */
export const planChanged = (context: HostContext): { readonly verdict: Verdict; readonly message: string } => {
  const undone = context.order?.kind === "rollback"
  const [first, ...more] = weighed(context, context.baseline).differences
  if (first === undefined) return { verdict: "plan_changed", message: `${sent(context)}: the plan has changed.` }
  const planned = first.planned ?? "no version"
  const found = first.found ?? (undone ? "not installed" : "no candidate")
  const others = more.length === 0 ? "" : ` (and ${more.length} more)`
  return {
    verdict: "plan_changed",
    message: undone
      ? `${sent(context)}: ${first.name} stood at ${planned} when the rollback was planned and stands at ${found} now${others}. Plan again.`
      : `${sent(context)}: ${first.name} was planned as ${planned} and the host has ${found} now${others}. Plan again, or let the job take what there is.`
  }
}

export const preCheckFailed = (context: HostContext): { readonly verdict: Verdict; readonly message: string } => ({
  verdict: "pre_check_failed",
  message: `${sent(context)}, because ${context.baseline === null ? "a pre-check failed" : preCheckProblems(context, context.baseline).join(", and ")}. Put that right or change the job's pre-check, then order again.`
})

export const serviceDown = (context: HostContext): string => {
  const down = context.evidence === null ? [] : servicesDown(context, context.evidence)
  return `The versions are right, but ${is(down, "ran before and is", "ran before and are")} down now. Look at the service's log on the host; ${context.order?.kind === "rollback" ? "this was a rollback already" : "undo the run if it does not come up"}.`
}

export const deferred = (context: HostContext, event: HostEvent): string => {
  if (isWindowClosed(context, event.at)) return "The maintenance window closed before anything was sent."
  return isTooLate(context, event.at)
    ? "What was left of the maintenance window was too short for the work, so nothing was sent."
    : "Another try would not have fitted into the maintenance window, so nothing was sent."
}

export const notEffective = (context: HostContext): string => {
  const names = missing(context, context.evidence?.installed ?? {}).map((change) => change.name)
  return names.length === 0
    ? "The agent reported success, but the host has not restarted. Look at the agent's log on the host."
    : `The agent reported success, but ${short(context, names)}. Look at the job's log and at the host.`
}

/** What is wrong with the packages that are not as ordered. */
const short = ({ order }: HostContext, names: ReadonlyArray<string>): string => {
  switch (order?.kind) {
    case "package_remove":
      return `${is(names, "is", "are")} still installed`
    case "rollback":
      return `${is(names, "is", "are")} not back at the version from before`
    default:
      return `${list(names)} did not reach the planned version`
  }
}

export const inPart = (context: HostContext): string => {
  const names = missing(context, context.evidence?.installed ?? {}).map((change) => change.name)
  return `The agent no longer knows the job and ${short(context, names)}. Look at the host before ordering again.`
}

export const byHand = (event: HostEvent): string => {
  if (event.type !== "settle.by_hand") return "Settled by hand."
  return event.verdict === "done"
    ? `Settled as done by ${event.by}; the manager has not seen it for itself.`
    : `Settled as not effective by ${event.by}.`
}
