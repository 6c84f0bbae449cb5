/** The host machine's guards by name. */
import { agentFailureWords } from "#core/AgentFailure.ts"
import type { HostEvent } from "#core/HostEvent.ts"
import { bootsTellNews } from "./hostBoots.ts"
import type { HostContext } from "./HostContext.ts"
import {
  adopt,
  allReached,
  bootedSince,
  fitsWindow,
  isAgentRollback,
  isCalm,
  isEnded,
  isPlanChanged,
  isRebootDue,
  isRebooted,
  isSecondLook,
  isTooLate,
  isUntouched,
  isWindowClosed,
  planOf,
  preCheckProblems,
  rebootExpectedBy,
  SERVICE_LOOKS,
  servicesDown
} from "./hostFacts.ts"
import { plannedRetry } from "./hostActions.ts"

interface Given {
  readonly context: HostContext
  readonly event: HostEvent
}

const wished = (context: HostContext): boolean => context.cancel_asked !== null || context.retire_asked !== null

const reached = ({ context, event }: Given): boolean => {
  if (event.type !== "evidence" || context.order === null) return false
  if (context.order.kind === "reboot" && !isRebooted(context, event.evidence)) return false
  return allReached(context.changes, event.evidence.installed, context.baseline?.format ?? "other")
}

const rebootAllowed = ({ context, event }: Given): boolean => !wished(context) && !isWindowClosed(context, event.at)

export const hostGuards = {
  isHealthy: ({ event }: Given) => event.type === "poll.ok" && event.health === "healthy",
  isDegraded: ({ event }: Given) => event.type === "poll.ok" && event.health === "degraded",
  pollTellsNews: ({ context, event }: Given) =>
    event.type === "poll.ok" &&
    (context.misses > 0 || context.link_reason !== event.reason || bootsTellNews(context, event)),
  failureTellsNews: ({ context, event }: Given) =>
    event.type === "poll.failed" && context.link_reason !== (event.message || agentFailureWords[event.kind]),
  isStable: ({ context }: Given) => !context.unstable,
  revertNotNoted: ({ context, event }: Given) =>
    event.type === "inventory.older" && context.reverted === null && context.outcome?.order_id === event.order_id,
  thirdMiss: ({ context }: Given) => context.misses >= 2,

  callMatches: ({ context, event }: Given) => "call" in event && event.call === context.seq,
  intentMatches: ({ context, event }: Given) => "intent" in event && event.intent === context.intent?.id,
  orderMatches: ({ context, event }: Given) => event.type === "cancel" && event.order_id === context.order?.id,
  jobMatches: ({ context, event }: Given) =>
    event.type === "job"
      ? event.job.id === context.job_id
      : event.type === "job.gone" && event.job_id === context.job_id,

  isForced: ({ event }: Given) => event.type === "retire" && event.force,
  wished: ({ context }: Given) => wished(context),
  cancelNotNoted: ({ context }: Given) => context.cancel_asked === null,
  retireNotNoted: ({ context }: Given) => context.retire_asked === null,
  retireAsked: ({ context }: Given) => context.retire_asked !== null,
  ran: ({ context }: Given) => context.ran,
  retryPlanned: ({ context }: Given) => context.retry !== null,
  settledTooOften: ({ context }: Given) => context.settles > 6,
  named: ({ context }: Given) => context.job_id !== null,
  unnamed: ({ context }: Given) => context.job_id === null,
  forPackages: ({ context }: Given) => context.intent !== null && context.intent.action !== "reboot",
  forReboot: ({ context }: Given) => context.intent?.action === "reboot",
  answering: ({ context }: Given) => context.misses === 0,
  rebootExpected: ({ context }: Given) => context.intent?.action === "reboot",
  neverReturned: ({ context }: Given) => context.outcome?.verdict === "no_return",

  tooLate: ({ context, event }: Given) => isTooLate(context, event.at),
  triesLeft: ({ context }: Given) => context.comm_tries < 3,
  tryFits: ({ context, event }: Given) => fitsWindow({ ...context, ...plannedRetry(context, event) }, event.at),
  firstFailure: ({ context }: Given) => context.attempts === 0,

  nothingToDo: ({ context, event }: Given) =>
    event.type === "baseline" &&
    context.order !== null &&
    context.order.kind !== "reboot" &&
    planOf(context, event.baseline).length === 0 &&
    !isRebootDue(context, event.baseline),
  alreadyThere: ({ context, event }: Given) => {
    if (event.type !== "baseline" || context.order === null) return false
    const plan = planOf(context, event.baseline)
    if (plan.length === 0) return isRebooted(context, event.baseline)
    return allReached(plan, event.baseline.installed, event.baseline.format)
  },
  rebootOwed: ({ context, event }: Given) => event.type === "baseline" && isRebootDue(context, event.baseline),
  planChanged: ({ context, event }: Given) => event.type === "baseline" && isPlanChanged(context, event.baseline),
  preCheckFails: ({ context, event }: Given) =>
    event.type === "baseline" && preCheckProblems(context, event.baseline).length > 0,
  onlyReboot: ({ context, event }: Given) => event.type === "baseline" && planOf(context, event.baseline).length === 0,
  foreignJob: ({ event }: Given) => event.type === "baseline" && event.baseline.active_job_id !== null,
  databaseDirty: ({ event }: Given) =>
    (event.type === "baseline" && event.baseline.database_clean === false) ||
    (event.type === "evidence" && event.evidence.database_clean === false),

  isRetryable: ({ event }: Given) =>
    (event.type === "refused" && event.retryable) || (event.type === "job" && event.job.retryable),
  jobCompleted: ({ event }: Given) => event.type === "job" && event.job.status === "completed",
  jobFailed: ({ event }: Given) => event.type === "job" && isEnded(event.job) && event.job.status !== "completed",
  seenAnew: ({ context, event }: Given) =>
    event.type === "job" && isAgentRollback(context) && event.job.status !== context.job_seen,
  neverBegan: ({ context }: Given) => isAgentRollback(context) && context.job_seen === "pending",
  jobFound: ({ context, event }: Given) => event.type === "jobs" && adopt(context, event.jobs) !== undefined,

  bootedMeanwhile: ({ context, event }: Given) => event.type === "poll.ok" && bootedSince(context.boot, event),
  bootedAsAsked: ({ context, event }: Given) =>
    (event.type === "poll.ok" && bootedSince(context.reboot_from, event)) ||
    (event.type === "evidence" && bootedSince(context.reboot_from, event.evidence)),

  reached,
  rebootDue: ({ context, event }: Given) => event.type === "evidence" && isRebootDue(context, event.evidence),
  rebootAllowed,
  serviceDown: ({ context, event }: Given) =>
    event.type === "evidence" && servicesDown(context, event.evidence).length > 0,
  mayComeUp: ({ context }: Given) => context.service_looks < SERVICE_LOOKS,
  noJobActive: ({ event }: Given) => event.type === "evidence" && event.evidence.active_job_id === null,
  rebootMayCome: ({ context, event }: Given) =>
    context.intent?.action === "reboot" && event.at < rebootExpectedBy(context.intent.opened_at, context.order),
  calm: ({ event }: Given) => event.type === "evidence" && isCalm(event.evidence),
  secondLook: ({ context, event }: Given) => event.type === "evidence" && isSecondLook(context, event.evidence),
  untouched: ({ context, event }: Given) => event.type === "evidence" && isUntouched(context, event.evidence)
}
export type HostGuard = keyof typeof hostGuards
type Guard = (given: Given) => boolean
/** A guard by name, or its negation. */
export type HostCondition = HostGuard | `!${HostGuard}`

const isNegated = (condition: HostCondition): condition is `!${HostGuard}` => condition.startsWith("!")

const isGuard = (name: string): name is HostGuard => Object.hasOwn(hostGuards, name)

/** All conditions hold. Guards in `without` hold always: the switch by which tests prove that each is needed. */
export const makeWhen =
  (without: ReadonlySet<HostGuard>, guards: Readonly<Record<HostGuard, Guard>> = hostGuards) =>
  (given: Given, conditions: ReadonlyArray<HostCondition>): boolean =>
    conditions.every((condition) => {
      const name = isNegated(condition) ? condition.slice(1) : condition
      if (!isGuard(name)) throw new Error(`the machine names a guard that does not exist: ${name}`)
      const holds = without.has(name) || guards[name](given)
      return isNegated(condition) ? !holds : holds
    })
