import { assert, describe, it } from "@effect/vitest"
import { Effect, Queue, Result } from "effect"
import { TestClock } from "effect/testing"
import type { HostHandle, Mail } from "#actors/hosts/HostHandle.ts"
import { makeHostTimers } from "#actors/hosts/HostTimers.ts"
import { HostId } from "#core/Ids.ts"
import { newId } from "#core/newId.ts"
import { initialStep } from "#machines/step.ts"

const makeHandle = Effect.fnUntraced(function* (id = newId(HostId)) {
  const host: HostHandle = {
    id,
    target: { host_id: id, name: null, address: "127.0.0.1", port: 1, bound_fingerprint: null, trust_generation: 0 },
    snapshot: Result.getOrThrow(initialStep()).snapshot,
    version: 0,
    mailbox: yield* Queue.unbounded<Mail>(),
    patchesReadAt: null,
    packagesReadAt: null,
    fullReadWanted: false
  }
  return host
})

const mailOf = (host: HostHandle) => Queue.clear(host.mailbox)

const call = "xstate.after.call.preparing"
const run = "xstate.after.run.running"

describe("a host's deadlines", () => {
  it.effect("arrive when they are due, stamped with database time and their arming", () =>
    Effect.gen(function* () {
      const timers = yield* makeHostTimers(Effect.succeed(1_234))
      const host = yield* makeHandle()
      yield* timers.set(host, call, 1_000, 3)
      yield* TestClock.adjust(999)
      assert.deepEqual(yield* mailOf(host), [])
      yield* TestClock.adjust(1)
      const [mail, ...rest] = yield* mailOf(host)
      assert.deepEqual(rest, [])
      assert.deepEqual(mail?.event, { type: call, at: 1_234 })
      assert.deepEqual([mail?.armed?.id, mail?.armed?.version], [call, 3])
      assert.isTrue(timers.isCurrent(mail!.armed!))
    })
  )

  it.effect("never arrive once cancelled, one by one or all together", () =>
    Effect.gen(function* () {
      const timers = yield* makeHostTimers(Effect.succeed(0))
      const [host, other] = [yield* makeHandle(), yield* makeHandle()]
      yield* timers.set(host, call, 10, 1)
      yield* timers.set(host, run, 20, 1)
      yield* timers.set(other, run, 20, 1)
      yield* timers.cancel(host, call)
      yield* timers.cancel(host, "xstate.after.never.set")
      yield* TestClock.adjust(15)
      assert.deepEqual(yield* mailOf(host), [])
      yield* timers.cancelAll(host)
      yield* timers.cancelAll(host)
      yield* TestClock.adjust(1_000)
      assert.deepEqual(yield* mailOf(host), [])
      assert.strictEqual((yield* mailOf(other)).length, 1)
    })
  )

  it.effect("armed anew arrive at the new time alone", () =>
    Effect.gen(function* () {
      const timers = yield* makeHostTimers(Effect.succeed(0))
      const host = yield* makeHandle()
      yield* timers.set(host, call, 10, 1)
      yield* timers.set(host, call, 100, 2)
      yield* TestClock.adjust(99)
      assert.deepEqual(yield* mailOf(host), [])
      yield* TestClock.adjust(1)
      assert.deepEqual(
        (yield* mailOf(host)).map((mail) => mail.armed?.version),
        [2]
      )
      yield* TestClock.adjust(1_000)
      assert.deepEqual(yield* mailOf(host), [])
    })
  )

  it.effect("that wait in the mailbox when they are armed anew or cancelled no longer count", () =>
    Effect.gen(function* () {
      const timers = yield* makeHostTimers(Effect.succeed(0))
      const host = yield* makeHandle()
      yield* timers.set(host, call, 10, 1)
      yield* timers.set(host, run, 10, 1)
      yield* TestClock.adjust(10)
      const waiting = yield* mailOf(host)
      assert.strictEqual(waiting.length, 2)
      yield* timers.set(host, call, 50, 2)
      yield* timers.cancel(host, run)
      assert.deepEqual(
        waiting.map((mail) => timers.isCurrent(mail.armed!)),
        [false, false]
      )
      yield* TestClock.adjust(50)
      const [late] = yield* mailOf(host)
      assert.isTrue(timers.isCurrent(late!.armed!))
    })
  )

  it.effect("of a host that was loaded anew go to the new one only", () =>
    Effect.gen(function* () {
      const timers = yield* makeHostTimers(Effect.succeed(0))
      const id = newId(HostId)
      const [before, after] = [yield* makeHandle(id), yield* makeHandle(id)]
      yield* timers.set(before, call, 10, 1)
      yield* timers.cancelAll(before)
      yield* timers.set(after, call, 10, 1)
      yield* timers.cancel(before, call)
      yield* TestClock.adjust(10)
      assert.deepEqual(yield* mailOf(before), [])
      assert.strictEqual((yield* mailOf(after)).length, 1)
    })
  )
})
