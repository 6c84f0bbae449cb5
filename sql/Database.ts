/** The PostgreSQL connection pool. Every store runs on it; nothing outside sql/ writes SQL. */
import { PgClient } from "@effect/sql-pg"
import { Effect, Layer } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { parseDatabaseUrl } from "./DatabaseUrl.ts"
import { layerRowScope } from "./rowScope.ts"

export interface DatabaseSettings {
  readonly url: string
  readonly applicationName: string
  readonly maxConnections: number
}

/** A statement never runs longer than 30 s; a lock is waited for 10 s. Migrations set their own limits. */
const pool = (settings: DatabaseSettings, parameters: Readonly<Record<string, string>>): PgClient.PgPoolConfig => ({
  ...parseDatabaseUrl(settings.url),
  applicationName: settings.applicationName,
  maxConnections: settings.maxConnections,
  connectTimeout: "5 seconds",
  startupParameters: {
    statement_timeout: "30s",
    lock_timeout: "10s",
    idle_in_transaction_session_timeout: "30s",
    timezone: "UTC",
    ...parameters
  }
})

/** Sees every row its role may see: the work of a process itself. */
export const layer = (
  settings: DatabaseSettings
): Layer.Layer<PgClient.PgClient | SqlClient.SqlClient, SqlError.SqlError> =>
  PgClient.layer(pool(settings, { "patch_manager.scope": "all" }))

/** Beside it the connections of operators' requests, which see only what the request's groups let them see. */
export const operatorsLayer = (settings: DatabaseSettings): Layer.Layer<never, SqlError.SqlError> =>
  layerRowScope(PgClient.make(pool(settings, {})))

/** Database time as epoch milliseconds. */
export const databaseNow = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ now: number }>`select (extract(epoch from clock_timestamp()) * 1000)::float8 as now`
  return rows[0]!.now
})
