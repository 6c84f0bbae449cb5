/** Ways that several states of the work region share. */
import type { HostCondition } from "./hostGuards.ts"
import { close, end, note, rare, when } from "./hostSetup.ts"

interface Way {
  readonly guard?: ReturnType<typeof when>
  readonly target: "#verifying" | "#idle" | "#retrying" | "#failed"
  readonly actions: ReadonlyArray<ReturnType<typeof close> | ReturnType<typeof note> | ReturnType<typeof end>>
  readonly description: string
  readonly meta?: typeof rare
}

/** The same ways, each under further conditions. */
export const under = (conditions: ReadonlyArray<HostCondition>, ways: ReadonlyArray<Way>): Array<Way> =>
  ways.map((way) => ({ ...way, guard: when(...conditions, ...(way.guard?.params ?? [])) }))

/** Nothing is out: end a cancelled order, plan another try, or give up. */
const tryAgain = (
  retry: Pick<Way, "description" | "meta">,
  ...before: ReadonlyArray<ReturnType<typeof close>>
): ReadonlyArray<Way> => [
  {
    guard: when("wished", "ran"),
    target: "#verifying",
    actions: [...before, note("noteFailure", "planRetry")],
    description: "cancelled after a try",
    meta: rare
  },
  {
    guard: when("wished"),
    target: "#idle",
    actions: [...before, end("cancelled")],
    description: "cancelled",
    meta: rare
  },
  {
    guard: when("triesLeft", "tryFits"),
    target: "#retrying",
    actions: [...before, note("noteFailure", "planRetry")],
    ...retry
  },
  {
    guard: when("!tryFits", "ran"),
    target: "#verifying",
    actions: [...before, note("noteFailure", "planRetry")],
    description: "window closes",
    meta: rare
  },
  {
    guard: when("!tryFits"),
    target: "#idle",
    actions: [...before, note("noteFailure"), end("deferred")],
    description: "window closes",
    meta: rare
  },
  {
    target: "#failed",
    actions: [...before, note("noteFailure"), end("failure")],
    description: "tried too often",
    meta: rare
  }
]

/** Nothing could be read, so nothing was sent. */
export const unavailable = tryAgain({ description: "unavailable" })

/** Read twice: what was sent has done nothing. */
export const noEffect = tryAgain({ description: "no effect" }, close("no_effect"))

const notTaken = under(["intentMatches"], tryAgain({ description: "not taken", meta: rare }, close("no_effect")))

/** The agent said no, or not one byte left: certainly no effect, so nothing has to be asked. */
export const refusedOrUnsent = {
  refused: [
    {
      guard: when("intentMatches", "!isRetryable", "!wished"),
      target: "#failed",
      actions: [note("noteFailure"), end("failure"), close("no_effect")],
      description: "refused",
      meta: rare
    },
    ...notTaken
  ],
  unsent: notTaken
} as const

/** The agent's word about its own job: believed about failure, checked about success. */
export const jobEnds = [
  {
    guard: when("jobMatches", "jobCompleted"),
    target: "#verifying",
    actions: close("ran"),
    description: "job completed"
  },
  {
    guard: when("jobMatches", "jobFailed", "isRetryable", "firstFailure", "!wished", "tryFits"),
    target: "#retrying",
    actions: [note("noteFailure", "planRetry"), close("ran")],
    description: "failed, retryable"
  },
  {
    guard: when("jobMatches", "jobFailed"),
    target: "#failed",
    actions: [note("noteFailure"), close("ran"), end("failure")],
    description: "failed"
  }
] as const

/** The two doors to `done` share these ways; both rest on versions read from the host. */
export const proved = <Down extends ReadonlyArray<unknown>>(
  done: string,
  reboot: Pick<Way, "description" | "meta">,
  /** What happens where a service has not survived it. */
  down: (conditions: ReadonlyArray<HostCondition>) => Down,
  more: ReadonlyArray<HostCondition> = []
) =>
  [
    {
      guard: when("callMatches", ...more, "reached", "rebootDue", "rebootAllowed"),
      target: "#leaving",
      actions: [note("keepEvidence"), close("ran")],
      ...reboot
    },
    ...down(["callMatches", ...more, "reached", "serviceDown"]),
    {
      guard: when("callMatches", ...more, "reached"),
      target: "#idle",
      actions: [note("keepEvidence"), close("ran"), end("done")],
      description: done
    }
  ] as const

/** A cancelled order ends as soon as nothing is out; once a try has run, only evidence may end it. */
export const cancelled = [
  { guard: when("wished", "ran"), target: "#verifying", description: "cancelled after a try", meta: rare },
  { guard: when("wished"), target: "#idle", actions: end("cancelled"), description: "cancelled", meta: rare }
] as const
