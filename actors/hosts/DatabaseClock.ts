/**
 * Database time without asking for each event: measured against this process' steady clock at start and every ten seconds, so
 * that a step of the local wall clock moves nothing.
 */
import { Clock, Context, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { databaseNow } from "#sql/Database.ts"
import { monotonicMillis } from "./DueQueue.ts"

/** A difference that an operator is shown. */
export const SKEW_SHOWN_MILLIS = 5_000
/** A difference with which nothing new is started: one of the two clocks is wrong, and windows hang on it. */
export const SKEW_BLOCKS_MILLIS = 60_000

export class DatabaseClock extends Context.Service<
  DatabaseClock,
  {
    /** Epoch milliseconds of the database. */
    readonly now: Effect.Effect<number>
    /** How far the database's clock was ahead of this machine's when it was last measured, in milliseconds. */
    readonly skew: Effect.Effect<number>
  }
>()("patch-manager/actors/DatabaseClock") {
  static readonly layer = Layer.effect(
    DatabaseClock,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      let offset = 0
      let skew = 0
      const measure = Effect.gen(function* () {
        const before = yield* monotonicMillis
        const there = yield* databaseNow
        const after = yield* monotonicMillis
        offset = there - (before + after) / 2
        const was = Math.abs(skew)
        skew = there - (yield* Clock.currentTimeMillis)
        if (Math.abs(skew) >= SKEW_SHOWN_MILLIS && was < SKEW_SHOWN_MILLIS)
          yield* Effect.logWarning(
            `The database's clock and this machine's differ by ${Math.round(skew / 1000)} s. Check both; with more than ${SKEW_BLOCKS_MILLIS / 1000} s nothing new is started.`
          )
      }).pipe(Effect.provideService(SqlClient.SqlClient, sql))
      yield* measure
      yield* measure.pipe(
        Effect.catch((error) =>
          Effect.logWarning("Database time could not be read; going on with the last offset", error)
        ),
        Effect.delay("10 seconds"),
        Effect.forever,
        Effect.forkScoped
      )
      return {
        now: Effect.map(monotonicMillis, (local) => Math.round(local + offset)),
        skew: Effect.sync(() => skew)
      }
    })
  )
}
