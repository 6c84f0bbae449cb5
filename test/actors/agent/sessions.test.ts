/** TLS sessions are resumed, and only where everything that was verified still holds. */
import { it } from "@effect/vitest"
import { Effect } from "effect"
import { beforeAll, describe, expect } from "vitest"
import { makeAgentClient } from "#actors/agent/AgentClient.ts"
import { makeSlots } from "#actors/agent/AgentSlots.ts"
import { makeTlsSessions } from "#actors/agent/TlsSessions.ts"
import { fingerprint } from "#actors/pki/fingerprint.ts"
import {
  agentServer,
  healthy,
  json,
  LOOPBACK,
  makeTestAuthority,
  otherHostId,
  targetAt,
  type TestAuthority
} from "./servers.ts"

let authority: TestAuthority
beforeAll(async () => {
  authority = await makeTestAuthority()
})

const client = () => makeAgentClient(authority.trust, makeSlots({ total: 8, polls: 8 }))

describe("TLS sessions", () => {
  it.live("the second call resumes the first one's session", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* agentServer(authority, healthy)
        const agent = client()
        for (let i = 0; i < 3; i++) yield* agent.health(targetAt(server.port))
        expect(server.accepted).toBe(3)
        expect(server.resumed).toBe(2)
      })
    )
  )

  it.live("by name as well", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* agentServer(authority, healthy)
        const agent = client()
        const target = targetAt(server.port, { name: "web-01.example.test" })
        yield* agent.health(target)
        yield* agent.health(target)
        expect(server.resumed).toBe(1)
      })
    )
  )

  it.live("another trust generation makes a full handshake", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* agentServer(authority, healthy)
        const agent = client()
        yield* agent.health(targetAt(server.port))
        yield* agent.health(targetAt(server.port, { trust_generation: 2 }))
        expect(server.resumed).toBe(0)
      })
    )
  )

  it.live("another host id makes a full handshake and meets the identity check", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* agentServer(authority, healthy)
        const agent = client()
        yield* agent.health(targetAt(server.port))
        const failure = yield* Effect.flip(agent.health(targetAt(server.port, { host_id: otherHostId })))
        expect(failure.kind).toBe("wrong_identity")
      })
    )
  )

  it.live("a bound fingerprint that is withdrawn no longer helps through an old session", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const certificate = yield* Effect.promise(() => authority.host({ names: [{ type: "ip", value: LOOPBACK }] }))
        const server = yield* agentServer(authority, healthy, { certificate })
        const agent = client()
        const bound = fingerprint(certificate.certificate_pem)
        yield* agent.health(targetAt(server.port, { bound_fingerprint: bound }))
        yield* agent.health(targetAt(server.port, { bound_fingerprint: bound }))
        expect(server.resumed).toBe(1)
        const failure = yield* Effect.flip(agent.health(targetAt(server.port)))
        expect(failure.kind).toBe("wrong_identity")
      })
    )
  )

  it.live("an hour after the host was verified it is verified again, however often it was resumed between", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* agentServer(authority, healthy)
        const agent = makeAgentClient(authority.trust, makeSlots({ total: 8, polls: 8 }), { sessionMaxAgeMs: 400 })
        const poll = agent.health(targetAt(server.port))
        const started = performance.now()
        yield* poll
        while (performance.now() - started < 700) yield* Effect.andThen(Effect.sleep(30), poll)
        expect(server.accepted - server.resumed).toBe(2)
      })
    )
  )

  it.live("flush forgets every session", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* agentServer(authority, healthy)
        const agent = client()
        yield* agent.health(targetAt(server.port))
        yield* agent.flush
        yield* agent.health(targetAt(server.port))
        expect(server.resumed).toBe(0)
      })
    )
  )

  it.live("a client that trusts another CA does not get in by an old session", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* agentServer(authority, healthy)
        const stranger = yield* Effect.promise(makeTestAuthority)
        const agent = client()
        yield* agent.health(targetAt(server.port))
        yield* agent.reload(stranger.trust)
        const failure = yield* Effect.flip(agent.health(targetAt(server.port)))
        expect(failure.kind).toBe("wrong_authority")
      })
    )
  )

  it.live("certificates that cannot be used are refused and the old ones stay in use", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* agentServer(authority, healthy)
        const agent = client()
        const refused = yield* Effect.flip(agent.reload({ ...authority.trust, private_key_pem: "nonsense" }))
        expect(refused.message).toMatch(/cannot be used/)
        yield* agent.health(targetAt(server.port))
      })
    )
  )

  it.live("a broken connection drops the session", () =>
    Effect.scoped(
      Effect.gen(function* () {
        let calls = 0
        const server = yield* agentServer(authority, (_, response) => {
          if (++calls === 2) return void response.socket?.destroy()
          json(response, 200, '{"status":"healthy","uptime_seconds":1}')
        })
        const agent = client()
        yield* agent.health(targetAt(server.port))
        const failure = yield* Effect.flip(agent.health(targetAt(server.port)))
        // Resumed, so the missing ticket of a refused certificate cannot be what happened.
        expect(failure.kind).toBe("connection_lost")
        yield* agent.health(targetAt(server.port))
        expect(server.resumed).toBe(1)
      })
    )
  )
})

describe("the cache", () => {
  const bytes = Buffer.from("session")

  it("keys by everything that the identity check looked at", () => {
    const sessions = makeTlsSessions()
    const keys = [
      targetAt(1),
      targetAt(2),
      targetAt(1, { address: "127.0.0.2" }),
      targetAt(1, { name: "web-01.example.test" }),
      targetAt(1, { host_id: otherHostId }),
      targetAt(1, { trust_generation: 2 }),
      targetAt(1, { bound_fingerprint: "ab" })
    ].map(sessions.keyOf)
    expect(new Set(keys).size).toBe(keys.length)
  })

  it("forgets an hour after the handshake that verified the host, whenever the ticket came", () => {
    const sessions = makeTlsSessions({ maxAgeMs: 1000, maxCount: 10 })
    sessions.keep("fresh", bytes, performance.now() - 900)
    sessions.keep("stale", bytes, performance.now() - 1100)
    expect(sessions.find("fresh")).toBeDefined()
    expect(sessions.find("stale")).toBeUndefined()
  })

  it("keeps no more than it may, the latest ones", () => {
    const sessions = makeTlsSessions({ maxAgeMs: 1000, maxCount: 2 })
    for (const key of ["a", "b", "a", "c"]) sessions.keep(key, bytes, performance.now())
    expect(sessions.size()).toBe(2)
    expect(sessions.find("b")).toBeUndefined()
    expect(sessions.find("a")).toBeDefined()
  })
})
