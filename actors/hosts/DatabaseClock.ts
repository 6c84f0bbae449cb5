/**
 * Database time without asking for each event: measured against this process' steady clock at start and every ten seconds, so
 * that a step of the local wall clock moves nothing. A database clock that goes back is written into the audit log, whose times
 * then run backwards while its sequence goes on.
 */
import { Clock, Context, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { SKEW_BLOCKS_MILLIS, SKEW_MEASURED_MILLIS, SKEW_SHOWN_MILLIS } from "#core/ClockSkew.ts"
import { newRequestId } from "#core/newId.ts"
import { appendAudit } from "#sql/AuditStore.ts"
import { databaseNow } from "#sql/Database.ts"
import { monotonicMillis } from "./DueQueue.ts"

/** Clocks that are set right by steps of this size are as usual. */
const BACK_MILLIS = 1_000

interface Measured {
  /** What to add to the steady clock. */
  readonly offset: number
  /** Half of the time that the answer took: the offset is no surer than that. */
  readonly unsure: number
}

const recordBack = Effect.fnUntraced(function* (expected: number, found: number) {
  const sql = yield* SqlClient.SqlClient
  const seconds = Math.round((expected - found) / 1000)
  yield* Effect.logWarning(`The database's clock went back by ${seconds} s; times in the audit log overlap from here`)
  yield* sql.withTransaction(
    appendAudit(
      {
        actor: { kind: "machine", id: "worker", name: "worker" },
        request_id: newRequestId(),
        source_address: "local"
      },
      {
        action: "clock.went_back",
        object_type: "database",
        object_id: "clock",
        before: { at: new Date(expected).toISOString() },
        after: { at: new Date(found).toISOString(), seconds_back: seconds }
      }
    )
  )
})

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
      let last: Measured | undefined
      let skew = 0
      const measure = Effect.gen(function* () {
        const before = yield* monotonicMillis
        const there = yield* databaseNow
        const after = yield* monotonicMillis
        const was = last
        const wasSkew = Math.abs(skew)
        const now: Measured = { offset: there - (before + after) / 2, unsure: (after - before) / 2 }
        last = now
        skew = there - (yield* Clock.currentTimeMillis)
        if (Math.abs(skew) >= SKEW_SHOWN_MILLIS && wasSkew < SKEW_SHOWN_MILLIS)
          yield* Effect.logWarning(
            `The database's clock and this machine's differ by ${Math.round(skew / 1000)} s. Check both; with ${SKEW_BLOCKS_MILLIS / 1000} s or more nothing new is started.`
          )
        if (was !== undefined && was.offset - now.offset > BACK_MILLIS + was.unsure + now.unsure)
          yield* recordBack(was.offset + (before + after) / 2, there)
      }).pipe(Effect.provideService(SqlClient.SqlClient, sql))
      yield* measure
      yield* measure.pipe(
        Effect.catch((error) =>
          Effect.logWarning("Database time could not be read; going on with the last offset", error)
        ),
        Effect.delay(SKEW_MEASURED_MILLIS),
        Effect.forever,
        Effect.forkScoped
      )
      return {
        now: Effect.map(monotonicMillis, (local) => Math.round(local + (last?.offset ?? 0))),
        skew: Effect.sync(() => skew)
      }
    })
  )
}
