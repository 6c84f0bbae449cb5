/**
 * Makes the jobs of windows with automatic apply. It knows nothing but rows and the database's clock: what has opened and has no
 * record is decided by the pure calendar and written down, so that a crash, a restart or a second look changes nothing.
 */
import { Effect, Queue } from "effect"
import { SKEW_BLOCKS_MILLIS, SKEW_MEASURED_MILLIS } from "#core/ClockSkew.ts"
import { type DueFiring, dueFirings, nextOpening, openDecisions } from "#core/window/firings.ts"
import { readEnabledWindows, readRecorded, readWindowHosts } from "#sql/WindowRunStore.ts"
import { DatabaseClock } from "../hosts/DatabaseClock.ts"
import { carryOut } from "./carryOut.ts"

/** A change that nobody told of is seen after this, and a blackout that ends inside an opening. */
const LOOKS_EVERY = 30_000

const say = ({ window, outcome }: DueFiring) =>
  (outcome === "fired" ? Effect.logInfo : Effect.logWarning)(`Window “${window.name}” opened: ${outcome}`).pipe(
    Effect.annotateLogs({ window_id: window.id })
  )

/** One look at this moment of database time. Answers with the milliseconds until there is something to do again. */
export const lookAtWindows = Effect.fnUntraced(function* (epoch: number, now: number) {
  const windows = yield* readEnabledWindows
  const recorded = yield* readRecorded
  if (openDecisions(windows, recorded, now).length > 0) {
    const hosts = yield* readWindowHosts(null)
    for (const due of dueFirings({ windows, hosts }, recorded, now)) {
      // On its own: one window whose job cannot be made holds up no other.
      yield* carryOut(epoch, due, now).pipe(
        Effect.tap((decided) => (decided ? say(due) : Effect.void)),
        Effect.catch((error) =>
          Effect.logError("A window's opening could not be carried out; tried again", error).pipe(
            Effect.annotateLogs({ window_id: due.window.id })
          )
        )
      )
    }
  }
  const opening = nextOpening(windows, now)
  return Math.min(LOOKS_EVERY, opening === null ? LOOKS_EVERY : Math.max(0, opening - now))
})

export interface Scheduler {
  /** Looks again now; call it when a window changed. */
  readonly wake: Effect.Effect<void>
}

/** Looks until its scope closes. */
export const makeScheduler = Effect.fnUntraced(function* (epoch: number) {
  const wakes = yield* Queue.sliding<void>(1)
  const clock = yield* DatabaseClock
  const look = Effect.gen(function* () {
    // Nothing would start, and an opening must not be called missed by a clock that is wrong.
    if (Math.abs(yield* clock.skew) >= SKEW_BLOCKS_MILLIS) return SKEW_MEASURED_MILLIS
    return yield* lookAtWindows(epoch, yield* clock.now)
  })
  const round = look.pipe(
    Effect.catch((error) => Effect.as(Effect.logWarning("Windows could not be read; tried again", error), 5_000)),
    Effect.catchDefect((defect) =>
      Effect.as(Effect.logError("A look at the windows failed; tried again", defect), LOOKS_EVERY)
    ),
    // The local clock may run a little ahead of the database's; a look too early costs a query.
    Effect.flatMap((wait) => Effect.raceFirst(Effect.sleep(Math.max(wait, 20)), Queue.take(wakes)))
  )
  yield* round.pipe(Effect.forever, Effect.annotateLogs({ module: "schedule" }), Effect.forkScoped)
  const scheduler: Scheduler = { wake: Effect.asVoid(Queue.offer(wakes, undefined)) }
  return scheduler
})
