/** Clears away short-lived rows every ten minutes, in batches that hold no lock for long. */
import { Effect, Schedule } from "effect"
import { pruneShortLived } from "#sql/Prune.ts"

export const pruneForever = pruneShortLived.pipe(
  Effect.catch((error) => Effect.logWarning("Old rows could not be cleared away; tried again in ten minutes", error)),
  Effect.delay("1 minute"),
  Effect.repeat(Schedule.spaced("10 minutes")),
  Effect.annotateLogs({ module: "housekeeping" })
)
