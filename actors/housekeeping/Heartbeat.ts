/** Says every 30 seconds that this worker lives; the web process shows a banner when it stops. */
import { Effect, Schedule } from "effect"
import { beat } from "#sql/WorkerStore.ts"

export const beatForever = (worker: Parameters<typeof beat>[0]) =>
  beat(worker).pipe(
    Effect.catch((error) => Effect.logWarning("The heartbeat could not be written", error)),
    Effect.repeat(Schedule.spaced("30 seconds")),
    Effect.annotateLogs({ module: "housekeeping" })
  )
