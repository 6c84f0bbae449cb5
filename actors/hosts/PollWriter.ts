/** Poll results on their way to the database, gathered for a moment and written together. A write that fails is tried again. */
import { Context, Effect, Layer, Queue, Schedule } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { isRefusal } from "#sql/isRefusal.ts"
import { type MissedRow, type SeenRow, writeMissed, writeSeen } from "#sql/ObservationStore.ts"

export class PollWriter extends Context.Service<
  PollWriter,
  { readonly seen: (row: SeenRow) => Effect.Effect<void>; readonly missed: (row: MissedRow) => Effect.Effect<void> }
>()("patch-manager/actors/PollWriter") {
  static readonly layer = Layer.effect(
    PollWriter,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient

      const gather = Effect.fnUntraced(function* <Row extends { readonly hostId: string }>(
        write: (rows: ReadonlyArray<Row>) => Effect.Effect<void, SqlError.SqlError, SqlClient.SqlClient>
      ) {
        const queue = yield* Queue.unbounded<Row>()
        yield* Queue.takeBetween(queue, 1, 500).pipe(
          Effect.flatMap((rows) =>
            // The last word on a host counts; the same host twice would clash in one statement.
            write([...new Map(rows.map((row) => [row.hostId, row])).values()]).pipe(
              Effect.provideService(SqlClient.SqlClient, sql),
              Effect.tapError((error) => Effect.logWarning("Poll results wait for the database", error)),
              Effect.retry({ while: (error) => !isRefusal(error), schedule: Schedule.spaced("1 second") }),
              Effect.catch((error) =>
                Effect.logError("Poll results were dropped; the next poll brings them again", error)
              )
            )
          ),
          Effect.andThen(Effect.sleep("100 millis")),
          Effect.forever,
          Effect.forkScoped
        )
        return (row: Row) => Effect.sync(() => void Queue.offerUnsafe(queue, row))
      })

      return { seen: yield* gather<SeenRow>(writeSeen), missed: yield* gather<MissedRow>(writeMissed) }
    })
  )
}
