import { PgClient } from "@effect/sql-pg"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Logger } from "effect"
import { acquireLease } from "#actors/wake/Lease.ts"
import { parseDatabaseUrl } from "#sql/DatabaseUrl.ts"
import { readLease } from "#sql/WorkerStore.ts"
import { testDatabase } from "#test/setup/Database.ts"

const named = (id: string) => ({ id, pid: 1, programVersion: "1.2.3" })

describe("the worker's lease", () => {
  it.live("lets one worker in, and the next as soon as its session is gone", () =>
    Effect.gen(function* () {
      const { url } = yield* testDatabase
      const aWorker = Layer.orDie(PgClient.layer({ ...parseDatabaseUrl(url), maxConnections: 2 }))
      const waits = (id: string) =>
        Effect.scoped(acquireLease(named(id))).pipe(Effect.provide(aWorker), Effect.provide(Logger.layer([])))
      const [inside, leave] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const first = yield* Effect.scoped(
        acquireLease(named("first")).pipe(
          Effect.andThen(Deferred.succeed(inside, undefined)),
          Effect.andThen(Deferred.await(leave))
        )
      ).pipe(Effect.provide(aWorker), Effect.forkChild)
      yield* Deferred.await(inside)
      assert.strictEqual((yield* waits("second").pipe(Effect.timeoutOption("500 millis")))._tag, "None")
      const third = yield* Effect.forkChild(waits("third"))
      yield* Deferred.succeed(leave, undefined)
      yield* Fiber.join(first)
      assert.strictEqual((yield* Fiber.join(third).pipe(Effect.timeout("10 seconds"))).epoch, 2)
    })
  )

  it.live(
    "is taken from a holder whose session stays open but who has stopped renewing",
    () =>
      Effect.gen(function* () {
        const { url } = yield* testDatabase
        const aWorker = Layer.orDie(PgClient.layer({ ...parseDatabaseUrl(url), maxConnections: 2 }))
        const inside = yield* Deferred.make<void>()
        // Holds the lock and does nothing, as a process that was stopped does.
        const frozen = yield* Effect.scoped(
          acquireLease(named("frozen")).pipe(
            Effect.andThen(Deferred.succeed(inside, undefined)),
            Effect.andThen(Effect.never)
          )
        ).pipe(Effect.provide(aWorker), Effect.forkChild)
        yield* Deferred.await(inside)
        const began = performance.now()
        const { epoch } = yield* Effect.scoped(acquireLease(named("standby"))).pipe(
          Effect.provide(aWorker),
          Effect.provide(Logger.layer([])),
          Effect.timeout("25 seconds")
        )
        const seconds = (performance.now() - began) / 1000
        assert.strictEqual(epoch, 2)
        assert.isAbove(seconds, 14)
        assert.isBelow(seconds, 20)
        assert.strictEqual((yield* readLease.pipe(Effect.provide(aWorker))).holder, "standby")
        yield* Fiber.interrupt(frozen)
      }),
    40_000
  )
})
