import { assert, describe, it } from "@effect/vitest"
import { Clock, type Duration, Effect } from "effect"
import { SqlClient } from "effect/sql"
import { TestClock } from "effect/testing"
import { recordComplianceForever } from "#actors/housekeeping/Compliance.ts"
import { beatForever } from "#actors/housekeeping/Heartbeat.ts"
import { makeHost, onDatabase } from "#test/sql/commitFixtures.ts"

const worker = { id: "here/1", epoch: 3, pid: 77, programVersion: "1.2.3", role: "active" as const }

/**
 * Moves the test's clock on by steps, with real input and output between them, until the answer fits.
 * Answers with it and the milliseconds of the test's clock that it took.
 */
const advanceUntil = <A>(
  step: Duration.Input,
  ask: Effect.Effect<A, unknown, SqlClient.SqlClient>,
  fits: (answer: A) => boolean
) =>
  Effect.gen(function* () {
    const from = yield* Clock.currentTimeMillis
    for (let tries = 0; tries < 2_000; tries++) {
      const answer = yield* Effect.orDie(ask)
      if (fits(answer)) return { answer, took: (yield* Clock.currentTimeMillis) - from }
      yield* TestClock.adjust(step)
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
    }
    return yield* Effect.die(new Error("waited in vain"))
  })

describe("the worker's upkeep", () => {
  it.effect("writes the heartbeat at once, and again not before thirty seconds", () =>
    onDatabase(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const row = Effect.map(
          sql<{ beat: string; pid: number; epoch: number; version: string }>`
            select beat_at::text as beat, pid, epoch::int as epoch, program_version as version from worker_heartbeat`,
          (rows) => rows[0]
        )
        yield* Effect.forkScoped(beatForever(worker))
        const { answer: first } = yield* advanceUntil(0, row, (found) => found !== undefined)
        assert.deepEqual([first?.pid, first?.epoch, first?.version], [77, 3, "1.2.3"])
        const second = yield* advanceUntil("1 second", row, (found) => found?.beat !== first?.beat)
        assert.isAtLeast(second.took, 30_000)
        assert.isAtMost(second.took, 60_000)
      })
    )
  )

  it.effect("classes hosts a minute after the start, and again not before an hour", () =>
    onDatabase(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* makeHost()
        const taken = Effect.map(
          sql<{ taken: string; class: string }>`select taken_at::text as taken, class from compliance_daily`,
          (rows) => rows[0]
        )
        yield* Effect.forkScoped(recordComplianceForever)
        const first = yield* advanceUntil("10 seconds", taken, (found) => found !== undefined)
        assert.strictEqual(first.answer?.class, "unknown")
        assert.isAtLeast(first.took, 60_000)
        const second = yield* advanceUntil("1 minute", taken, (found) => found?.taken !== first.answer?.taken)
        assert.isAtLeast(second.took, 3_600_000)
        assert.isAtMost(second.took, 2 * 3_600_000)
      })
    )
  )
})
