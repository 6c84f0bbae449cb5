/** The stores on a database of their own. */
import { Effect, type Layer, ManagedRuntime } from "effect"
import { SessionId, UserId } from "#core/Ids.ts"
import { newId } from "#core/newId.ts"
import { Permission } from "#core/Permission.ts"
import type { Caller } from "#core/User.ts"
import { layer } from "#sql/Database.ts"
import type { AuditOrigin } from "#sql/AuditStore.ts"
import { insertUser } from "#sql/UserStore.ts"
import { makeTestDatabase } from "#test/setup/Database.ts"
import { testClient } from "#test/setup/testClient.ts"

export const nobody: AuditOrigin = {
  actor: { kind: "machine", id: "test", name: "test" },
  request_id: "test",
  source_address: "local"
}

export const startTestStores = async (maxConnections = 8) => {
  const database = await makeTestDatabase()
  const runtime = ManagedRuntime.make(layer({ url: database.url, applicationName: "test stores", maxConnections }))
  const client = testClient(database.url)
  await client.connect()
  const run = <A, E>(effect: Effect.Effect<A, E, Layer.Success<ReturnType<typeof layer>>>): Promise<A> =>
    runtime.runPromise(effect)
  const id = await run(
    insertUser(nobody, {
      username: "admin",
      display_name: "Admin",
      role: "admin",
      password_hash: "-",
      must_change_password: false
    })
  )
  const caller: Caller = {
    principal: {
      kind: "user",
      user_id: UserId.make(id),
      username: "admin",
      role: "admin",
      permissions: new Set(Permission.literals),
      group_ids: [],
      session_id: newId(SessionId),
      token: null
    },
    request_id: "test",
    source_address: "127.0.0.1"
  }
  return {
    run,
    caller,
    url: database.url,
    rows: async <Row>(statement: string, values: ReadonlyArray<unknown> = []): Promise<ReadonlyArray<Row>> =>
      (await client.query(statement, [...values])).rows,
    stop: async () => {
      await client.end()
      await runtime.dispose()
      await database.drop()
    }
  }
}

export type TestStores = Awaited<ReturnType<typeof startTestStores>>
