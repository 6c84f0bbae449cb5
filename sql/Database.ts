/** The PostgreSQL connection pool. Every store runs on it; nothing outside sql/ writes SQL. */
import { PgClient } from "@effect/sql-pg"
import { Effect, Layer } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { parseDatabaseUrl } from "./DatabaseUrl.ts"

export interface DatabaseSettings {
  readonly url: string
  readonly applicationName: string
  readonly maxConnections: number
}

/** A statement never runs longer than 30 s; a lock is waited for 10 s. Migrations set their own limits. */
export const layer = (
  settings: DatabaseSettings
): Layer.Layer<PgClient.PgClient | SqlClient.SqlClient, SqlError.SqlError> =>
  PgClient.layer({
    ...parseDatabaseUrl(settings.url),
    applicationName: settings.applicationName,
    maxConnections: settings.maxConnections,
    connectTimeout: "5 seconds",
    startupParameters: {
      statement_timeout: "30s",
      lock_timeout: "10s",
      idle_in_transaction_session_timeout: "30s",
      timezone: "UTC"
    }
  })

/** Database time as epoch milliseconds. */
export const databaseNow = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ now: number }>`select (extract(epoch from clock_timestamp()) * 1000)::float8 as now`
  return rows[0]!.now
})
