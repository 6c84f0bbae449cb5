import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { readClockSkew, readHeartbeat } from "#sql/HeartbeatStore.ts"
import { beat, finishRequests, readLease, readRequests, renewLease, takeLease } from "#sql/WorkerStore.ts"
import { makeHost, onDatabase } from "./commitFixtures.ts"

describe("the lease", () => {
  it.live("gives every taker a higher epoch", () =>
    onDatabase(
      Effect.gen(function* () {
        assert.strictEqual((yield* readLease).epoch, 0)
        const epochs = yield* Effect.all(
          Array.from({ length: 8 }, (_, index) => Effect.map(takeLease(`worker ${index}`), ({ epoch }) => epoch)),
          { concurrency: 4 }
        )
        assert.deepEqual(epochs.sort(), [1, 2, 3, 4, 5, 6, 7, 8])
        assert.strictEqual((yield* readLease).epoch, 8)
      })
    )
  )

  it.live("is renewed by its holder alone", () =>
    onDatabase(
      Effect.gen(function* () {
        const { epoch: old } = yield* takeLease("first")
        assert.isTrue(yield* renewLease(old))
        const before = (yield* readLease).renewals
        const { epoch } = yield* takeLease("second")
        assert.isFalse(yield* renewLease(old))
        assert.isTrue(yield* renewLease(epoch))
        assert.strictEqual((yield* readLease).renewals, before + 2)
      })
    )
  )
})

describe("the heartbeat", () => {
  it.live("is fresh after a beat, stale after ninety seconds, and rows of yesterday go", () =>
    onDatabase(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        assert.deepEqual(yield* readHeartbeat, {
          fresh: false,
          beat_at: null,
          clock_skew_seconds: 0,
          database_roles: "single",
          workers: []
        })
        const worker = { id: "here/1", epoch: 1, pid: 1, programVersion: "1.2.3", role: "active" as const }
        yield* beat(worker)
        assert.isTrue((yield* readHeartbeat).fresh)
        yield* sql`update worker_heartbeat set beat_at = now() - interval '91 seconds'`
        assert.isFalse((yield* readHeartbeat).fresh)
        yield* beat(worker)
        assert.isTrue((yield* readHeartbeat).fresh)
        yield* sql`update worker_heartbeat set beat_at = now() + interval '91 seconds'`
        assert.isFalse((yield* readHeartbeat).fresh, "before the database's clock was set back")
        yield* beat({ ...worker, clock_skew_ms: -61_400 })
        assert.strictEqual((yield* readHeartbeat).clock_skew_seconds, -61)
        assert.strictEqual(yield* readClockSkew, -61_400)
        yield* sql`insert into worker_heartbeat (worker_id, epoch, pid, program_version, beat_at)
          values ('gone/9', 0, 9, '1', now() - interval '25 hours')`
        yield* beat(worker)
        const rows = yield* sql<{ id: string }>`select worker_id as id from worker_heartbeat`
        assert.deepEqual(
          rows.map((row) => row.id),
          ["here/1"]
        )
      })
    )
  )
})

describe("requests", () => {
  it.live("come oldest first and stay until they are finished", () =>
    onDatabase(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const host = yield* makeHost()
        const ask = (id: string, minutes: number) => sql`
          insert into host_requests (id, host_id, event, created_at)
          values (${id}, ${host}, '{"type":"dismiss","by":"test"}', now() - ${minutes} * interval '1 minute')`
        const [young, old] = ["00000000-0000-7000-8000-000000000001", "00000000-0000-7000-8000-000000000002"]
        yield* ask(young, 1)
        yield* ask(old, 9)
        assert.deepEqual(
          (yield* readRequests(10)).map((one) => one.id),
          [old, young]
        )
        assert.deepEqual(
          (yield* readRequests(1)).map((one) => one.id),
          [old]
        )
        yield* finishRequests([old])
        assert.deepEqual(
          (yield* readRequests(10)).map((one) => one.id),
          [young]
        )
      })
    )
  )
})
