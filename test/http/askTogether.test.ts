import { Deferred, Effect, Fiber } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { makeAskTogether } from "#http/server/askTogether.ts"

describe("a question that many ask at the same time", () => {
  it.effect("is answered to each by a run that began after he asked", () =>
    Effect.gen(function* () {
      const ask = makeAskTogether<number, string>()
      const gates = [Deferred.makeUnsafe<void>(), Deferred.makeUnsafe<void>()]
      let runs = 0
      const question = Effect.suspend(() => {
        const run = runs++
        return Effect.as(Deferred.await(gates[run]!), run)
      })
      const first = yield* Effect.forkChild(ask("list", question))
      yield* Effect.yieldNow
      const late = yield* Effect.forEach([1, 2, 3], () => Effect.forkChild(ask("list", question)))
      yield* Effect.yieldNow
      yield* Deferred.succeed(gates[0]!, undefined)
      assert.strictEqual(yield* Fiber.join(first), 0)
      yield* Deferred.succeed(gates[1]!, undefined)
      assert.deepStrictEqual(yield* Effect.forEach(late, (fiber) => Fiber.join(fiber)), [1, 1, 1])
      assert.strictEqual(runs, 2)
    })
  )

  it.effect("keeps other keys apart, hands a failure on, and starts anew afterwards", () =>
    Effect.gen(function* () {
      const ask = makeAskTogether<string, string>()
      assert.strictEqual(yield* ask("a", Effect.succeed("mine")), "mine")
      assert.strictEqual(yield* ask("b", Effect.succeed("yours")), "yours")
      assert.strictEqual(yield* Effect.flip(ask("a", Effect.fail("away"))), "away")
      assert.strictEqual(yield* ask("a", Effect.succeed("back")), "back")
    })
  )

  it.effect("goes on for the others when the one who asked first goes away", () =>
    Effect.gen(function* () {
      const ask = makeAskTogether<string, never>()
      const gate = Deferred.makeUnsafe<void>()
      const first = yield* Effect.forkChild(ask("list", Effect.as(Deferred.await(gate), "one")))
      yield* Effect.yieldNow
      const second = yield* Effect.forkChild(ask("list", Effect.succeed("two")))
      yield* Effect.yieldNow
      yield* Fiber.interrupt(first)
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual(yield* Fiber.join(second), "two")
    })
  )

  it.effect("answers each of many who ask in the same turn", () =>
    Effect.gen(function* () {
      const ask = makeAskTogether<number, never>()
      let runs = 0
      const question = Effect.andThen(
        Effect.yieldNow,
        Effect.sync(() => ++runs)
      )
      const answers = yield* Effect.forEach(Array.from({ length: 50 }), () => ask("list", question), {
        concurrency: "unbounded"
      })
      assert.strictEqual(answers.length, 50)
      assert.isAtMost(runs, 3)
    })
  )
})
