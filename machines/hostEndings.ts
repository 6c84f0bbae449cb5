/** How an order can end: the verdict and the sentence an operator reads. */
import type { HostEvent } from "#core/HostEvent.ts"
import type { Outcome, Verdict } from "#core/Order.ts"
import type { Failure, HostContext } from "./HostContext.ts"
import {
  byHand,
  deferred,
  done,
  inPart,
  notEffective,
  nothingToDo,
  planChanged,
  preCheckFailed,
  rebootOwed,
  serviceDown
} from "./hostSentences.ts"

type Ending = (context: HostContext, event: HostEvent) => { readonly verdict: Verdict; readonly message: string }

const fixed =
  (verdict: Verdict, message: string): Ending =>
  () => ({ verdict, message })

export const hostEndings = {
  done: (context) => ({ verdict: "done", message: done(context) }),
  nothingToDo: (context) => ({ verdict: "nothing_to_do", message: nothingToDo(context) }),
  planChanged,
  preCheckFailed,
  serviceDown: (context) => ({ verdict: "service_down", message: serviceDown(context) }),
  notExecuted: fixed(
    "not_executed",
    "The agent took the rollback and never began it, as agents of today do, so nothing was undone. Undo by version or by hand. Restart the agent: until then it counts the rollback as a job and refuses to restart the host."
  ),
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
  deferred: (context, event) => ({ verdict: "deferred", message: deferred(context, event) }),
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

const lockedOut = /could not get lock|unable to (acquire|lock)|is locked by another|waiting for (cache )?lock/i

const jobFailed = (said: string): string =>
  lockedOut.test(said)
    ? `Blocked by a package lock: another program holds the host's package manager. End it or wait for it. The agent said: ${said}`
    : `The agent's job failed: ${said}`

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
        message: jobFailed(event.job.error ?? (event.job.message || event.job.status)),
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
