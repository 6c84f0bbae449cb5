import { randomUUID } from "node:crypto"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { inject } from "vitest"
import { withDatabase } from "#deploy/DatabaseUrl.ts"
import { testClient } from "./testClient.ts"

/** A database of its own; `url` is in the form `sql/DatabaseUrl.ts` reads. */
export interface TestDatabase {
  readonly url: string
  readonly drop: () => Promise<void>
}

const administer = async (statement: string): Promise<void> => {
  const client = testClient(inject("testDatabaseUrl"))
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

const copyOf = async (template: string): Promise<TestDatabase> => {
  const name = `pm_test_${randomUUID().replaceAll("-", "")}`
  await administer(`create database ${name} template ${template}`)
  return {
    url: withDatabase(inject("testDatabaseUrl"), name),
    drop: () => administer(`drop database if exists ${name} with (force)`)
  }
}

/** A fresh migrated database, copied from the run's template (about 50 ms): one per test file, or per test that needs it. */
export const makeTestDatabase = async (): Promise<TestDatabase> => {
  const broken = inject("testDatabaseError")
  if (broken !== "") throw new Error(`The migrations failed, so there is no database for tests: ${broken}`)
  return copyOf(inject("testDatabaseTemplate"))
}

/** A database without any table, for tests of the migrations themselves. */
export const makeEmptyDatabase = (): Promise<TestDatabase> => copyOf("template0")

const scoped = (make: () => Promise<TestDatabase>): Effect.Effect<TestDatabase, never, Scope.Scope> =>
  Effect.acquireRelease(Effect.promise(make), (database) => Effect.promise(database.drop))

/** `makeTestDatabase` inside a scope: dropped when it closes. */
export const testDatabase = scoped(makeTestDatabase)

/** `makeEmptyDatabase` inside a scope. */
export const emptyDatabase = scoped(makeEmptyDatabase)
