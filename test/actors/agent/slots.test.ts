/** The limiter: never above its limits, in order, and cheap however many wait. */
import { setImmediate } from "node:timers/promises"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { describe, expect, test } from "vitest"
import { makeAgentClient } from "#actors/agent/AgentClient.ts"
import { AgentLane, makeSlots, type Ticket } from "#actors/agent/AgentSlots.ts"
import { HostId } from "#core/Ids.ts"
import { makeTestAuthority, targetAt, tcpServer } from "./servers.ts"

const hostNumber = (n: number) => HostId.make(`01990000-0000-7000-8000-${String(n).padStart(12, "0")}`)

describe("slots", () => {
  test("are granted in the order of asking and never beyond the total", () => {
    const slots = makeSlots({ total: 2, polls: 2 })
    const order: Array<number> = []
    const tickets = Array.from({ length: 5 }, (_, i) => slots.take("poll", `h${i}`, () => void order.push(i)))
    expect(order).toEqual([0, 1])
    tickets[1]?.release()
    tickets[0]?.release()
    expect(order).toEqual([0, 1, 2, 3])
    tickets[2]?.release()
    tickets[2]?.release()
    expect(order).toEqual([0, 1, 2, 3, 4])
    expect(slots.running()).toBe(2)
  })

  test("hold nothing of a call whose slot was given back", async () => {
    setFlagsFromString("--expose-gc")
    const collect: () => void = runInNewContext("gc")
    const slots = makeSlots({ total: 2, polls: 2 })
    const ended = Array.from({ length: 5 }, (_, i) => {
      const answer = { bytes: Buffer.alloc(1024) }
      slots.take("poll", `h${i}`, () => void answer).release()
      return new WeakRef(answer)
    })
    // A weak reference that was just made holds until the turn is over.
    await setImmediate()
    collect()
    expect(ended.filter((answer) => answer.deref() !== undefined)).toEqual([])
  })

  test("leave room for commands, which go first", () => {
    const slots = makeSlots({ total: 3, polls: 2 })
    const order: Array<string> = []
    const take = (lane: "poll" | "command", host: string): Ticket => slots.take(lane, host, () => void order.push(host))
    const first = take("poll", "p1")
    take("poll", "p2")
    take("poll", "p3")
    expect(order).toEqual(["p1", "p2"])
    take("command", "c1")
    take("command", "c2")
    expect(order).toEqual(["p1", "p2", "c1"])
    first.release()
    expect(order).toEqual(["p1", "p2", "c1", "c2"])
  })

  test("let one call at a time to a host, and a waiting host holds no slot", () => {
    const slots = makeSlots({ total: 2, polls: 2 })
    const order: Array<string> = []
    const first = slots.take("poll", "same", () => void order.push("same 1"))
    slots.take("command", "same", () => void order.push("same 2"))
    slots.take("poll", "other", () => void order.push("other"))
    expect(order).toEqual(["same 1", "other"])
    first.release()
    expect(order).toEqual(["same 1", "other", "same 2"])
  })

  test("a place given up anywhere in the queue leaves the rest in order", () => {
    const slots = makeSlots({ total: 1, polls: 1 })
    const order: Array<string> = []
    const running = slots.take("poll", "a", () => void order.push("a"))
    const queuedAtHost = slots.take("poll", "a", () => void order.push("a again"))
    const queuedInLane = slots.take("poll", "b", () => void order.push("b"))
    slots.take("poll", "b", () => void order.push("b again"))
    slots.take("poll", "c", () => void order.push("c"))
    queuedAtHost.release()
    queuedInLane.release()
    running.release()
    expect(order).toEqual(["a", "c"])
    expect(slots.waiting()).toBe(1)
  })

  test("a grant that releases at once does not recurse", () => {
    const slots = makeSlots({ total: 1, polls: 1 })
    const blocker = slots.take("poll", "blocker", () => {})
    let granted = 0
    for (let i = 0; i < 50_000; i++) {
      const ticket: Ticket = slots.take("poll", `h${i}`, () => {
        granted++
        ticket.release()
      })
    }
    blocker.release()
    expect(granted).toBe(50_000)
    expect(slots.running()).toBe(0)
  })

  test("100,000 waiters cost per waiter what 10,000 do", () => {
    const drain = (count: number): number => {
      const slots = makeSlots({ total: 64, polls: 64 })
      const running: Array<Ticket> = []
      const tickets: Array<Ticket> = []
      const started = process.cpuUsage()
      for (let i = 0; i < count; i++) {
        tickets.push(slots.take("poll", `h${i}`, () => void running.push(tickets[i] ?? { release: () => {} })))
      }
      let done = 0
      for (const ticket of tickets) {
        ticket.release()
        done++
      }
      expect(done).toBe(count)
      expect(slots.running() + slots.waiting()).toBe(0)
      const used = process.cpuUsage(started)
      return (used.user + used.system) / count
    }
    drain(10_000)
    const few = drain(10_000)
    const many = drain(100_000)
    // Quadratic would be ten times; hashing and garbage collection may double it.
    expect(many).toBeLessThan(few * 5 + 2)
  })

  it.live("waiting is interruptible and an interrupted holder gives back", () =>
    Effect.gen(function* () {
      const slots = makeSlots({ total: 1, polls: 1 })
      const holder = yield* Effect.forkChild(slots.within("poll", "a")(Effect.never), { startImmediately: true })
      const waiter = yield* Effect.forkChild(slots.within("poll", "b")(Effect.never), { startImmediately: true })
      expect([slots.running(), slots.waiting()]).toEqual([1, 1])
      yield* Fiber.interrupt(waiter)
      expect([slots.running(), slots.waiting()]).toEqual([1, 0])
      yield* Fiber.interrupt(holder)
      expect(slots.running()).toBe(0)
    })
  )

  it.live("10,000 fibers through 64 slots, a third of them interrupted, lose none", () =>
    Effect.gen(function* () {
      const slots = makeSlots({ total: 64, polls: 48 })
      let most = 0
      const fibers = yield* Effect.forEach(
        Array.from({ length: 10_000 }, (_, i) => i),
        (i) =>
          Effect.forkChild(
            slots.within(
              i % 5 === 0 ? "command" : "poll",
              `h${i % 700}`
            )(
              Effect.andThen(
                Effect.sync(() => {
                  most = Math.max(most, slots.running())
                }),
                Effect.yieldNow
              )
            )
          )
      )
      for (const [i, fiber] of fibers.entries()) if (i % 3 === 0) fiber.interruptUnsafe()
      yield* Effect.forEach(fibers, Fiber.await)
      expect(most).toBeLessThanOrEqual(64)
      expect(most).toBeGreaterThan(40)
      expect([slots.running(), slots.waiting()]).toEqual([0, 0])
    })
  )

  it.live("bound the connections of real calls to hosts that hang", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const authority = yield* Effect.promise(makeTestAuthority)
        const slots = makeSlots({ total: 6, polls: 4 })
        const agent = makeAgentClient(authority.trust, slots, { connectMs: 60 })
        const server = yield* tcpServer((socket) => void socket.resume())
        const poll = (i: number) => Effect.flip(agent.health(targetAt(server.port, { host_id: hostNumber(i) })))
        const hosts = Array.from({ length: 60 }, (_, i) => i)
        const polled = yield* Effect.forEach(hosts, poll, { concurrency: "unbounded" })
        expect(new Set(polled.map(({ kind }) => kind))).toEqual(new Set(["connect_timeout"]))
        expect(server.accepted).toBe(60)
        expect(server.most).toBeLessThanOrEqual(4)
        const ordered = Effect.forEach(hosts, poll, { concurrency: "unbounded" })
        yield* Effect.provideService(ordered, AgentLane, "command")
        expect(server.most).toBeLessThanOrEqual(6)
      })
    )
  )
})
