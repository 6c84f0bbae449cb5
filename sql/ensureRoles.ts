/** Login roles for the two processes, made by an owner that may create roles. */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto"
import { PgClient } from "@effect/sql-pg"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { quoteName } from "./applyGrants.ts"
import { parseDatabaseUrl } from "./DatabaseUrl.ts"
import { MIGRATION_LOCK } from "./migrate.ts"
import type { ProcessRoles } from "./roles.ts"

const ITERATIONS = 4096

/** What PostgreSQL stores for a password (RFC 5803), so that the password itself is in no statement and no server log. */
export const scramVerifier = (password: string): string => {
  const salt = randomBytes(16)
  const salted = pbkdf2Sync(password, salt, ITERATIONS, 32, "sha256")
  const key = (text: string): Buffer => createHmac("sha256", salted).update(text).digest()
  const stored = createHash("sha256").update(key("Client Key")).digest("base64")
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString("base64")}$${stored}:${key("Server Key").toString("base64")}`
}

export interface OwnerRights {
  readonly role: string
  readonly may_create_roles: boolean
}

/** Who the owner's address signs in as. */
export const readOwner = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<OwnerRights>`
    select rolname::text as role, rolsuper or rolcreaterole as may_create_roles from pg_roles where rolname = current_user`
  return rows[0]!
})

/** Makes the roles or takes every right from those that are there; `passwords` replaces what they had. */
export const ensureRoles = (roles: ProcessRoles, passwords?: ProcessRoles) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(
      Effect.gen(function* () {
        yield* sql`select pg_advisory_xact_lock(${MIGRATION_LOCK})`
        for (const process of ["web", "worker"] as const) {
          const name = roles[process]
          const found = yield* sql<{ more: boolean }>`
            select rolcreatedb or rolcreaterole as more from pg_roles where rolname = ${name}`
          const secret = passwords === undefined ? "password null" : `password '${scramVerifier(passwords[process])}'`
          // PostgreSQL lets nobody take an attribute away who has not got it himself, not even where there is nothing to take.
          const less = found[0]?.more === false ? "" : "nocreatedb nocreaterole"
          yield* sql.unsafe(
            `${found.length === 0 ? "create" : "alter"} role ${quoteName(name)} login ${less} ${secret}`
          )
        }
      })
    )
  )

/** The same for callers outside of Effect: with the owner's address, one connection. */
export const asOwner = <A, E>(ownerUrl: string, effect: Effect.Effect<A, E, SqlClient.SqlClient>): Promise<A> =>
  Effect.runPromise(
    effect.pipe(
      Effect.provide(
        PgClient.layer({ ...parseDatabaseUrl(ownerUrl), applicationName: "patch-manager owner", maxConnections: 1 })
      )
    )
  )
