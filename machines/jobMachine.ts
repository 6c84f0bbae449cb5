/**
 * The life of a job: it offers its orders to the hosts and ends when the last of them has ended.
 * It counts rows, never events, so that a lost or repeated answer cannot make it wrong.
 */
import { assign, enqueueActions, setup } from "xstate"
import type { JobCommand } from "#core/JobCommand.ts"
import type { JobEvent } from "#core/JobEvent.ts"
import { initialJobContext, type JobContext } from "./JobContext.ts"
import { endingOf, jobEndingWords, type JobEnding } from "./jobEnding.ts"
import { rare, type HostTag, type StateMeta } from "./hostSetup.ts"

interface Given {
  readonly context: JobContext
  readonly event: JobEvent
}

type Commanded = { type: "command"; params: JobCommand }

const second = 1000
const day = 24 * 60 * 60 * second

export interface JobTuning {
  /** A queued job that nobody started starts itself. */
  readonly start_ms: number
  /** Orders are offered and hosts are counted again, in case a message was lost. */
  readonly recount_ms: number
}

export const productionJobTuning: JobTuning = { start_ms: 60 * second, recount_ms: 60 * second }

const jobDelays = (tuning: JobTuning) => ({ start: () => tuning.start_ms, recount: () => tuning.recount_ms })

const sameCounts = ({ context, event }: Given): boolean =>
  event.type === "counts" && JSON.stringify(event.counts) === JSON.stringify(context.counts)

const jobSetup = setup({
  types: {
    context: {} as JobContext,
    events: {} as JobEvent,
    tags: {} as HostTag,
    meta: {} as StateMeta,
    transitionMeta: {} as { readonly rare: true }
  },
  actions: {
    command: (_given: Given, _command: JobCommand) => {},
    next: assign(({ context }) => ({ seq: context.seq + 1 })),
    noteStart: assign(({ context, event }) => ({ started_at: context.started_at ?? event.at })),
    noteCounts: assign(({ event }) => (event.type === "counts" ? { counts: event.counts } : {})),
    noteCancel: assign(({ event }) => ({ cancel_asked: event.type === "cancel" ? event.by : "the manager" })),
    noteOverdue: assign({ overdue: true }),
    ask: enqueueActions<JobContext, JobEvent, undefined, JobEvent, never, Commanded, never, never, never>(
      ({ enqueue, context }) => {
        enqueue({
          type: "command",
          params:
            context.cancel_asked === null
              ? { kind: "OfferOrders", call: context.seq }
              : { kind: "CancelOrders", call: context.seq, by: context.cancel_asked }
        })
      }
    ),
    end: enqueueActions<JobContext, JobEvent, JobEnding, JobEvent, never, Commanded, never, never, never>(
      ({ enqueue, context }, state) => {
        const { counts } = context
        enqueue({ type: "command", params: { kind: "JobEnded", state, counts, message: jobEndingWords(counts) } })
      }
    ),
    alarmOverdue: enqueueActions<JobContext, JobEvent, undefined, JobEvent, never, Commanded, never, never, never>(
      ({ enqueue, context }) => {
        const { queued, open, uncertain } = context.counts
        const message = `The job has been running for a day: ${queued} hosts queued, ${open} at work, ${uncertain} uncertain. Look at these hosts.`
        enqueue({ type: "command", params: { kind: "Alarm", name: "jobOverdue", message } })
      }
    )
  },
  guards: {
    endsAs: ({ context, event }: Given, ending: JobEnding) =>
      event.type === "counts" && endingOf(event.counts, context.cancel_asked !== null) === ending,
    countsDiffer: (given: Given) => given.event.type === "counts" && !sameCounts(given),
    cancelNotNoted: ({ context }: Given) => context.cancel_asked === null,
    newlyOverdue: ({ context, event }: Given) =>
      !context.overdue && context.started_at !== null && event.at - context.started_at >= day
  },
  delays: jobDelays(productionJobTuning)
})

const endings = [
  { ending: "succeeded", words: "All hosts done" },
  { ending: "partially_failed", words: "Some hosts done" },
  { ending: "failed", words: "No host done" },
  { ending: "cancelled", words: "Cancelled" }
] as const

const ways = (except?: JobEnding) =>
  endings
    .filter(({ ending }) => ending !== except)
    .map(({ ending, words }) => ({
      guard: { type: "endsAs" as const, params: ending },
      target: `#${ending}` as const,
      actions: [{ type: "noteCounts" as const }, { type: "end" as const, params: ending }],
      description: words.toLowerCase(),
      ...(except === undefined ? {} : { meta: rare })
    }))

const ended = (ending: JobEnding, words: string) => ({
  id: ending,
  tags: ["rest" as const],
  meta: { words },
  on: { counts: ways(ending) }
})

export const jobMachine = jobSetup.createMachine({
  id: "job",
  context: initialJobContext,
  initial: "queued",
  states: {
    queued: {
      id: "queued",
      tags: ["busy"],
      meta: { words: "Waiting to start", limit: { delay: "start", next: "the job starts by itself" } },
      after: { start: { target: "#running", actions: "noteStart", description: "starts by itself" } },
      on: {
        start: { target: "#running", actions: "noteStart", description: "start" },
        cancel: { target: "#running", actions: ["noteStart", "noteCancel"], description: "cancel" }
      }
    },
    running: {
      id: "running",
      tags: ["busy"],
      meta: { words: "Hosts at work", limit: { delay: "recount", next: "hosts are counted again" } },
      entry: "ask",
      exit: "next",
      after: {
        recount: [
          {
            guard: "newlyOverdue",
            target: "#running",
            reenter: true,
            actions: ["noteOverdue", "alarmOverdue"],
            description: "count again"
          },
          { target: "#running", reenter: true, description: "count again" }
        ]
      },
      on: {
        resumed: { actions: ["next", "ask"] },
        cancel: { guard: "cancelNotNoted", actions: ["noteCancel", "next", "ask"] },
        counts: [...ways(), { guard: "countsDiffer", actions: "noteCounts" }]
      }
    },
    succeeded: ended("succeeded", "All hosts done"),
    partially_failed: ended("partially_failed", "Some hosts done"),
    failed: ended("failed", "No host done"),
    cancelled: ended("cancelled", "Cancelled")
  }
})
export type JobMachine = typeof jobMachine

export const jobMachineVersion = 1
export const readableJobVersions: ReadonlyArray<number> = [1]

/** The same chart with other times. */
export const makeJobMachine = (tuning: Partial<JobTuning>): JobMachine =>
  jobMachine.provide({ delays: jobDelays({ ...productionJobTuning, ...tuning }) })
