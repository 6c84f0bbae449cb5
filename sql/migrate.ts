/** Brings the schema up to date, all of it or nothing, one process at a time. */
import { PgClient } from "@effect/sql-pg"
import { Data, Effect } from "effect"
import { SqlClient } from "effect/sql"
import { allowedTransitions } from "#machines/allowedTransitions.ts"
import { parseDatabaseUrl } from "./DatabaseUrl.ts"
import { migrations } from "./migrations/index.ts"
import { splitStatements } from "./splitStatements.ts"

/** The schema this program was built for. */
export const schemaVersion = migrations[migrations.length - 1]!.number

export class SchemaTooNew extends Data.TaggedError("SchemaTooNew")<{ readonly found: number }> {
  override get message() {
    return `The database has schema ${this.found}, this program knows ${schemaVersion}. Install the newer release again or restore a backup.`
  }
}

export class SchemaTooOld extends Data.TaggedError("SchemaTooOld")<{ readonly found: number }> {
  override get message() {
    return `The database has schema ${this.found}, this program needs ${schemaVersion}. Run npm start, or the web process first with the owner's address; either migrates.`
  }
}

/** Held by whoever changes the schema or the rights on it. */
export const MIGRATION_LOCK = 7_202_611

const installed = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const table = yield* sql<{ found: boolean }>`select to_regclass('schema_migrations') is not null as found`
  if (!table[0]!.found) return 0
  const rows = yield* sql<{ number: number }>`select coalesce(max(number), 0)::int as number from schema_migrations`
  return rows[0]!.number
})

/** Fails unless the schema is exactly the one this program was built for. */
export const requireSchema = Effect.gen(function* () {
  const found = yield* installed
  if (found > schemaVersion) return yield* new SchemaTooNew({ found })
  if (found < schemaVersion) return yield* new SchemaTooOld({ found })
})

const writeAllowedTransitions = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const allowed = allowedTransitions()
  const column = (pick: (row: (typeof allowed)[number]) => string) => allowed.map(pick)
  const versions = allowed.map((row) => row.version)
  yield* sql`
    insert into allowed_transitions (machine, version, region, from_state, event, to_state)
    select * from unnest(${column((row) => row.machine)}::text[], ${versions}::int[],
      ${column((row) => row.region)}::text[], ${column((row) => row.from)}::text[],
      ${column((row) => row.event)}::text[], ${column((row) => row.to)}::text[])
    on conflict do nothing`
})

/** All pending migrations and the machines' transition tables, in one transaction under one lock. */
export const runMigrations = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  return yield* sql.withTransaction(
    Effect.gen(function* () {
      yield* sql`set local statement_timeout = 0`
      yield* sql`set local lock_timeout = '60s'`
      yield* sql`select pg_advisory_xact_lock(${MIGRATION_LOCK})`
      yield* sql`create table if not exists schema_migrations (
        number int primary key, name text not null, applied_at timestamptz not null default now())`
      const before = yield* installed
      if (before > schemaVersion) return yield* new SchemaTooNew({ found: before })
      for (const migration of migrations.filter((one) => one.number > before)) {
        for (const statement of splitStatements(migration.statements)) yield* sql.unsafe(statement)
        yield* sql`insert into schema_migrations (number, name) values (${migration.number}, ${migration.name})`
      }
      yield* writeAllowedTransitions
      return { before, after: schemaVersion }
    })
  )
})

/** The same for callers outside of Effect: start, tests, CLI. */
export const migrate = (url: string): Promise<void> =>
  Effect.runPromise(
    runMigrations.pipe(
      Effect.asVoid,
      Effect.provide(
        PgClient.layer({ ...parseDatabaseUrl(url), applicationName: "patch-manager migrate", maxConnections: 1 })
      )
    )
  )
