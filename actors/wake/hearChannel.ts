/**
 * One channel of the database's notifications, listened to for as long as its connection really lives. A connection can be dead
 * without either end noticing, so the listener sends itself a word through the channel and listens anew when that stays out.
 */
import { PgClient } from "@effect/sql-pg"
import { Data, Effect, Exit, Queue, Schedule, Scope } from "effect"
import type { SqlError } from "effect/sql"
import { notificationQueueUsage } from "#sql/WorkerStore.ts"
import { monotonicMillis } from "../hosts/DueQueue.ts"

/** The registration is gone or its connection is dead. */
export class ListenerSilent extends Data.TaggedError("ListenerSilent") {
  override get message() {
    return "The database's notifications do not arrive any more"
  }
}

const PULSE_EVERY = "5 seconds"
const SILENT_MILLIS = 10_000
/** Once the queue is full, every transaction that notifies fails. */
const FULL = 0.1
const FULL_WORDS =
  "The database's notification queue is more than 10 % full: a session that listens has stood in a transaction for long. Look for it in pg_stat_activity and end it."

export interface Hearing<R> {
  readonly channel: string
  /** Reads what was missed; done after each registration. */
  readonly listening: Effect.Effect<void, SqlError.SqlError, R>
  readonly hear: (payload: string) => Effect.Effect<void, SqlError.SqlError, R>
}

/** Never ends. */
export const hearChannel = Effect.fnUntraced(function* <R>({ channel, listening, hear }: Hearing<R>) {
  const pg = yield* PgClient.PgClient

  const once = Effect.gen(function* () {
    const pulse = `pulse ${crypto.randomUUID()}`
    const scope = yield* Scope.make()
    yield* Effect.gen(function* () {
      const notifications = yield* Scope.provide(pg.listen(channel), scope).pipe(
        Effect.timeoutOrElse({ duration: "10 seconds", orElse: () => Effect.fail(new ListenerSilent()) })
      )
      let heardAt = yield* monotonicMillis
      yield* listening
      const take = Queue.take(notifications).pipe(
        Effect.flatMap(({ payload }) =>
          payload === pulse
            ? Effect.map(monotonicMillis, (now) => void (heardAt = now))
            : payload.startsWith("pulse ")
              ? Effect.void
              : hear(payload)
        ),
        Effect.forever
      )
      let wasFull = false
      const check = Effect.gen(function* () {
        yield* pg.notify(channel, pulse)
        const isFull = (yield* notificationQueueUsage) > FULL
        if (isFull && !wasFull) yield* Effect.logWarning(FULL_WORDS)
        wasFull = isFull
        yield* Effect.sleep(PULSE_EVERY)
        if ((yield* monotonicMillis) - heardAt > SILENT_MILLIS) return yield* new ListenerSilent()
      }).pipe(Effect.forever)
      return yield* Effect.raceFirst(take, check)
    }).pipe(
      // On a dead connection the registration's end is never answered, so nobody waits for it.
      Effect.ensuring(Effect.forkDetach(Scope.close(scope, Exit.void)))
    )
  })

  return yield* once.pipe(
    Effect.tapError((error) => Effect.logWarning("The database's notifications broke off; listening again", error)),
    Effect.retry(Schedule.spaced("1 second"))
  )
})
