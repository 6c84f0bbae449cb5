/** Row-level security with the pool: what one request says for whom it asks never reaches the next. */
import { PgClient } from "@effect/sql-pg"
import { Effect, Exit, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { afterAll, beforeAll, expect, it } from "vitest"
import type { GroupId, UserId } from "#core/Ids.ts"
import type { Principal } from "#core/User.ts"
import { layer as databaseLayer, operatorsLayer } from "#sql/Database.ts"
import { parseDatabaseUrl } from "#sql/DatabaseUrl.ts"
import { withRowScope } from "#sql/rowScope.ts"
import { startScopeWorld, type ScopeWorld } from "#test/http/scopeWorld.ts"
import { roleUrls } from "#test/setup/roleUrls.ts"
import { walledTables } from "./matrix/wall.ts"
import { securityRow } from "./securityRow.ts"

let world: ScopeWorld
beforeAll(async () => {
  world = await startScopeWorld()
}, 60_000)
afterAll(() => world.web.stop())

const principal = (role: Principal["role"], ...group_ids: ReadonlyArray<string>): Principal => ({
  kind: "user",
  user_id: "01a200e4-e652-72f9-b45c-117b1e318cc9" as UserId,
  username: role,
  role,
  permissions: new Set(),
  group_ids: group_ids as ReadonlyArray<GroupId>,
  session_id: null,
  token: null
})

/** One connection for all operators, so that each request gets the one that another has just given back. */
const onePool = () => {
  const settings = { url: roleUrls(world.web.databaseUrl).web, applicationName: "one", maxConnections: 1 }
  return Layer.merge(databaseLayer(settings), operatorsLayer(settings))
}

const names = Effect.flatMap(SqlClient.SqlClient, (sql) =>
  Effect.map(sql<{ name: string }>`select display_name as name from hosts order by 1`, (rows) =>
    rows.map(({ name }) => name)
  )
)

securityRow("S43", "the second wall with the pool", async (row) => {
  const { groups } = world
  const ann = principal("operator", groups.a)
  const bob = principal("operator", groups.b)
  const free = principal("operator")
  const seen = new Map<Principal, ReadonlyArray<string>>([
    [ann, ["db-1", "db-mail", "open-1"]],
    [bob, ["db-mail", "mail-1", "open-1"]],
    [free, ["open-1"]],
    [principal("admin"), ["db-1", "db-mail", "mail-1", "open-1"]],
    [principal("auditor"), ["db-1", "db-mail", "mail-1", "open-1"]]
  ])
  await row.assert("a pool of one connection, callers by turns and at once: each sees his own", () =>
    Effect.runPromise(
      Effect.gen(function* () {
        const turns = Array.from({ length: 40 }, () => [...seen]).flat()
        for (const concurrency of [1, 16]) {
          yield* Effect.forEach(
            turns,
            ([who, expected]) => Effect.map(withRowScope(who)(names), (found) => expect(found).toEqual(expected)),
            { concurrency }
          )
        }
      }).pipe(Effect.provide(onePool()))
    )
  )
  await row.assert("a transaction sees the same, and one that fails leaves nothing behind", () =>
    Effect.runPromise(
      Effect.gen(function* () {
        const failing = Effect.flatMap(SqlClient.SqlClient, (sql) =>
          sql.withTransaction(Effect.andThen(names, sql`select 1/0`))
        )
        const inside = Effect.flatMap(SqlClient.SqlClient, (sql) => sql.withTransaction(names))
        for (let turn = 0; turn < 10; turn++) {
          const failed = yield* Effect.exit(withRowScope(ann)(failing))
          expect(Exit.isFailure(failed)).toBe(true)
          expect(yield* withRowScope(bob)(inside)).toEqual(seen.get(bob))
          expect(yield* withRowScope(free)(names)).toEqual(seen.get(free))
        }
      }).pipe(Effect.provide(onePool()))
    )
  )
  await row.assert("one that is interrupted in the middle leaves nothing behind", () =>
    Effect.runPromise(
      Effect.gen(function* () {
        const slow = Effect.flatMap(SqlClient.SqlClient, (sql) => sql`select pg_sleep(5)`)
        yield* Effect.ignore(Effect.timeout(withRowScope(ann)(slow), "100 millis"))
        expect(yield* withRowScope(bob)(names)).toEqual(seen.get(bob))
      }).pipe(Effect.provide(onePool()))
    )
  )
  await row.assert("a connection that has not said for whom it asks sees nothing and changes nothing", () =>
    Effect.runPromise(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        for (const table of walledTables) {
          expect([table, yield* sql.unsafe(`select 1 from ${table}`)]).toEqual([table, []])
        }
        expect(yield* sql`update hosts set display_name = 'x' returning id`).toEqual([])
        const made = yield* Effect.exit(
          sql`insert into hosts (id, display_name, address, registered_by) values (gen_random_uuid(), 'x', '127.9.9.9', 'x')`
        )
        expect(Exit.isFailure(made)).toBe(true)
      }).pipe(
        Effect.provide(PgClient.layer({ ...parseDatabaseUrl(roleUrls(world.web.databaseUrl).web), maxConnections: 1 }))
      )
    )
  )
  await row.assert("every table with a host's or a job's rows has a policy", async () => {
    const open = await world.web.rows<{ name: string }>(
      `select distinct c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid
       where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.attname in ('host_id', 'job_id', 'group_id')
         and not c.relrowsecurity order by 1`
    )
    const reasons: Readonly<Record<string, string>> = {
      host_groups: "pairs of ids, of which the policies are made",
      user_groups: "pairs of ids; the names are in groups",
      change_feed: "ids alone, read by the process itself",
      discovery_results: "what a network scan saw; the host's own row is hidden",
      sso_mapped_groups: "pairs of ids, for administrators"
    }
    expect(
      open.map(({ name }) => name),
      "Give it a policy, or say here why not."
    ).toEqual(Object.keys(reasons).toSorted())
  })
})

it("the wall has a policy on every table the tests look at", async () => {
  const walled = await world.web.rows<{ name: string }>("select relname as name from pg_class where relrowsecurity")
  expect(walled.map(({ name }) => name).toSorted()).toEqual(walledTables.toSorted())
})
