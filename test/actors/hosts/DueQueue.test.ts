import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { type DueQueue, makeDueQueue } from "#actors/hosts/DueQueue.ts"

/** Everything taken, in order. */
const collect = Effect.fnUntraced(function* <K>(due: DueQueue<K>) {
  const taken: Array<K> = []
  yield* due.take.pipe(
    Effect.map((key) => void taken.push(key)),
    Effect.forever,
    Effect.forkScoped
  )
  return taken
})

describe("the due queue", () => {
  it.effect("hands out keys when they fall due, in their order and not before", () =>
    Effect.gen(function* () {
      const due = yield* makeDueQueue<string>()
      const taken = yield* collect(due)
      yield* due.set("c", 300)
      yield* due.set("a", 100)
      yield* due.set("b", 200)
      yield* TestClock.adjust(99)
      assert.deepEqual(taken, [])
      yield* TestClock.adjust(1)
      assert.deepEqual(taken, ["a"])
      yield* TestClock.adjust(1_000)
      assert.deepEqual(taken, ["a", "b", "c"])
    })
  )

  it.effect("counts a key that is set again from then on, earlier or later, and hands it out once", () =>
    Effect.gen(function* () {
      const due = yield* makeDueQueue<string>()
      const taken = yield* collect(due)
      yield* due.set("later", 100)
      yield* due.set("earlier", 1_000)
      yield* TestClock.adjust(50)
      yield* due.set("later", 500)
      yield* due.set("earlier", 10)
      yield* TestClock.adjust(10)
      assert.deepEqual(taken, ["earlier"])
      yield* TestClock.adjust(489)
      assert.deepEqual(taken, ["earlier"])
      yield* TestClock.adjust(1)
      assert.deepEqual(taken, ["earlier", "later"])
      yield* TestClock.adjust(10_000)
      assert.deepEqual(taken, ["earlier", "later"])
    })
  )

  it.effect("forgets a key that is removed, and takes it back when it is set again", () =>
    Effect.gen(function* () {
      const due = yield* makeDueQueue<string>()
      const taken = yield* collect(due)
      yield* due.set("gone", 10)
      yield* due.set("stays", 20)
      yield* due.remove("gone")
      yield* due.remove("never set")
      yield* TestClock.adjust(1_000)
      assert.deepEqual(taken, ["stays"])
      yield* due.set("gone", 5)
      yield* TestClock.adjust(5)
      assert.deepEqual(taken, ["stays", "gone"])
    })
  )

  it.effect("wakes a taker that waits on nothing, and one that waits for something later", () =>
    Effect.gen(function* () {
      const due = yield* makeDueQueue<string>()
      const first = yield* Effect.forkChild(due.take)
      yield* Effect.yieldNow
      yield* due.set("now", 0)
      assert.strictEqual(yield* Fiber.join(first), "now")
      yield* due.set("far", 3_600_000)
      const second = yield* Effect.forkChild(due.take)
      yield* Effect.yieldNow
      yield* due.set("near", 10)
      yield* TestClock.adjust(10)
      assert.strictEqual(yield* Fiber.join(second), "near")
    })
  )

  it.effect("hands out at once what is due already", () =>
    Effect.gen(function* () {
      const due = yield* makeDueQueue<string>()
      yield* due.set("b", 0)
      yield* due.set("a", -50)
      assert.deepEqual([yield* due.take, yield* due.take], ["a", "b"])
    })
  )

  it.effect("takes 20,000 keys, sets each again, and hands them out in their order within two seconds", () =>
    Effect.gen(function* () {
      const due = yield* makeDueQueue<number>()
      const COUNT = 20_000
      const delays = Array.from({ length: COUNT }, (_, key) => (key * 7919) % COUNT)
      const started = performance.now()
      for (let key = 0; key < COUNT; key++) yield* due.set(key, 3_600_000)
      for (let key = 0; key < COUNT; key++) yield* due.set(key, delays[key]!)
      yield* TestClock.adjust(COUNT)
      const taken: Array<number> = []
      for (let n = 0; n < COUNT; n++) taken.push(yield* due.take)
      assert.isBelow(performance.now() - started, 2_000)
      assert.deepEqual(
        taken.map((key) => delays[key]),
        Array.from({ length: COUNT }, (_, n) => n)
      )
    })
  )
})
