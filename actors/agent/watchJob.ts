/** Follows one job of an agent: its event socket says when to look, GET says what is true. */
import { Effect, Queue, Result, Stream } from "effect"
import { type AgentJob, type AgentJobStatus, isActive } from "#core/AgentJob.ts"
import type { AgentJobId } from "#core/Ids.ts"
import type { AgentFailure } from "./AgentFailure.ts"
import { AgentLane } from "./AgentSlots.ts"
import type { AgentTarget } from "./AgentTarget.ts"
import type { Wiring } from "./call.ts"
import { type JobEvents, openJobEvents } from "./openJobEvents.ts"

/** What the agent told: the job where it changed, or that it has forgotten it. */
export type JobSighting =
  | { readonly _tag: "Job"; readonly job: AgentJob }
  | { readonly _tag: "Gone"; readonly job_id: AgentJobId }
  /** It sends so many events that it is only asked from now on. */
  | { readonly _tag: "Flooded" }

export interface Watching {
  readonly wiring: Wiring
  readonly job: (target: AgentTarget, id: AgentJobId) => Effect.Effect<AgentJob, AgentFailure>
  readonly options: {
    readonly connectMs: number
    readonly maxWebSockets: number
    readonly pollMs: readonly [first: number, most: number]
  }
  /** Shared by all watches of the worker. */
  readonly sockets: { open: number }
}

/** With an open socket GET is only the net under lost events. */
const NET_MS = 15_000
/** An event may come before the agent has stored what it tells. */
const AFTER_EVENT_MS = 1000
/** However many events come, agents allow two reads a second. */
const LEAST_MS = 500
const REOPEN_MS = 30_000

/** A pause that an event ends early. */
const makeBell = () => {
  let rung = false
  let wake: (() => void) | undefined
  return {
    ring: (): void => {
      rung = true
      wake?.()
    },
    /** Whether it rang since the last call. */
    answer: (): boolean => {
      const was = rung
      rung = false
      return was
    },
    wait: (ms: number): Effect.Effect<void> =>
      Effect.callback<void>((resume) => {
        if (rung) return resume(Effect.void)
        const timer = setTimeout(() => resume(Effect.void), ms)
        wake = () => resume(Effect.void)
        return Effect.sync(() => clearTimeout(timer))
      })
  }
}

const isTerminal = (job: AgentJob): boolean => !isActive(job.status) && job.status !== "unknown"

const sameJob = (one: AgentJob, other: AgentJob): boolean =>
  one.status === other.status &&
  one.progress_percent === other.progress_percent &&
  one.message === other.message &&
  one.logs.length === other.logs.length &&
  one.error === other.error

const course: ReadonlyArray<AgentJobStatus> = ["pending", "running", "rebooting"]

/** Agents number no reports: one of a job still active that goes back is old news, and the newer stands. */
const isOlder = (job: AgentJob, last: AgentJob): boolean => {
  if (!isActive(job.status) || !isActive(last.status)) return false
  const [now, before] = [course.indexOf(job.status), course.indexOf(last.status)]
  return now < before || (now === before && job.progress_percent < last.progress_percent)
}

/** Never fails: a look that fails is repeated. Ends with a terminal job or with `Gone`. */
export const watchJob = (watching: Watching, target: AgentTarget, id: AgentJobId): Stream.Stream<JobSighting> =>
  Stream.callback<JobSighting>((queue) =>
    Effect.gen(function* () {
      const { options, sockets, wiring } = watching
      const [firstPause, longestPause] = options.pollMs
      const bell = makeBell()
      let events: JobEvents | undefined
      let reopenAt = 0
      let muted = false
      let pause = firstPause
      let last: AgentJob | undefined

      let counted = false
      const hangUp = (): void => {
        events?.close()
        events = undefined
        if (counted) sockets.open--
        counted = false
      }
      yield* Effect.addFinalizer(() => Effect.sync(hangUp))

      const listen = Effect.gen(function* () {
        sockets.open++
        counted = true
        const opened = (open: JobEvents): void => {
          events = open
        }
        const flooded = (): void => {
          muted = true
          Queue.offerUnsafe(queue, { _tag: "Flooded" })
        }
        const listener = { opened, rang: bell.ring, flooded }
        const outcome = yield* openJobEvents(wiring, target, id, options.connectMs, listener).pipe(
          wiring.slots.within("command", target.host_id)
        )
        if (outcome === "open") return
        hangUp()
        reopenAt = outcome === "unsupported" ? Infinity : performance.now() + REOPEN_MS
      })

      while (true) {
        if (events && !events.isOpen()) {
          hangUp()
          reopenAt = muted ? Infinity : performance.now() + REOPEN_MS
        }
        if (!events && performance.now() >= reopenAt && sockets.open < options.maxWebSockets) yield* listen
        const told = bell.answer()
        const looked = yield* Effect.result(watching.job(target, id))
        if (Result.isSuccess(looked)) {
          const job = looked.success
          const isNews = last === undefined || !(sameJob(last, job) || isOlder(job, last))
          if (isNews) {
            Queue.offerUnsafe(queue, { _tag: "Job", job })
            pause = firstPause
            last = job
          }
          if (isTerminal(job)) return yield* Queue.end(queue)
        } else if (looked.failure.kind === "not_found" && looked.failure.code === "JOB_NOT_FOUND") {
          Queue.offerUnsafe(queue, { _tag: "Gone", job_id: id })
          return yield* Queue.end(queue)
        }
        const asked = Result.isFailure(looked) ? (looked.failure.retry_after_ms ?? 0) : 0
        const quiet = events?.isOpen() ? (told ? AFTER_EVENT_MS : NET_MS) : pause
        pause = Math.min(pause * 1.5, longestPause)
        yield* Effect.sleep(Math.max(asked, Math.min(LEAST_MS, quiet)))
        yield* bell.wait(Math.max(0, quiet - Math.max(asked, LEAST_MS)))
      }
    }).pipe(Effect.provideService(AgentLane, "command"))
  )
