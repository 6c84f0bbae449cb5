/** Gives the processes' roles exactly the rights of sql/roles.ts, and everybody else none; as the owner, after every migration. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { MIGRATION_LOCK } from "./migrate.ts"
import { functionRights, grantsOf, type ProcessRoles, tableRights } from "./roles.ts"

/** As an identifier, whatever is in it. */
export const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`

const columnsByTable = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ name: string; columns: ReadonlyArray<string> }>`
    select c.relname::text as name, array_agg(a.attname::text) as columns
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f') group by c.relname`
  return new Map(rows.map(({ name, columns }) => [name, new Set(columns)]))
})

/** Idempotent; a right that is no longer in the table goes. One process at a time. */
export const applyGrants = (roles: ProcessRoles) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(
      Effect.gen(function* () {
        const both = `${quoteName(roles.web)}, ${quoteName(roles.worker)}`
        const run = (statement: string) => sql.unsafe(statement)
        yield* sql`select pg_advisory_xact_lock(${MIGRATION_LOCK})`
        const database = yield* sql<{ name: string }>`select current_database() as name`
        yield* run(`revoke create, temporary on database ${quoteName(database[0]!.name)} from public, ${both}`)
        yield* run(`revoke create on schema public from public, ${both}`)
        yield* run(`grant usage on schema public to ${both}`)
        yield* run(`revoke all on all tables in schema public from public, ${both}`)
        yield* run(`revoke all on all sequences in schema public from public, ${both}`)
        const there = yield* columnsByTable
        for (const role of ["web", "worker"] as const) {
          for (const { table, right, columns } of grantsOf(role)) {
            const known = there.get(table)
            const named = columns?.filter((column) => known?.has(column))
            if (known === undefined || named?.length === 0) continue
            const on = named === undefined ? "" : ` (${named.map(quoteName).join(", ")})`
            yield* run(`grant ${right}${on} on ${quoteName(table)} to ${quoteName(roles[role])}`)
          }
        }
        const functions = yield* sql<{ name: string; signature: string }>`
          select p.proname::text as name, p.oid::regprocedure::text as signature from pg_proc p
          where p.pronamespace = 'public'::regnamespace and p.prosecdef`
        for (const { name, signature } of functions) {
          yield* run(`revoke all on function ${signature} from public, ${both}`)
          for (const role of functionRights[name] ?? []) {
            yield* run(`grant execute on function ${signature} to ${quoteName(roles[role])}`)
          }
        }
      })
    )
  )

/** What is in the database without a word in sql/roles.ts, and what has a word there and is not in the database. */
export const ungoverned = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const there = yield* columnsByTable
  const functions = yield* sql<{ name: string }>`
    select distinct proname::text as name from pg_proc where pronamespace = 'public'::regnamespace and prosecdef`
  const named = new Set(functions.map(({ name }) => name))
  const columns = [...grantsOf("web"), ...grantsOf("worker")].flatMap(({ table, columns: some }) =>
    (some ?? []).filter((column) => there.get(table)?.has(column) === false).map((column) => `${table}.${column}`)
  )
  return {
    unnamed: [
      ...[...there.keys()].filter((name) => tableRights[name] === undefined),
      ...[...named].filter((name) => functionRights[name] === undefined)
    ].toSorted(),
    gone: [
      ...Object.keys(tableRights).filter((name) => !there.has(name)),
      ...Object.keys(functionRights).filter((name) => !named.has(name)),
      ...columns
    ].toSorted()
  }
})
