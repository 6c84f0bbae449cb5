import type { TestProject } from "vitest/node"
import { withDatabase } from "#deploy/DatabaseUrl.ts"
import { processRoles } from "#deploy/postgres/cluster.ts"
import { rolePassword } from "./roleUrls.ts"
import { testClient } from "./testClient.ts"
import { startTestPostgres } from "./TestPostgres.ts"

declare module "vitest" {
  export interface ProvidedContext {
    testDatabaseUrl: string
    testDatabaseTemplate: string
    testDatabaseError: string
  }
}

/** Makes the database every test database is copied from, migrated once per run. */
const makeTemplate = async (url: string): Promise<string> => {
  const name = `pm_template_${process.pid}`
  const client = testClient(url)
  await client.connect()
  try {
    await client.query(`drop database if exists ${name}`)
    await client.query(`create database ${name} template template0`)
  } finally {
    await client.end()
  }
  return name
}

/** A broken migration fails the tests that use the database, with its own words, and leaves the others alone. */
const migrateTemplate = async (url: string): Promise<string> => {
  try {
    const { migrate } = await import("#sql/migrate.ts")
    await migrate(url)
    const { asOwner, ensureRoles } = await import("#sql/ensureRoles.ts")
    const { applyGrants } = await import("#sql/applyGrants.ts")
    await asOwner(url, ensureRoles(processRoles, { web: rolePassword, worker: rolePassword }))
    await asOwner(url, applyGrants(processRoles))
    return ""
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error)
  }
}

/** One PostgreSQL for the whole run, or the one `PATCH_MANAGER_TEST_DATABASE_URL` names (its role must be a superuser). */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env["PATCH_MANAGER_TEST_DATABASE_URL"]
  const server = given === undefined ? await startTestPostgres() : { url: given, stop: async () => undefined }
  try {
    project.provide("testDatabaseUrl", server.url)
    const template = await makeTemplate(server.url)
    project.provide("testDatabaseTemplate", template)
    project.provide("testDatabaseError", await migrateTemplate(withDatabase(server.url, template)))
  } catch (error) {
    await server.stop()
    throw error
  }
  return server.stop
}
