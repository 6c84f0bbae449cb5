/**
 * What a unit of Type=notify is told: READY=1 once, then WATCHDOG=1 at half the watchdog's interval, each after a round trip
 * to the database made from the main loop, so that a process that stands still falls silent (sd_notify(3)).
 * Node cannot write datagrams to a unix socket; where NOTIFY_SOCKET is set, systemd's own tool is there.
 */
import { execFile } from "node:child_process"
import { Effect } from "effect"
import { databaseNow } from "#sql/Database.ts"

const TELL_MS = 5_000

const tell = (word: string): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const child = execFile("systemd-notify", [word], { timeout: TELL_MS }, (error) =>
      resume(error === null ? Effect.void : Effect.logWarning(`systemd could not be told ${word}`, error))
    )
    return Effect.sync(() => void child.kill())
  })

const isUnit = (): boolean => (process.env["NOTIFY_SOCKET"] ?? "") !== ""

export const tellReady: Effect.Effect<void> = Effect.suspend(() => (isUnit() ? tell("READY=1") : Effect.void))

/** Runs for ever where a watchdog is wanted, else ends at once. */
export const pingWatchdog = Effect.gen(function* () {
  const interval = Number(process.env["WATCHDOG_USEC"] ?? "0") / 1000
  if (!isUnit() || !(interval > 0)) return
  yield* databaseNow.pipe(
    Effect.timeout(interval / 2),
    Effect.andThen(tell("WATCHDOG=1")),
    Effect.catch((error) => Effect.logWarning("The database did not answer in time for the watchdog", error)),
    Effect.delay(interval / 2),
    Effect.forever
  )
})
