/** Says every 30 seconds, and whenever the clocks move apart, that this worker lives; the web process shows a banner when it stops. */
import { Effect, Schedule } from "effect"
import { SKEW_SHOWN_MILLIS } from "#core/ClockSkew.ts"
import { beat } from "#sql/WorkerStore.ts"

/** `skew`: how far the database's clock is ahead of this machine's, in milliseconds. */
export const beatForever = (worker: Parameters<typeof beat>[0], skew: Effect.Effect<number> = Effect.succeed(0)) =>
  Effect.gen(function* () {
    const clock_skew_ms = yield* skew
    yield* beat({ ...worker, clock_skew_ms }).pipe(
      Effect.catch((error) => Effect.logWarning("The heartbeat could not be written", error))
    )
    const moved = skew.pipe(
      Effect.repeat({
        until: (now) => Math.abs(now - clock_skew_ms) >= SKEW_SHOWN_MILLIS,
        schedule: Schedule.spaced("5 seconds")
      })
    )
    yield* Effect.raceFirst(Effect.sleep("30 seconds"), moved)
  }).pipe(Effect.forever, Effect.annotateLogs({ module: "housekeeping" }))
