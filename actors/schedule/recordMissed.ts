/** Openings that jobs waited for and nobody was there to use. Only a worker that has just started can tell: it is its first act. */
import { Effect } from "effect"
import { missedByJobs } from "#core/window/firings.ts"
import { readEnabledWindows, readRecorded, readUnattended, readWindowHosts } from "#sql/WindowRunStore.ts"
import { carryOut } from "./carryOut.ts"

/** Call before any job is looked at: a look notes anew what the host waits for, and with that the gap is forgotten. */
export const recordMissed = Effect.fnUntraced(function* (epoch: number, now: number) {
  const unattended = (yield* readUnattended).filter(({ since }) => since < now)
  if (unattended.length === 0) return
  const fleet = { windows: yield* readEnabledWindows, hosts: yield* readWindowHosts(null) }
  for (const missed of missedByJobs(fleet, unattended, yield* readRecorded, now)) {
    if (!(yield* carryOut(epoch, missed, now))) continue
    yield* Effect.logWarning(
      `Window “${missed.window.name}” was missed: jobs waited for it while the manager was off`
    ).pipe(Effect.annotateLogs({ window_id: missed.window.id }))
  }
})
