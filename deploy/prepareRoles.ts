/** Brings the database up to date as its owner, and finds the addresses with which the two processes work on it. */
import { createHash, randomBytes } from "node:crypto"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { applyGrants } from "#sql/applyGrants.ts"
import { readDatabaseRights, requireSeparateRole } from "#sql/databaseRights.ts"
import { parseDatabaseUrl } from "#sql/DatabaseUrl.ts"
import { asOwner, ensureRoles, readOwner } from "#sql/ensureRoles.ts"
import { runMigrations } from "#sql/migrate.ts"
import type { ProcessRoles } from "#sql/roles.ts"
import type { ConfigValues } from "./Config.ts"
import { withRole } from "./DatabaseUrl.ts"

/** The database's roles cannot be used as they are; `message` says which and what to do. */
export class RolesError extends Data.TaggedError("RolesError")<{ readonly message: string }> {}

const howTo =
  "docs/runbooks/database-roles.md shows how; --single-role starts without, and says so in health and audit."

const nameIn = (url: string, setting: string): string => {
  const { username } = parseDatabaseUrl(url)
  if (username !== undefined && username !== "") return username
  throw new RolesError({
    message: `The setting ${setting} names no role: write postgresql://ROLE@HOST/DATABASE, with the password in a file (file:/path).`
  })
}

/** Of this instance alone, so that a second one on the same database does not change the passwords under the first. */
const ownRoles = (database: string, dataDir: string): ProcessRoles => {
  const mark = createHash("sha256").update(dataDir).digest("hex").slice(0, 8)
  return { web: `${database.slice(0, 40)}_web_${mark}`, worker: `${database.slice(0, 40)}_worker_${mark}` }
}

/** Fails unless the address lets its role in, with no more rights than it needs. */
const tryOut = async (url: string, role: string): Promise<void> => {
  try {
    await asOwner(url, requireSeparateRole(false))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new RolesError({ message: `The database role ${role} cannot be used: ${reason} ${howTo}` })
  }
}

const grantAndTry = async (owner: string, roles: ProcessRoles, urls: ProcessRoles): Promise<ProcessRoles> => {
  await asOwner(owner, applyGrants(roles))
  await tryOut(urls.web, roles.web)
  await tryOut(urls.worker, roles.worker)
  return urls
}

/** The server that comes along proves by the kernel who connects, so its roles need no passwords. */
export const prepareOwnServer = async (owner: string, roles: ProcessRoles): Promise<ProcessRoles> => {
  await asOwner(owner, Effect.andThen(runMigrations, ensureRoles(roles)))
  return grantAndTry(owner, roles, { web: withRole(owner, roles.web), worker: withRole(owner, roles.worker) })
}

const makeRoles = async (owner: string, dataDir: string): Promise<ProcessRoles> => {
  const { role, may_create_roles } = await asOwner(owner, readOwner)
  if (!may_create_roles) {
    throw new RolesError({
      message:
        `The database role ${role} may not create roles, and the web process and the worker need one each: ` +
        `allow it (alter role ${role} createrole), or name three addresses. ${howTo}`
    })
  }
  const roles = ownRoles(parseDatabaseUrl(owner).database ?? "patch_manager", dataDir)
  const password = (): string => randomBytes(32).toString("base64url")
  const passwords = { web: password(), worker: password() }
  await asOwner(owner, ensureRoles(roles, passwords))
  return grantAndTry(owner, roles, {
    web: withRole(owner, roles.web, passwords.web),
    worker: withRole(owner, roles.worker, passwords.worker)
  })
}

/** For a PostgreSQL of one's own: three addresses, or one of an owner that may create roles, or one role for everything. */
export const prepareRoles = async ({
  databaseUrl,
  database,
  dataDir
}: Pick<ConfigValues, "databaseUrl" | "database" | "dataDir">): Promise<ProcessRoles> => {
  if (database.singleRole) {
    if (databaseUrl === undefined) {
      throw new RolesError({ message: "With --single-role there is one address: give it with --database-url." })
    }
    const url = Redacted.value(databaseUrl)
    await asOwner(url, runMigrations)
    return { web: url, worker: url }
  }
  const { ownerUrl, webUrl, workerUrl } = database
  const owner = ownerUrl ?? databaseUrl
  if (owner === undefined) {
    throw new RolesError({
      message: `The settings name no owner of the database: it needs database.owner_url beside the processes' addresses. ${howTo}`
    })
  }
  await asOwner(Redacted.value(owner), runMigrations)
  if (webUrl === undefined && workerUrl === undefined) return makeRoles(Redacted.value(owner), dataDir)
  if (webUrl === undefined || workerUrl === undefined) {
    throw new RolesError({
      message: `Of database.web_url and database.worker_url one is missing: both processes need an address. ${howTo}`
    })
  }
  const urls = { web: Redacted.value(webUrl), worker: Redacted.value(workerUrl) }
  const roles = { web: nameIn(urls.web, "database.web_url"), worker: nameIn(urls.worker, "database.worker_url") }
  const { role } = await asOwner(Redacted.value(owner), readDatabaseRights)
  if (new Set([role, roles.web, roles.worker]).size < 3) {
    throw new RolesError({ message: `The three database addresses have to name three different roles. ${howTo}` })
  }
  return grantAndTry(Redacted.value(owner), roles, urls)
}
