/** What the host machine notes down on its way: from context and event to the changed fields of the context. */
import { agentFailureWords } from "#core/AgentFailure.ts"
import { namesOfOrder } from "#core/changesOfOrder.ts"
import type { HostCall, HostRecord, IntentAction } from "#core/HostCommand.ts"
import type { HostEvent } from "#core/HostEvent.ts"
import { IntentId } from "#core/Ids.ts"
import { bootsSeen } from "./hostBoots.ts"
import { initialHostContext, noWork, type Boot, type HostContext } from "./HostContext.ts"
import { failureOf } from "./hostEndings.ts"
import { planChanged, preCheckFailed } from "./hostSentences.ts"
import { adopt, isRebooted, missing, packageActionOf, planOf, versionsOf } from "./hostFacts.ts"

type Changed = Partial<HostContext>
type Note = (given: { readonly context: HostContext; readonly event: HostEvent }) => Changed

const by = (event: HostEvent): string => ("by" in event ? event.by : "the manager")

const boot = (reading: Boot): Boot => ({ at: reading.at, uptime_seconds: reading.uptime_seconds })

/** The next try after this event, as the context would hold it. */
export const plannedRetry = (context: HostContext, event: HostEvent): Changed => {
  const after_ms = "retry_after_ms" in event ? event.retry_after_ms : null
  return event.type === "job"
    ? { retry: { why: "job", after_ms }, attempts: context.attempts + 1 }
    : { retry: { why: "unavailable", after_ms }, comm_tries: context.comm_tries + 1 }
}

/** An order that a window cut short comes again, and counts its calls from one each time. */
const turnOf = ({ order }: HostContext): string =>
  order === null || order.deferrals === 0 ? "" : `${order.deferrals}.`

const openIntent = (context: HostContext, event: HostEvent, action: IntentAction): Changed => ({
  sends: context.sends + 1,
  intent: {
    id: IntentId.make(`${context.order?.id ?? "none"}/${turnOf(context)}${context.sends + 1}`),
    action,
    opened_at: event.at
  },
  job_id: null,
  job_seen: null,
  retry: null,
  failure: null
})

export const hostNotes = {
  next: ({ context }) => ({ seq: context.seq + 1 }),

  pollSeen: ({ context, event }) =>
    event.type === "poll.ok"
      ? {
          misses: 0,
          link_reason: event.reason,
          link_since: context.link_since ?? event.at,
          ...bootsSeen(context, event)
        }
      : {},
  missCounted: ({ context }) => ({ misses: context.misses + 1 }),
  failureSeen: ({ event }) =>
    event.type === "poll.failed" ? { link_reason: event.message || agentFailureWords[event.kind] } : {},
  linkChanged: ({ event }) => ({ link_since: event.at }),
  noteReverted: ({ event }) =>
    event.type === "inventory.older"
      ? { reverted: { at: event.at, order_id: event.order_id, packages: event.packages } }
      : {},

  takeOrder: ({ context, event }) =>
    event.type === "order"
      ? {
          ...noWork,
          retire_asked: context.retire_asked,
          order: event.order,
          ordered_by: event.by,
          outcome: null,
          reverted: null
        }
      : {},
  forgetOrder: () => noWork,
  noteCancel: ({ event }) => ({ cancel_asked: by(event) }),
  noteRetire: ({ context, event }) => ({ retire_asked: by(event), cancel_asked: context.cancel_asked ?? by(event) }),

  keepBaseline: ({ context, event }) =>
    event.type === "baseline"
      ? {
          baseline: event.baseline,
          changes: planOf(context, event.baseline),
          services_before: context.sends === 0 ? event.baseline.services : context.services_before,
          boot: boot(event.baseline),
          rebooted: isRebooted(context, event.baseline)
        }
      : {},
  keepEvidence: ({ context, event }) =>
    event.type === "evidence"
      ? { evidence: event.evidence, boot: boot(event.evidence), rebooted: isRebooted(context, event.evidence) }
      : {},
  keepLook: ({ context, event }) =>
    event.type === "evidence" ? { look: versionsOf(context, event.evidence.installed) } : {},
  dropLook: () => ({ look: null }),

  openChange: ({ context, event }) =>
    openIntent(context, event, context.order === null ? "apply" : packageActionOf(context.order)),
  openReboot: ({ context, event }) => ({
    ...openIntent(context, event, "reboot"),
    reboot_from: context.boot,
    comm_tries: context.reboot_from === null ? 0 : context.comm_tries
  }),
  takeJob: ({ context, event }) => {
    if (event.type === "accepted") return { job_id: event.job_id }
    return event.type === "jobs" ? { job_id: adopt(context, event.jobs)?.id ?? context.job_id } : {}
  },
  noteJobSeen: ({ event }) => (event.type === "job" ? { job_seen: event.job.status } : {}),
  noteBoot: ({ event }) => (event.type === "poll.ok" ? { boot: boot(event) } : {}),
  noteRebooted: ({ event }) => (event.type === "poll.ok" ? { rebooted: true, boot: boot(event) } : { rebooted: true }),

  noteFailure: ({ event }) => ({ failure: failureOf(event) }),
  notePlanChanged: ({ context }) => ({ failure: { ...planChanged(context), code: null, kind: null } }),
  notePreCheck: ({ context }) => ({ failure: { ...preCheckFailed(context), code: null, kind: null } }),
  noteNoReturn: () => ({
    failure: { verdict: "no_return", message: "The host has not come back.", code: null, kind: "connect_timeout" }
  }),
  planRetry: ({ context, event }) => plannedRetry(context, event),

  settle: ({ context }) => ({ settles: context.settles + 1, asks: 0, look: null }),
  countServiceLook: ({ context }) => ({ service_looks: context.service_looks + 1 }),
  countAsk: ({ context }) => ({ asks: context.asks + 1 }),
  askAfresh: () => ({ settles: initialHostContext.settles })
} satisfies Record<string, Note>
export type HostNote = keyof typeof hostNotes

/** The calls of each state; read from context alone, so that a restart asks the same again. */
export const hostCalls = {
  readBaseline: (context): HostCall => ({
    kind: "ReadBaseline",
    call: context.seq,
    selection: asked(context),
    services: servicesOf(context)
  }),
  change: (context): HostCall => {
    const known = { call: context.seq, intent: openedIntent(context) }
    const wanted = missing(context, context.baseline?.installed ?? {})
    const one = (): string => {
      const [first, ...more] = wanted
      if (first === undefined || more.length > 0) throw new Error("such a call changes exactly one package")
      return first.name
    }
    switch (context.intent?.action) {
      case "install":
        return {
          kind: "Install",
          ...known,
          packages: wanted.map(({ name, to, goal }) => ({ name, version: goal === "exactly" ? to : null }))
        }
      case "update":
        return { kind: "Update", ...known, name: one() }
      case "remove":
        return { kind: "Remove", ...known, name: one() }
      case "rollback": {
        const job_id = context.order?.undone_agent_job_id ?? null
        if (job_id === null) throw new Error("a rollback by the agent names no job of the agent")
        return { kind: "Rollback", ...known, job_id }
      }
      default:
        return { kind: "Apply", ...known, names: wanted.map(({ name }) => name) }
    }
  },
  reboot: (context): HostCall => ({
    kind: "Reboot",
    call: context.seq,
    intent: openedIntent(context),
    delay_seconds: context.order?.reboot_delay_seconds ?? 0
  }),
  watch: (context): HostCall => {
    if (context.job_id === null) throw new Error("a job is watched that has no id")
    return { kind: "Watch", call: context.seq, job_id: context.job_id }
  },
  readJobs: (context): HostCall => ({ kind: "ReadJobs", call: context.seq }),
  readEvidence: (context): HostCall => ({ ...evidenceOf(context), standing: false }),
  keepReadingEvidence: (context): HostCall => ({ ...evidenceOf(context), standing: true }),
  probe: (context): HostCall => ({ kind: "Probe", call: context.seq })
} satisfies Record<string, (context: HostContext) => HostCall>
export type HostCallName = keyof typeof hostCalls

/** A plan is read anew each time; without one the first reading is the plan. */
const asked = ({ order, changes }: HostContext) => {
  if (order === null) return { kind: "all" } as const
  return order.planned === null && changes.length > 0
    ? ({ kind: "packages", names: changes.map(({ name }) => name) } as const)
    : namesOfOrder(order)
}

const servicesOf = ({ order }: HostContext): ReadonlyArray<string> => order?.services ?? []

function openedIntent(context: HostContext): IntentId {
  if (context.intent === null) throw new Error("a mutating call is made without an intent")
  return context.intent.id
}

const evidenceOf = (context: HostContext) =>
  ({
    kind: "ReadEvidence",
    call: context.seq,
    names: context.changes.map((change) => change.name),
    services: servicesOf(context)
  }) as const

export const intentOpened = (context: HostContext): HostRecord => ({
  kind: "IntentOpened",
  intent: openedIntent(context),
  action: context.intent?.action ?? "apply",
  baseline: context.baseline
})
