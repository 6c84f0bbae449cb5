import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { type HostId, OrderId } from "#core/Ids.ts"
import { newId } from "#core/newId.ts"
import type { Patch } from "#core/Package.ts"
import {
  keepPackagesBefore,
  type SeenRow,
  writeEffects,
  writeMissed,
  writePackages,
  writePatches,
  writeProgress,
  writeSeen,
  writeSystemFacts
} from "#sql/ObservationStore.ts"
import { makeHost, makeHosts, makeJob, onDatabase } from "./commitFixtures.ts"

const patch = (name: string, security = false): Patch => ({
  name,
  current_version: "1",
  available_version: "2",
  severity: "unknown",
  security,
  requires_reboot: false,
  description: "",
  cve_ids: []
})

/** Puts the row's times an hour back, so that what is written anew shows. */
const age = (table: "host_patch_data" | "host_packages") =>
  Effect.flatMap(
    SqlClient.SqlClient,
    (sql) => sql`update ${sql(table)} set changed_at = now() - interval '1 hour', read_at = now() - interval '1 hour'`
  )

const times = (table: "host_patch_data" | "host_packages") =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    Effect.map(
      sql<{ changed: boolean; read: boolean }>`
        select changed_at > now() - interval '1 minute' as changed, read_at > now() - interval '1 minute' as read
        from ${sql(table)}`,
      (rows) => ({ ...rows[0]! })
    )
  )

const feed = (host: HostId) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    Effect.map(sql<{ topic: string }>`select topic from change_feed where host_id = ${host} order by seq`, (rows) =>
      rows.map((row) => row.topic)
    )
  )

describe("the patch list", () => {
  it.live("keeps the moment of its last change when it is read again the same", () =>
    onDatabase(
      Effect.gen(function* () {
        const host = yield* makeHost()
        assert.isTrue(yield* writePatches(host, [patch("curl", true)]))
        yield* age("host_patch_data")
        assert.isFalse(yield* writePatches(host, [patch("curl", true)]))
        assert.deepEqual(yield* times("host_patch_data"), { changed: false, read: true })
        assert.deepEqual(yield* feed(host), ["host"])
        assert.isTrue(yield* writePatches(host, []))
        assert.deepEqual(yield* times("host_patch_data"), { changed: true, read: true })
        assert.deepEqual(yield* feed(host), ["host", "host"])
      })
    )
  )

  it.live("counts, and remembers since when security patches wait, until none does", () =>
    onDatabase(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const host = yield* makeHost()
        const counted = sql<{ pending: number; security: number; waits: number | null }>`
          select pending, security, extract(day from now() - oldest_security_at)::int as waits from host_patch_data`
        yield* writePatches(host, [patch("a", true), patch("b"), patch("c", true)])
        assert.deepEqual({ ...(yield* counted)[0]! }, { pending: 3, security: 2, waits: 0 })
        yield* sql`update host_patch_data set oldest_security_at = now() - interval '9 days'`
        yield* writePatches(host, [patch("c", true)])
        assert.deepEqual({ ...(yield* counted)[0]! }, { pending: 1, security: 1, waits: 9 })
        yield* writePatches(host, [patch("b")])
        assert.deepEqual({ ...(yield* counted)[0]! }, { pending: 1, security: 0, waits: null })
      })
    )
  )
})

describe("the package list", () => {
  it.live("unchanged moves only its reading time, and the feed stays quiet", () =>
    onDatabase(
      Effect.gen(function* () {
        const host = yield* makeHost()
        yield* writePackages(host, [{ name: "curl", version: "1" }])
        yield* age("host_packages")
        yield* writePackages(host, [{ name: "curl", version: "1" }])
        assert.deepEqual(yield* times("host_packages"), { changed: false, read: true })
        assert.deepEqual(yield* feed(host), ["host"])
        yield* writePackages(host, [{ name: "curl", version: "2" }])
        assert.deepEqual(yield* times("host_packages"), { changed: true, read: true })
        assert.deepEqual(yield* feed(host), ["host", "host"])
      })
    )
  )
})

describe("system facts", () => {
  it.live("are told of only when one of them changed, unknown ones included", () =>
    onDatabase(
      Effect.gen(function* () {
        const host = yield* makeHost()
        const facts = {
          os: "Debian GNU/Linux",
          osVersion: "13",
          kernel: null,
          architecture: "x86_64",
          packageFormat: "deb" as const,
          rebootNeeded: null
        }
        yield* writeSystemFacts(host, facts)
        yield* writeSystemFacts(host, facts)
        assert.deepEqual(yield* feed(host), ["host"])
        yield* writeSystemFacts(host, { ...facts, rebootNeeded: false })
        yield* writeSystemFacts(host, { ...facts, rebootNeeded: null })
        assert.deepEqual(yield* feed(host), ["host", "host", "host"])
      })
    )
  )
})

describe("a job's progress", () => {
  it.live("is written and told of only when it moved", () =>
    onDatabase(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const host = yield* makeHost()
        const { orders } = yield* makeJob([host])
        yield* writeProgress(orders[0]!, { percent: 40, log: ["it's 40 %", "ü"] })
        yield* writeProgress(orders[0]!, { percent: 40, log: ["it's 40 %", "ü"] })
        assert.deepEqual(yield* feed(host), ["job_host"])
        yield* writeProgress(orders[0]!, { percent: 40, log: ["it's 40 %", "ü", "more"] })
        yield* writeProgress(orders[0]!, { percent: 60, log: ["it's 40 %", "ü", "more"] })
        assert.deepEqual(yield* feed(host), ["job_host", "job_host", "job_host"])
        const rows = yield* sql<{
          percent: number
          log: unknown
        }>`select progress_percent as percent, log from patch_job_hosts`
        assert.deepEqual({ ...rows[0]! }, { percent: 60, log: ["it's 40 %", "ü", "more"] })
      })
    )
  )
})

describe("polls of many hosts", () => {
  it.live("are written together; a host that is gone does not hold the others up", () =>
    onDatabase(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const [healthy, degraded, gone, missed] = yield* makeHosts(4)
        yield* sql`delete from hosts where id = ${gone!}`
        const seen = (hostId: HostId, fields: Partial<SeenRow> = {}): SeenRow => ({
          hostId,
          health: "healthy",
          reason: null,
          uptimeSeconds: 12.5,
          agentVersion: "2.7.0",
          nextPollMillis: 300_000,
          failure: null,
          announce: false,
          ...fields
        })
        yield* writeMissed([
          { hostId: missed!, kind: "refused", message: "Nothing listens", nextPollMillis: 60_000 },
          { hostId: healthy!, kind: "timed_out", message: "Too late", nextPollMillis: 60_000 }
        ])
        yield* writeSeen([
          seen(healthy!),
          seen(degraded!, { health: "degraded", reason: "repository out of reach", announce: true }),
          seen(gone!)
        ])
        const rows = yield* sql<{
          id: HostId
          health: string | null
          reason: string | null
          failure: string | null
          next: number
          seen: boolean
        }>`
          select d.host_id as id, health, reason, failure_kind as failure,
            extract(epoch from next_poll_at - coalesce(polled_at, failed_at))::int as next,
            h.last_seen_at is not null and h.agent_version = '2.7.0' as seen
          from host_health_data d join hosts h on h.id = d.host_id`
        const of = (id: HostId | undefined) => {
          const found = rows.find((row) => row.id === id)!
          return [found.health, found.reason, found.failure, found.next, found.seen]
        }
        assert.deepEqual(of(healthy), ["healthy", null, null, 300, true])
        assert.deepEqual(of(degraded), ["degraded", "repository out of reach", null, 300, true])
        assert.deepEqual(of(missed), [null, null, "refused", 60, false])
        assert.strictEqual(rows.length, 3)
        assert.deepEqual(yield* feed(degraded!), ["host"])
        assert.deepEqual(yield* feed(missed!), ["host"])
        yield* writeSeen([])
        yield* writeMissed([])
      })
    )
  )
})

describe("what an order changed", () => {
  const packages = (versions: Readonly<Record<string, string>>) =>
    Object.entries(versions).map(([name, version]) => ({ name, version }))
  const kept = Effect.flatMap(SqlClient.SqlClient, (sql) =>
    Effect.map(
      sql<{ before: unknown; effects: unknown }>`select packages_before as before, effects from order_effects`,
      (rows) => rows.map((row) => ({ ...row }))
    )
  )

  it.live("is every difference between the list before it was sent and the last one", () =>
    onDatabase(
      Effect.gen(function* () {
        const host = yield* makeHost()
        const { orders } = yield* makeJob([host])
        const order = orders[0]!
        const before = packages({ openssl: "1", curl: "7", vim: "9" })
        yield* keepPackagesBefore(order, packages({ openssl: "0" }), 0)
        // Somebody else was at work meanwhile, and nothing of this order has been sent yet.
        yield* keepPackagesBefore(order, before, 0)
        assert.deepEqual(yield* kept, [{ before, effects: null }])
        yield* writeEffects(order, packages({ openssl: "2", curl: "7", vim: "9" }))
        // A second try finds what the first one left behind; the list from before the first stays.
        yield* keepPackagesBefore(order, packages({ openssl: "2", curl: "7" }), 1)
        yield* writeEffects(order, packages({ openssl: "2", curl: "7", libnew: "1" }))
        assert.deepEqual(yield* kept, [
          {
            before,
            effects: [
              { name: "libnew", from: null, to: "1" },
              { name: "openssl", from: "1", to: "2" },
              { name: "vim", from: "9", to: null }
            ]
          }
        ])
      })
    )
  )

  it.live("is not guessed without a list from before, nor for an order that is gone", () =>
    onDatabase(
      Effect.gen(function* () {
        const host = yield* makeHost()
        const { orders } = yield* makeJob([host])
        yield* writeEffects(orders[0]!, packages({ openssl: "2" }))
        yield* keepPackagesBefore(newId(OrderId), packages({ openssl: "2" }), 0)
        assert.deepEqual(yield* kept, [])
      })
    )
  )
})
