/**
 * Writes host transitions, as many together as are waiting: about a millisecond alone, thousands a second in batches.
 * Promises: a result of `ok` is durable; while the database is away rows wait; an answer lost on the way is looked up, never assumed.
 */
import { Context, Deferred, Effect, Layer, Queue, Schedule } from "effect"
import { SqlClient } from "effect/sql"
import { commitHosts, type HostCommitResult, type HostCommitRow, wasCommitted } from "#sql/HostCommit.ts"
import { isRefusal } from "#sql/isRefusal.ts"
import { reach } from "./Failpoint.ts"
import { DisabledGuards } from "./Guards.ts"

/** `broken`: the database refuses this row whatever it is batched with. */
export type CommitResult = HostCommitResult | "broken"

interface Waiting {
  readonly row: HostCommitRow
  readonly done: Deferred.Deferred<CommitResult>
}

const BATCH = 500

export class Committer extends Context.Service<
  Committer,
  { readonly commit: (row: HostCommitRow) => Effect.Effect<CommitResult> }
>()("patch-manager/actors/Committer") {
  static readonly layer = (epoch: number) =>
    Layer.effect(
      Committer,
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const off = yield* DisabledGuards
        const queue = yield* Queue.unbounded<Waiting>()

        const attempt = (rows: ReadonlyArray<HostCommitRow>) =>
          reach("commit_pending").pipe(
            Effect.andThen(commitHosts(epoch, rows, !off.has("compare_and_set"))),
            Effect.tap(() => reach("commit_written")),
            Effect.provideService(SqlClient.SqlClient, sql)
          )

        const settle = Effect.fnUntraced(function* (waiting: Waiting, result: HostCommitResult, retried: boolean) {
          // A first try whose answer was lost may have been written; then the second finds the row moved on.
          const written =
            result === "stale" && retried
              ? yield* wasCommitted(waiting.row).pipe(
                  Effect.provideService(SqlClient.SqlClient, sql),
                  Effect.retry(Schedule.spaced("500 millis")),
                  Effect.orDie
                )
              : false
          yield* Deferred.succeed(waiting.done, written ? "ok" : result)
        })

        const write = Effect.fnUntraced(function* (batch: ReadonlyArray<Waiting>): Effect.fn.Return<void> {
          let retried = false
          const results = yield* attempt(batch.map((waiting) => waiting.row)).pipe(
            Effect.tapError((error) => {
              retried = true
              return isRefusal(error)
                ? Effect.void
                : Effect.logWarning("The database does not take commits; they wait", error)
            }),
            Effect.retry({ while: (error) => !isRefusal(error), schedule: Schedule.spaced("500 millis") }),
            Effect.catch((error) => Effect.as(Effect.logError("The database refused a batch", error), undefined))
          )
          if (results !== undefined) {
            for (const waiting of batch) yield* settle(waiting, results.get(waiting.row.hostId) ?? "missing", retried)
            return
          }
          const only = batch.length === 1 ? batch[0] : undefined
          if (only !== undefined) {
            yield* Deferred.succeed(only.done, "broken")
            return
          }
          const half = batch.length >> 1
          yield* write(batch.slice(0, half))
          yield* write(batch.slice(half))
        })

        yield* Queue.takeBetween(queue, 1, BATCH).pipe(Effect.flatMap(write), Effect.forever, Effect.forkScoped)

        return {
          commit: Effect.fnUntraced(function* (row: HostCommitRow) {
            const done = Deferred.makeUnsafe<CommitResult>()
            Queue.offerUnsafe(queue, { row, done })
            return yield* Deferred.await(done)
          })
        }
      })
    )
}
