/** A call that waits for its turn until its window has closed is not sent. */
import { it } from "@effect/vitest"
import { Effect, Fiber, Layer, Queue, Result } from "effect"
import { afterAll, beforeAll, describe, expect } from "vitest"
import { AgentClient, makeAgentClient } from "#actors/agent/AgentClient.ts"
import { makeSlots } from "#actors/agent/AgentSlots.ts"
import type { AgentTarget } from "#actors/agent/AgentTarget.ts"
import { DatabaseClock } from "#actors/hosts/DatabaseClock.ts"
import type { HostHandle, Mail } from "#actors/hosts/HostHandle.ts"
import { interpret } from "#actors/hosts/HostInterpreter.ts"
import { HostId, IntentId } from "#core/Ids.ts"
import type { Order } from "#core/Order.ts"
import { hostStep } from "#machines/step.ts"
import { anOrder } from "#test/machines/Drive.ts"
import { makeTestFleet, type TestFleet } from "#test/fleet/makeTestFleet.ts"
import { onDatabase } from "#test/sql/commitFixtures.ts"

const address = "127.78.43.1"
const id = HostId.make("01990000-0000-7000-8000-000000000301")
const intent = IntentId.make("01900000-0000-7000-8000-000000000001/1")

let test: TestFleet
beforeAll(async () => {
  test = await makeTestFleet({ rateLimit: false, hosts: [{ address, profile: "2.7", distro: "ubuntu-24.04" }] })
  const fqdn = test.fleet.hosts()[0]?.fqdn ?? ""
  test.fleet.setIdentity(address, await test.ca.hostOnSharedKey({ address, fqdn, hostId: id }), { persist: false })
})
afterAll(() => test.stop())

/** One slot, which another call holds for 400 ms; what the agent was told to do by then, and what it answered. */
const sendWhileBusy = (order: (now: number) => Partial<Order>, action: "apply" | "reboot") =>
  onDatabase(
    Effect.gen(function* () {
      const target: AgentTarget = {
        host_id: id,
        name: null,
        address,
        port: test.fleet.port,
        bound_fingerprint: null,
        trust_generation: 1
      }
      const clock = yield* DatabaseClock
      const client = yield* AgentClient
      const { snapshot } = Result.getOrThrow(hostStep.initialStep())
      const opened_at = yield* clock.now
      const host: HostHandle = {
        id,
        target,
        snapshot: {
          ...snapshot,
          context: { ...snapshot.context, order: anOrder(order(opened_at)), intent: { id: intent, action, opened_at } }
        } as HostHandle["snapshot"],
        version: 0,
        mailbox: yield* Queue.unbounded<Mail>(),
        patchesReadAt: null,
        packagesReadAt: null,
        fullReadWanted: false
      }
      test.fleet.misbehave(address, { kind: "slow", delay_ms: 400, path: "/health", times: 1 })
      const holding = yield* Effect.forkChild(client.health(target))
      yield* Effect.yieldNow
      const told: Array<unknown> = []
      const call =
        action === "reboot"
          ? ({ kind: "Reboot", call: 0, intent, delay_seconds: 3600 } as const)
          : ({ kind: "Apply", call: 0, intent, names: ["bash"] } as const)
      yield* interpret(host, call, (fact) => Effect.sync(() => void told.push(fact)))
      yield* Fiber.await(holding)
      return told
    }).pipe(
      Effect.provide(
        Layer.mergeAll(
          DatabaseClock.layer,
          Layer.sync(AgentClient, () =>
            makeAgentClient({ ca_pem: test.ca.certificatePem, ...test.client }, makeSlots({ total: 1, polls: 1 }))
          )
        )
      )
    )
  )

describe("a call whose turn comes", () => {
  it.live("after its window has closed is not sent", () =>
    Effect.gen(function* () {
      const told = yield* sendWhileBusy((now) => ({ closes_at: now + 100 }), "apply")
      expect(told).toMatchObject([{ type: "unsent", intent, message: expect.stringContaining("window ran out") }])
      expect(test.fleet.readLedger(address)).toEqual([])
    })
  )

  it.live("when the work would not fit any more is not sent either", () =>
    Effect.gen(function* () {
      const told = yield* sendWhileBusy((now) => ({ closes_at: now + 60_100, expected_ms: 60_000 }), "apply")
      expect(told).toMatchObject([{ type: "unsent" }])
    })
  )

  it.live("within its window is, and a restart does not count how long the packages take", () =>
    Effect.gen(function* () {
      const told = yield* sendWhileBusy((now) => ({ closes_at: now + 60_100, expected_ms: 60_000 }), "reboot")
      expect(told).toMatchObject([{ type: "accepted", intent }])
      const fits = yield* sendWhileBusy((now) => ({ closes_at: now + 60_000 }), "apply")
      expect(fits).toMatchObject([{ type: "refused", code: "ADMISSION_CLOSED" }])
    })
  )
})
