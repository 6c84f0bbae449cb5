/** What the host machine notes down on its way: from context and event to the changed fields of the context. */
import { agentFailureWords } from "#core/AgentFailure.ts"
import type { HostCall, HostRecord } from "#core/HostCommand.ts"
import type { HostEvent } from "#core/HostEvent.ts"
import { IntentId } from "#core/Ids.ts"
import { initialHostContext, noWork, type Boot, type HostContext } from "./HostContext.ts"
import { failureOf } from "./hostEndings.ts"
import { adopt, isRebooted, missing, planOf, versionsOf } from "./hostFacts.ts"

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

const openIntent = (context: HostContext, event: HostEvent, action: "apply" | "reboot"): Changed => ({
  sends: context.sends + 1,
  intent: {
    id: IntentId.make(`${context.order?.id ?? "none"}/${context.sends + 1}`),
    action,
    opened_at: event.at
  },
  job_id: null,
  retry: null,
  failure: null
})

export const hostNotes = {
  next: ({ context }) => ({ seq: context.seq + 1 }),

  pollSeen: ({ context, event }) =>
    event.type === "poll.ok"
      ? { misses: 0, link_reason: event.reason, link_since: context.link_since ?? event.at }
      : {},
  missCounted: ({ context }) => ({ misses: context.misses + 1 }),
  failureSeen: ({ event }) =>
    event.type === "poll.failed" ? { link_reason: event.message || agentFailureWords[event.kind] } : {},
  linkChanged: ({ event }) => ({ link_since: event.at }),

  takeOrder: ({ context, event }) =>
    event.type === "order"
      ? { ...noWork, retire_asked: context.retire_asked, order: event.order, ordered_by: event.by, outcome: null }
      : {},
  forgetOrder: () => noWork,
  noteCancel: ({ event }) => ({ cancel_asked: by(event) }),
  noteRetire: ({ context, event }) => ({ retire_asked: by(event), cancel_asked: context.cancel_asked ?? by(event) }),

  keepBaseline: ({ context, event }) =>
    event.type === "baseline"
      ? {
          baseline: event.baseline,
          changes: planOf(context, event.baseline),
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

  openApply: ({ context, event }) => openIntent(context, event, "apply"),
  openReboot: ({ context, event }) => ({
    ...openIntent(context, event, "reboot"),
    reboot_from: context.boot,
    comm_tries: context.reboot_from === null ? 0 : context.comm_tries
  }),
  takeJob: ({ context, event }) => {
    if (event.type === "accepted") return { job_id: event.job_id }
    return event.type === "jobs" ? { job_id: adopt(context, event.jobs)?.id ?? context.job_id } : {}
  },
  noteBoot: ({ event }) => (event.type === "poll.ok" ? { boot: boot(event) } : {}),
  noteRebooted: ({ event }) => (event.type === "poll.ok" ? { rebooted: true, boot: boot(event) } : { rebooted: true }),

  noteFailure: ({ event }) => ({ failure: failureOf(event) }),
  noteNoReturn: () => ({
    failure: { verdict: "no_return", message: "The host has not come back.", code: null, kind: "connect_timeout" }
  }),
  planRetry: ({ context, event }) => plannedRetry(context, event),

  settle: ({ context }) => ({ settles: context.settles + 1, asks: 0, look: null }),
  countAsk: ({ context }) => ({ asks: context.asks + 1 }),
  askAfresh: () => ({ settles: initialHostContext.settles })
} satisfies Record<string, Note>
export type HostNote = keyof typeof hostNotes

/** The calls of each state; read from context alone, so that a restart asks the same again. */
export const hostCalls = {
  readBaseline: (context): HostCall => ({
    kind: "ReadBaseline",
    call: context.seq,
    selection:
      context.changes.length > 0
        ? { kind: "packages", names: context.changes.map((change) => change.name) }
        : (context.order?.selection ?? { kind: "all" })
  }),
  apply: (context): HostCall => ({
    kind: "Apply",
    call: context.seq,
    intent: openedIntent(context),
    names: missing(context, context.baseline?.installed ?? {}).map((change) => change.name)
  }),
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

function openedIntent(context: HostContext): IntentId {
  if (context.intent === null) throw new Error("a mutating call is made without an intent")
  return context.intent.id
}

const evidenceOf = (context: HostContext) =>
  ({
    kind: "ReadEvidence",
    call: context.seq,
    names: context.changes.map((change) => change.name)
  }) as const

export const intentOpened = (context: HostContext): HostRecord => ({
  kind: "IntentOpened",
  intent: openedIntent(context),
  action: context.intent?.action ?? "apply",
  baseline: context.baseline
})
