/**
 * Once a day what is older than its time goes: operational rows after 30 days, results of jobs and the audit log after six
 * months, or twelve under the PCI profile. In small batches, so that nobody waits for a lock.
 */
import { Effect, Schedule } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { retentionMonths, type SettingValues } from "#core/Settings.ts"
import { pruneAudit, pruneBases, pruneJobs, pruneOperational, pruneTransitions, takeBases } from "#sql/Retention.ts"

const PAUSE = "200 millis"

/** Repeats a batch until it finds nothing more. */
const untilDone = <E, R>(batch: Effect.Effect<number, E, R>) =>
  batch.pipe(
    Effect.tap((rows) => (rows > 0 ? Effect.sleep(PAUSE) : Effect.void)),
    Effect.repeat({ until: (rows) => rows === 0 }),
    Effect.asVoid
  )

/** One round; bases first, so that what they stand for can go. */
export const retain = Effect.fnUntraced(function* (
  settings: Pick<SettingValues, "pci_profile">
): Effect.fn.Return<void, SqlError.SqlError, SqlClient.SqlClient> {
  const months = retentionMonths(settings)
  yield* untilDone(takeBases)
  yield* untilDone(pruneTransitions)
  yield* pruneBases
  yield* untilDone(pruneOperational)
  yield* untilDone(pruneJobs(months))
  yield* untilDone(pruneAudit(months))
})

export const retainForever = (current: Effect.Effect<SettingValues>) =>
  Effect.flatMap(current, retain).pipe(
    Effect.catch((error) => Effect.logWarning("Old rows could not be cleared away; tried again tomorrow", error)),
    Effect.delay("5 minutes"),
    Effect.repeat(Schedule.spaced("1 day")),
    Effect.annotateLogs({ module: "housekeeping" })
  )
