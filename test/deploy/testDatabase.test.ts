import { assert, describe, it } from "@effect/vitest"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { parseDatabaseUrl } from "#sql/DatabaseUrl.ts"
import { emptyDatabase } from "#test/setup/Database.ts"

describe("the database for tests", () => {
  it.effect("gives each caller a database of its own, reached by @effect/sql-pg through the unix socket", () =>
    Effect.gen(function* () {
      const [left, right] = yield* Effect.all([emptyDatabase, emptyDatabase], { concurrency: 2 })
      const address = parseDatabaseUrl(left.url)
      assert.isTrue(address.path?.startsWith("/") === true)
      const name = (url: string) =>
        Effect.gen(function* () {
          const sql = yield* PgClient.PgClient
          yield* sql`create table mine (id int primary key)`
          const rows = yield* sql<{ name: string; version: number }>`
            select current_database() as name, current_setting('server_version_num')::int as version`
          assert.isAtLeast(rows[0]?.version ?? 0, 180000)
          return rows[0]?.name
        }).pipe(Effect.provide(PgClient.layer(parseDatabaseUrl(url)).pipe(Layer.orDie)))
      assert.strictEqual(yield* name(left.url), address.database)
      assert.notStrictEqual(yield* name(right.url), address.database)
    })
  )
})
