import { PgClient } from "@effect/sql-pg"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { allowedTransitions } from "#machines/allowedTransitions.ts"
import { parseDatabaseUrl } from "#sql/DatabaseUrl.ts"
import { requireSchema, runMigrations, schemaVersion } from "#sql/migrate.ts"
import { migrations } from "#sql/migrations/index.ts"
import { emptyDatabase } from "#test/setup/Database.ts"

const on = (url: string) =>
  Effect.provide(PgClient.layer({ ...parseDatabaseUrl(url), maxConnections: 1 }).pipe(Layer.orDie))

const tables = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ name: string }>`
    select table_name::text as name from information_schema.tables where table_schema = 'public' order by 1`
  return rows.map((row) => row.name)
})

const failureOf = <A, E>(exit: Exit.Exit<A, E>): string => {
  assert.isTrue(Exit.isFailure(exit))
  const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
  return error instanceof Error ? error.message : String(error)
}

describe("migrating", () => {
  it.live("brings an empty database to this program's schema, and once more changes nothing", () =>
    Effect.gen(function* () {
      const { url } = yield* emptyDatabase
      const first = yield* runMigrations.pipe(on(url))
      assert.deepEqual(first, { before: 0, after: schemaVersion })
      const second = yield* runMigrations.pipe(on(url))
      assert.deepEqual(second, { before: schemaVersion, after: schemaVersion })
      const numbers = yield* Effect.flatMap(
        SqlClient.SqlClient,
        (sql) => sql<{ number: number }>`select number from schema_migrations order by number`
      ).pipe(on(url))
      assert.deepEqual(
        numbers.map((row) => row.number),
        migrations.map((migration) => migration.number)
      )
      yield* requireSchema.pipe(on(url))
    })
  )

  it.live("lets one of several do the work, the others finding it done", () =>
    Effect.gen(function* () {
      const { url } = yield* emptyDatabase
      const results = yield* Effect.all(
        Array.from({ length: 4 }, () => runMigrations.pipe(on(url))),
        { concurrency: 4 }
      )
      assert.deepEqual(
        results.map((result) => result.before).sort((left, right) => left - right),
        [0, schemaVersion, schemaVersion, schemaVersion]
      )
    })
  )

  it.live("refuses a schema of a newer release, naming both, and touches nothing", () =>
    Effect.gen(function* () {
      const { url } = yield* emptyDatabase
      yield* runMigrations.pipe(on(url))
      const newer = schemaVersion + 7
      yield* Effect.flatMap(
        SqlClient.SqlClient,
        (sql) => sql`insert into schema_migrations (number, name) values (${newer}, 'from the future')`
      ).pipe(on(url))
      const both = new RegExp(`schema ${newer}.*knows ${schemaVersion}`)
      assert.match(failureOf(yield* Effect.exit(runMigrations.pipe(on(url)))), both)
      assert.match(failureOf(yield* Effect.exit(requireSchema.pipe(on(url)))), both)
    })
  )

  it.live("tells a worker that came first to wait for the web process", () =>
    Effect.gen(function* () {
      const { url } = yield* emptyDatabase
      const words = failureOf(yield* Effect.exit(requireSchema.pipe(on(url))))
      assert.match(words, new RegExp(`schema 0.*needs ${schemaVersion}.*web process first`))
      assert.deepEqual(yield* tables.pipe(on(url)), [])
    })
  )

  it.live("rolls everything back when one statement fails", () =>
    Effect.gen(function* () {
      const { url } = yield* emptyDatabase
      // A table in the way of a late one: everything before it has been made by then.
      yield* Effect.flatMap(SqlClient.SqlClient, (sql) => sql`create table audit_head (mine int)`).pipe(on(url))
      const exit = yield* Effect.exit(runMigrations.pipe(on(url)))
      assert.isTrue(Exit.isFailure(exit) && /audit_head.*already exists/.test(Cause.pretty(exit.cause)))
      assert.deepEqual(yield* tables.pipe(on(url)), ["audit_head"])
    })
  )

  it.live("writes down which transitions the machines allow, no more and no fewer", () =>
    Effect.gen(function* () {
      const { url } = yield* emptyDatabase
      yield* runMigrations.pipe(on(url))
      const rows = yield* Effect.flatMap(
        SqlClient.SqlClient,
        (sql) => sql<{ row: string }>`
          select concat_ws(' ', machine, version, region, from_state, event, to_state) as row from allowed_transitions`
      ).pipe(on(url))
      const expected = allowedTransitions().map((row) =>
        [row.machine, row.version, row.region, row.from, row.event, row.to].join(" ")
      )
      assert.deepEqual(rows.map((row) => row.row).sort(), expected.sort())
    })
  )
})
