import { PgClient } from "@effect/sql-pg"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, Ref } from "effect"
import { SqlClient } from "effect/sql"
import { Committer } from "#actors/hosts/Committer.ts"
import { HostId } from "#core/Ids.ts"
import { parseDatabaseUrl } from "#sql/DatabaseUrl.ts"
import type { HostCommitRow } from "#sql/HostCommit.ts"
import { testDatabase } from "#test/setup/Database.ts"
import { testClient } from "#test/setup/testClient.ts"
import { makeHost, makeHosts, onDatabase, row } from "#test/sql/commitFixtures.ts"
import { startLossyProxy } from "./lossyProxy.ts"

const quiet = Effect.provide(Logger.layer([]))

const commitAll = Effect.fnUntraced(function* (rows: ReadonlyArray<HostCommitRow>) {
  const committer = yield* Committer
  return yield* Effect.forEach(rows, committer.commit, { concurrency: "unbounded" })
})

/** Runs with a committer of epoch 0, which nobody has taken over from. */
const withCommitter = <A, E, R>(body: Effect.Effect<A, E, R | Committer>) =>
  body.pipe(Effect.provide(Committer.layer(0)), quiet)

const healthy = { link: "healthy" as const, work: "idle" as const }
/** The host's n-th commit. */
const nth = (host: HostId, was: number): HostCommitRow =>
  row(host, {
    was,
    from: was === 0 ? { link: "unknown", work: "idle" } : healthy,
    to: { ...healthy, summary: "healthy" },
    event: { type: "poll.ok", at: was, health: "healthy", reason: `look ${was}`, uptime_seconds: 1 }
  })

const transactions = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ n: number }>`select count(distinct xid)::int as n from change_feed`
  return rows[0]!.n
})

const everyVersionHasItsRow = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ same: boolean; versions: number }>`
    select bool_and(s.version = (select count(*) from host_transitions t where t.host_id = s.host_id)) as same,
      sum(s.version)::int as versions from host_snapshots s`
  return { ...rows[0]! }
})

describe("the committer", () => {
  it.live("writes together what waits", () =>
    onDatabase(
      withCommitter(
        Effect.gen(function* () {
          const hosts = yield* makeHosts(300)
          const results = yield* commitAll(hosts.map((host) => row(host)))
          assert.deepEqual(new Set(results), new Set(["ok"]))
          // The first may go alone; what came meanwhile goes together.
          assert.isAtMost(yield* transactions, 3)
        })
      )
    )
  )

  it.live("answers two commits of one host with one ok and one stale, the others unharmed", () =>
    onDatabase(
      withCommitter(
        Effect.gen(function* () {
          const hosts = yield* makeHosts(6)
          const results = yield* commitAll([
            nth(hosts[0]!, 0),
            ...hosts.slice(1).map((host) => row(host)),
            nth(hosts[0]!, 0)
          ])
          assert.deepEqual(results.slice(0, -1), ["ok", "ok", "ok", "ok", "ok", "ok"])
          assert.strictEqual(results.at(-1), "stale")
        })
      )
    )
  )

  const poisons: ReadonlyArray<readonly [string, (host: HostId) => HostCommitRow]> = [
    ["a text that jsonb refuses", (host) => row(host, { context: { message: "NUL \u0000" } })],
    ["an id that is none", () => row("not-a-uuid" as HostId)],
    [
      "a number that is none",
      (host) => row(host, { timersSet: [{ id: "xstate.after.run.running", delayMillis: Number.MAX_VALUE }] })
    ],
    [
      "an intent of no order",
      (host) =>
        row(host, {
          intentsClosed: [],
          jobHost: { orderId: "x" as never, state: "running", ended: false, outcome: null, agentJobId: null }
        })
    ]
  ]

  for (const [name, poison] of poisons) {
    it.live(`finds the one row with ${name} and answers it alone as broken`, () =>
      onDatabase(
        withCommitter(
          Effect.gen(function* () {
            const hosts = yield* makeHosts(9)
            const rows = hosts.map((host, index) => (index === 4 ? poison(host) : row(host)))
            const results = yield* commitAll(rows).pipe(Effect.timeout("5 seconds"))
            assert.deepEqual(results, ["ok", "ok", "ok", "ok", "broken", "ok", "ok", "ok", "ok"])
          })
        )
      )
    )
  }

  it.live("finds a row that a constraint refuses, and answers it alone as broken", () =>
    onDatabase(
      withCommitter(
        Effect.gen(function* () {
          const hosts = yield* makeHosts(9)
          const long = "xstate.after.run.running"
          const bad = row(hosts[4]!, {
            timersSet: [
              { id: long, delayMillis: 1 },
              { id: long, delayMillis: 2 }
            ],
            intentsOpened: [{ id: "x/1" as never, action: "format the disk" as never, baseline: null }],
            orderId: hosts[4]! as never
          })
          const rows = hosts.map((host, index) => (index === 4 ? bad : row(host)))
          const results = yield* commitAll(rows).pipe(Effect.timeout("5 seconds"))
          assert.deepEqual(results, ["ok", "ok", "ok", "ok", "broken", "ok", "ok", "ok", "ok"])
        })
      )
    )
  )
})

describe("a connection that is cut", () => {
  it.live(
    "again and again during commits ends each of them ok, exactly once",
    () =>
      Effect.gen(function* () {
        const { url } = yield* testDatabase
        const killer = yield* Effect.acquireRelease(
          Effect.promise(async () => {
            const client = testClient(url)
            await client.connect()
            return client
          }),
          (client) => Effect.promise(() => client.end())
        )
        const kill = Effect.promise(() =>
          killer.query(
            `select pg_terminate_backend(pid) from pg_stat_activity
             where datname = current_database() and application_name = 'under test'`
          )
        )
        const HOSTS = 30
        const EACH = 8
        yield* withCommitter(
          Effect.gen(function* () {
            const committer = yield* Committer
            const hosts = yield* makeHosts(HOSTS)
            const done = yield* Ref.make(0)
            const life = (host: HostId) =>
              Effect.forEach(
                Array.from({ length: EACH }, (_, was) => was),
                (was) =>
                  Effect.gen(function* () {
                    const result = yield* committer.commit(nth(host, was))
                    const count = yield* Ref.updateAndGet(done, (n) => n + 1)
                    if (count % 50 === 1) yield* kill
                    return result
                  })
              )
            const results = yield* Effect.forEach(hosts, life, { concurrency: "unbounded" })
            assert.deepEqual(new Set(results.flat()), new Set(["ok"]))
            assert.deepEqual(yield* everyVersionHasItsRow, { same: true, versions: HOSTS * EACH })
          })
        ).pipe(
          Effect.provide(
            PgClient.layer({ ...parseDatabaseUrl(url), maxConnections: 3, applicationName: "under test" }).pipe(
              Layer.orDie
            )
          )
        )
      }),
    60_000
  )

  it.live("after the server has committed is found out: ok, and written once", () =>
    Effect.gen(function* () {
      const { url } = yield* testDatabase
      const { path, ...address } = parseDatabaseUrl(url)
      const proxy = yield* Effect.acquireRelease(
        Effect.promise(() => startLossyProxy(path!)),
        (proxy) => Effect.promise(proxy.stop)
      )
      yield* withCommitter(
        Effect.gen(function* () {
          const [warm, host, other] = [yield* makeHost(), yield* makeHost(), yield* makeHost()]
          assert.deepEqual(yield* commitAll([row(warm)]), ["ok"])
          proxy.loseNextAnswer()
          assert.deepEqual(yield* commitAll([row(host)]), ["ok"])
          assert.strictEqual(proxy.lost(), 1)
          // A foreign write in the same place is still told apart.
          assert.deepEqual(yield* commitAll([nth(host, 0), row(other)]), ["stale", "ok"])
          assert.deepEqual(yield* everyVersionHasItsRow, { same: true, versions: 3 })
        })
      ).pipe(
        Effect.provide(
          PgClient.layer({ ...address, host: "127.0.0.1", port: proxy.port, maxConnections: 1 }).pipe(Layer.orDie)
        )
      )
    })
  )
})
