/** Database time without asking for each event: an offset to the local clock, measured at start and every minute. */
import { Clock, Context, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { databaseNow } from "#sql/Database.ts"

/** Epoch milliseconds of the database. */
export class DatabaseClock extends Context.Service<DatabaseClock, { readonly now: Effect.Effect<number> }>()(
  "patch-manager/actors/DatabaseClock"
) {
  static readonly layer = Layer.effect(
    DatabaseClock,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      let offset = 0
      const measure = Effect.gen(function* () {
        const before = yield* Clock.currentTimeMillis
        const there = yield* databaseNow
        const after = yield* Clock.currentTimeMillis
        offset = there - (before + after) / 2
      }).pipe(Effect.provideService(SqlClient.SqlClient, sql))
      yield* measure
      yield* measure.pipe(
        Effect.catch((error) =>
          Effect.logWarning("Database time could not be read; going on with the last offset", error)
        ),
        Effect.delay("1 minute"),
        Effect.forever,
        Effect.forkScoped
      )
      return { now: Effect.map(Clock.currentTimeMillis, (local) => Math.round(local + offset)) }
    })
  )
}
