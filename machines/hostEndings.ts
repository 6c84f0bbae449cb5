/** How an order can end: the verdict and the sentence an operator reads. */
import type { HostEvent } from "#core/HostEvent.ts"
import type { Outcome, Verdict } from "#core/Order.ts"
import type { Failure, HostContext } from "./HostContext.ts"
import { isRebootDue, missing } from "./hostFacts.ts"

const packages = (count: number): string => (count === 1 ? "1 package" : `${count} packages`)

/** Names a few and counts the rest, so that the sentence stays a sentence. */
const list = (names: ReadonlyArray<string>): string =>
  names.length <= 3 ? names.join(", ") : `${names.slice(0, 3).join(", ")} and ${names.length - 3} more`

const rebootOwed = (context: HostContext): boolean | null => {
  const known = context.evidence ?? context.baseline
  if (known === null) return context.order?.kind === "reboot" && !context.rebooted ? true : null
  return isRebootDue(context, known) ? true : known.reboot_needed
}

const done = (context: HostContext): string => {
  const what =
    context.changes.length === 0
      ? context.rebooted
        ? "The host has restarted."
        : "Nothing had to be installed."
      : `${packages(context.changes.length)} installed and read back from the host${context.rebooted ? ", which has restarted" : ""}.`
  if (rebootOwed(context) === true) return `${what} A restart is still owed.`
  if (rebootOwed(context) === null && context.order?.reboot === "if_needed")
    return `${what} Whether a restart is needed cannot be known from this agent.`
  return what
}

const notEffective = (context: HostContext): string => {
  const names = missing(context, context.evidence?.installed ?? {}).map((change) => change.name)
  return names.length === 0
    ? "The agent reported success, but the host has not restarted. Look at the agent's log on the host."
    : `The agent reported success, but ${list(names)} did not reach the planned version. Look at the job's log and at the host.`
}

const inPart = (context: HostContext): string => {
  const names = missing(context, context.evidence?.installed ?? {}).map((change) => change.name)
  return `The agent no longer knows the job and ${list(names)} did not reach the planned version. Look at the host before ordering again.`
}

const byHand = (event: HostEvent): string => {
  if (event.type !== "settle.by_hand") return "Settled by hand."
  return event.verdict === "done"
    ? `Settled as done by ${event.by}; the manager has not seen it for itself.`
    : `Settled as not effective by ${event.by}.`
}

type Ending = (context: HostContext, event: HostEvent) => { readonly verdict: Verdict; readonly message: string }

const fixed =
  (verdict: Verdict, message: string): Ending =>
  () => ({ verdict, message })

export const hostEndings = {
  done: (context) => ({ verdict: "done", message: done(context) }),
  nothingToDo: fixed("nothing_to_do", "Nothing to install: none of the chosen packages has a pending patch."),
  notEffective: (context) => ({ verdict: "not_effective", message: notEffective(context) }),
  inPart: (context) => ({ verdict: "not_effective", message: inPart(context) }),
  failure: ({ failure }) => ({
    verdict: failure?.verdict ?? "failed",
    message: failure?.message ?? "The work on this host failed."
  }),
  databaseDirty: ({ ran }) => ({
    verdict: "failed",
    message: ran
      ? "Packages were installed, but the host's package database is not clean, so it was not restarted. Run dpkg --configure -a on the host."
      : "The host's package database is not clean, so nothing was sent. Run dpkg --configure -a on the host, then order again."
  }),
  noReturn: fixed("no_return", "The host was asked to restart and has not come back. Look at its console."),
  deferred: fixed("deferred", "The maintenance window closed before anything was sent."),
  cancelled: ({ cancel_asked, retire_asked, ran }) => ({
    verdict: "cancelled",
    message: `Cancelled by ${cancel_asked ?? retire_asked ?? "the manager"} ${ran ? "after a try that had no full effect" : "before anything was installed"}.`
  }),
  unresolved: fixed(
    "unresolved",
    "It cannot be found out whether the host carried out what it was sent. Look at the host, then ask again or settle it by hand."
  ),
  byHand: (_, event) => ({
    verdict: event.type === "settle.by_hand" ? event.verdict : "not_effective",
    message: byHand(event)
  }),
  removed: (context) =>
    context.intent !== null || context.ran
      ? { verdict: "unresolved", message: "The host was removed while its work was under way; the outcome is unknown." }
      : { verdict: "cancelled", message: "The host was removed before anything was sent." }
} satisfies Record<string, Ending>
export type HostEnding = keyof typeof hostEndings

/** The order's result in the words of the given ending; null when no order is carried. */
export const outcomeOf = (context: HostContext, event: HostEvent, as: HostEnding): Outcome | null => {
  if (context.order === null) return null
  const ending: Ending = hostEndings[as]
  return {
    order_id: context.order.id,
    ...ending(context, event),
    ran: context.ran || context.job_id !== null,
    reboot_pending: rebootOwed(context),
    rebooted: context.rebooted,
    changes: context.changes,
    installed: context.evidence?.installed ?? {},
    error_code: context.failure?.code ?? null,
    failure: context.failure?.kind ?? null
  }
}

/** What one event says about a try that did not succeed. */
export const failureOf = (event: HostEvent): Failure => {
  switch (event.type) {
    case "unavailable":
    case "unsent":
      return { verdict: "unavailable", message: event.message, code: null, kind: event.kind }
    case "refused":
      return {
        verdict: "refused",
        message: `The agent refused: ${event.message}`,
        code: event.code,
        kind: "rejected"
      }
    case "job":
      return {
        verdict: "failed",
        message: `The agent's job failed: ${event.job.error ?? (event.job.message || event.job.status)}`,
        code: event.job.error_code,
        kind: null
      }
    case "baseline":
      return {
        verdict: "unavailable",
        message: "The agent is busy with another job. Order again when it has ended.",
        code: null,
        kind: "busy"
      }
    case "evidence":
      return {
        verdict: "unavailable",
        message: "What was sent had no effect on the host, read twice. Look at the agent's log on the host.",
        code: null,
        kind: null
      }
    default:
      return {
        verdict: "unavailable",
        message: "The agent did not answer in time. Look at the agent on the host.",
        code: null,
        kind: "timed_out"
      }
  }
}
