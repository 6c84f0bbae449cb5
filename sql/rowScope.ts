/**
 * The second wall. Rows of hosts out of sight are hidden from an operator's request by the database itself, whatever its
 * statements say. Policies ask the connection for whom it works (0013_roles): the process' own connections say 'all', those of
 * this pool say nothing until they are lent to a request, and then name the operator's groups.
 */
import { PgClient } from "@effect/sql-pg"
import { Context, Effect, Layer, type Scope } from "effect"
import { SqlClient, type SqlConnection, SqlError } from "effect/sql"
import * as Reactivity from "effect/reactivity/Reactivity"
import type { Principal } from "#core/User.ts"

/** The groups that bound what somebody sees; null for whoever sees everything. One notion for both walls. */
export const boundsOf = (principal: Principal): ReadonlyArray<string> | null =>
  principal.role === "operator" ? principal.group_ids : null

/** How a bounded principal's statements reach the database; null where one role owns everything and no wall stands. */
export class RowScope extends Context.Reference<
  ((groups: ReadonlyArray<string>) => Effect.Effect<SqlClient.SqlClient>) | null
>("patch-manager/sql/RowScope", { defaultValue: () => null }) {}

/** Runs everything in `effect` as this principal sees the database. */
export const withRowScope =
  (principal: Principal) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.gen(function* () {
      const scoped = yield* RowScope
      const groups = boundsOf(principal)
      if (scoped === null || groups === null) return yield* effect
      return yield* Effect.provideService(effect, SqlClient.SqlClient, yield* scoped(groups))
    })

const SETTING = "patch_manager.scope"

/** A failed transaction's COMMIT is answered with ROLLBACK. */
const commit = (connection: SqlConnection.Connection) =>
  Effect.flatMap(connection.executeRaw("COMMIT", []), (result) =>
    (result as { readonly command?: string }).command === "ROLLBACK"
      ? Effect.fail(
          new SqlError.SqlError({
            reason: new SqlError.UnknownError({
              cause: new Error("COMMIT rolled back an aborted transaction"),
              message: "COMMIT rolled back an aborted transaction",
              operation: "commit"
            })
          })
        )
      : Effect.void
  )

const say = (connection: SqlConnection.Connection, scope: string) =>
  connection.execute("select set_config($1, $2, false)", [SETTING, scope], undefined)

/**
 * A connection of the pool for as long as it is lent. What it says is set before the first statement and taken back after the
 * last, outside of any transaction, so that nothing a request does can outlast it.
 */
const lend = (
  pool: PgClient.PgClient,
  groups: ReadonlyArray<string>
): Effect.Effect<SqlConnection.Connection, SqlError.SqlError, Scope.Scope> =>
  Effect.gen(function* () {
    const connection = yield* pool.reserve
    yield* Effect.acquireRelease(say(connection, `{${groups.join(",")}}`), () => Effect.ignore(say(connection, "")))
    return connection
  })

/** For the web process: `pool` must say nothing by itself. */
export const makeRowScope = Effect.fnUntraced(function* (pool: PgClient.PgClient) {
  const reactivity = yield* Reactivity.Reactivity
  return (groups: ReadonlyArray<string>) => {
    const acquirer = lend(pool, groups)
    return SqlClient.make({
      acquirer,
      transactionAcquirer: acquirer,
      driver: "pg",
      compiler: PgClient.makeCompiler(),
      spanAttributes: [],
      prepareTransactionControls: true,
      commit,
      releaseSavepoint: (name) => `RELEASE SAVEPOINT ${name}`
    }).pipe(Effect.provideService(Reactivity.Reactivity, reactivity))
  }
})

/** `acquire` opens the pool of operators' connections. */
export const layerRowScope = (
  acquire: Effect.Effect<PgClient.PgClient, SqlError.SqlError, Scope.Scope | Reactivity.Reactivity>
): Layer.Layer<never, SqlError.SqlError> =>
  Layer.effect(RowScope, Effect.flatMap(acquire, makeRowScope)).pipe(Layer.provide(Reactivity.layer))
