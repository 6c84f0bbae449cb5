/**
 * The life of a job: it hands its orders to the hosts when they may start and ends when the last of them has ended.
 * It counts rows, never events, so that a lost or repeated answer cannot make it wrong.
 */
import { assign, enqueueActions, setup } from "xstate"
import type { JobCommand } from "#core/JobCommand.ts"
import type { JobCounted, JobEvent } from "#core/JobEvent.ts"
import { initialJobContext, type JobContext } from "./JobContext.ts"
import { endingOf, type JobEnding, jobEndingWords, stopWords } from "./jobEnding.ts"
import { rare, type HostTag, type StateMeta } from "./hostSetup.ts"

interface Given {
  readonly context: JobContext
  readonly event: JobEvent
}

type Commanded = { type: "command"; params: JobCommand }

const second = 1000
const hour = 60 * 60 * second
const day = 24 * hour

export interface JobTuning {
  /** A queued job that nobody looked at starts itself. */
  readonly start_ms: number
  /** Orders are judged and hosts are counted again, in case a message was lost. */
  readonly recount_ms: number
  /** The same while nothing may start. */
  readonly remind_ms: number
}

export const productionJobTuning: JobTuning = { start_ms: 60 * second, recount_ms: 60 * second, remind_ms: hour }

const jobDelays = (tuning: JobTuning) => ({
  start: () => tuning.start_ms,
  recount: () => tuning.recount_ms,
  remind: () => tuning.remind_ms
})

/** What of a look is remembered, beside the counts themselves. */
const noted = ({ counts, unhealthy, unresolved, next_at }: JobCounted | JobContext) => ({
  counts,
  unhealthy,
  unresolved,
  next_at
})

const counted = (holds: (event: JobCounted, context: JobContext) => boolean) => {
  return ({ context, event }: Given): boolean => event.type === "counts" && holds(event, context)
}

const leftOf = ({ counts }: JobCounted): number => counts.queued + counts.open + counts.uncertain

const isLimitReached = ({ counts, unhealthy, unresolved, max_failed }: JobCounted): boolean =>
  max_failed !== null && counts.queued > 0 && counts.failed + unresolved + unhealthy > max_failed

const overdueWords = (context: JobContext): string => {
  const { queued, open, uncertain } = context.counts
  if (context.paused_by !== null)
    return `The job has been paused by ${context.paused_by} for a day: ${queued} hosts wait. Resume or cancel it.`
  if (open + uncertain === 0)
    return `The job has been waiting for a day: ${queued} hosts cannot start yet. Its page says what each waits for.`
  return `The job has been running for a day: ${queued} hosts wait, ${open} at work, ${uncertain} uncertain. Look at these hosts.`
}

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
    noteSince: assign(({ event }) => ({ since: event.at })),
    noteCounts: assign(({ event }) => (event.type === "counts" ? noted(event) : {})),
    notePause: assign(({ event }) => ({ paused_by: event.type === "pause" ? event.by : "the manager" })),
    forgetPause: assign({ paused_by: null }),
    noteCancel: assign(({ event }) => ({
      cancel_asked: event.type === "cancel" ? event.by : "the manager",
      paused_by: null
    })),
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
    passWave: enqueueActions<JobContext, JobEvent, undefined, JobEvent, never, Commanded, never, never, never>(
      ({ enqueue, event }) => {
        if (event.type !== "counts" || event.wave === null) return
        const { wave } = event
        enqueue.assign({ wave })
        enqueue({ type: "command", params: { kind: "WavePassed", wave } })
      }
    ),
    stop: enqueueActions<JobContext, JobEvent, undefined, JobEvent, never, Commanded, never, never, never>(
      ({ enqueue, event }) => {
        if (event.type !== "counts" || event.max_failed === null) return
        const { counts, unhealthy, unresolved, max_failed } = event
        const numbers = { failed: counts.failed, unresolved, unhealthy, max_failed }
        const reason = stopWords(numbers)
        enqueue.assign({ stopped: reason })
        enqueue({ type: "command", params: { kind: "Stopped", reason, ...numbers, not_started: counts.queued } })
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
        enqueue({ type: "command", params: { kind: "Alarm", name: "jobOverdue", message: overdueWords(context) } })
      }
    )
  },
  guards: {
    endsAs: ({ context, event }: Given, ending: JobEnding) =>
      event.type === "counts" && endingOf(event.counts, context.cancel_asked !== null) === ending,
    limitReached: counted((event, context) => context.stopped === null && isLimitReached(event)),
    wavePassed: counted((event, context) => event.wave !== null && event.wave > context.wave),
    nothingMoves: counted((event) => event.startable === 0 && event.counts.open + event.counts.uncertain === 0),
    somethingMoves: counted((event) => (event.startable ?? 0) + event.counts.open + event.counts.uncertain > 0),
    someLeft: counted((event) => leftOf(event) > 0),
    countsDiffer: counted((event, context) => JSON.stringify(noted(event)) !== JSON.stringify(noted(context))),
    cancelNotNoted: ({ context }: Given) => context.cancel_asked === null,
    aDayHere: ({ context, event }: Given) => {
      const since = context.since ?? context.started_at
      return since !== null && event.at - since >= day
    }
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

/** What a look can mean while hosts are left, apart from a change of state. */
const steps = [
  { guard: "limitReached", actions: ["noteCounts", "stop", "next", "ask"] },
  { guard: "wavePassed", actions: ["noteCounts", "passWave", "next", "ask"] }
] as const
const differ = { guard: "countsDiffer", actions: "noteCounts" } as const

const toRunning = { target: "#running", actions: ["noteCounts", "noteStart", "noteSince"] } as const
const toWaiting = { target: "#waiting", actions: ["noteCounts", "noteSince"] } as const

const pause = { target: "#paused", actions: ["notePause", "noteSince"], description: "pause" } as const
const cancelled = {
  guard: "cancelNotNoted",
  target: "#running",
  actions: ["noteStart", "noteSince", "noteCancel"],
  description: "cancel"
} as const

/** Everything is looked at again, and once a day somebody is told. */
const again = <const S extends "running" | "waiting" | "paused">(state: S) =>
  [
    {
      guard: "aDayHere",
      target: `#${state}`,
      reenter: true,
      actions: ["alarmOverdue", "noteSince"],
      description: "count again"
    },
    { target: `#${state}`, reenter: true, description: "count again" }
  ] as const

const ended = <const E extends JobEnding>(ending: E, words: string) => ({
  id: ending,
  tags: ["rest" as const],
  meta: { words },
  on: {
    counts: [
      ...ways(ending),
      {
        guard: "someLeft" as const,
        target: "#running" as const,
        actions: ["noteCounts" as const, "noteSince" as const],
        description: "a host is at work again",
        meta: rare
      },
      {
        guard: "countsDiffer" as const,
        actions: [{ type: "noteCounts" as const }, { type: "end" as const, params: ending }]
      }
    ]
  }
})

export const jobMachine = jobSetup.createMachine({
  id: "job",
  context: initialJobContext,
  initial: "queued",
  states: {
    queued: {
      id: "queued",
      tags: ["busy"],
      meta: { words: "Not looked at yet", limit: { delay: "start", next: "the job starts by itself" } },
      after: { start: { target: "#running", actions: ["noteStart", "noteSince"], description: "starts by itself" } },
      on: {
        start: { target: "#running", actions: ["noteStart", "noteSince"], description: "start" },
        pause,
        cancel: { target: "#running", actions: ["noteStart", "noteSince", "noteCancel"], description: "cancel" },
        counts: [
          ...ways(),
          { guard: "somethingMoves", ...toRunning, description: "hosts may start" },
          { guard: "nothingMoves", ...toWaiting, description: "nothing may start yet" }
        ]
      }
    },
    waiting: {
      id: "waiting",
      tags: ["busy"],
      meta: {
        words: "Waits for a window, a time or a host",
        limit: { delay: "remind", next: "hosts are counted again" }
      },
      entry: "ask",
      exit: "next",
      after: { remind: again("waiting") },
      on: {
        resumed: { actions: ["next", "ask"] },
        pause,
        cancel: cancelled,
        counts: [...ways(), ...steps, { guard: "somethingMoves", ...toRunning, description: "hosts may start" }, differ]
      }
    },
    running: {
      id: "running",
      tags: ["busy"],
      meta: { words: "Hosts at work", limit: { delay: "recount", next: "hosts are counted again" } },
      entry: "ask",
      exit: "next",
      after: { recount: again("running") },
      on: {
        resumed: { actions: ["next", "ask"] },
        pause: { guard: "cancelNotNoted", ...pause },
        cancel: { guard: "cancelNotNoted", actions: ["noteCancel", "next", "ask"] },
        counts: [
          ...ways(),
          ...steps,
          { guard: "nothingMoves", ...toWaiting, description: "nothing may start now" },
          differ
        ]
      }
    },
    paused: {
      id: "paused",
      tags: ["busy"],
      meta: { words: "Paused: nothing new is started", limit: { delay: "remind", next: "hosts are counted again" } },
      entry: "ask",
      exit: "next",
      after: { remind: again("paused") },
      on: {
        resumed: { actions: ["next", "ask"] },
        resume: { target: "#running", actions: ["forgetPause", "noteStart", "noteSince"], description: "resume" },
        cancel: cancelled,
        counts: [...ways(), ...steps, differ]
      }
    },
    succeeded: ended("succeeded", "All hosts done"),
    partially_failed: ended("partially_failed", "Some hosts done"),
    failed: ended("failed", "No host done"),
    cancelled: ended("cancelled", "Cancelled")
  }
})
export type JobMachine = typeof jobMachine

export const jobMachineVersion = 2
export const readableJobVersions: ReadonlyArray<number> = [1, 2]

/** The same chart with other times. */
export const makeJobMachine = (tuning: Partial<JobTuning>): JobMachine =>
  jobMachine.provide({ delays: jobDelays({ ...productionJobTuning, ...tuning }) })
