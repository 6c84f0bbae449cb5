/** What happens without each guard: proof that the tests of the guards do not pass by chance. */
import { it } from "@effect/vitest"
import { Effect } from "effect"
import { beforeAll, describe, expect } from "vitest"
import { makeAgentClient } from "#actors/agent/AgentClient.ts"
import type { AgentGuard } from "#actors/agent/AgentGuard.ts"
import { makeSlots } from "#actors/agent/AgentSlots.ts"
import { hostUri } from "#core/Ids.ts"
import {
  agentServer,
  envelope,
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

const without = (...guards: ReadonlyArray<AgentGuard>) =>
  makeAgentClient(authority.trust, makeSlots({ total: 8, polls: 8 }), {
    healthMs: 200,
    guardsOff: new Set(guards)
  })

describe("without its guard", () => {
  it.live("identity: another host passes for the registered one", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const certificate = yield* Effect.promise(() =>
          authority.host({
            names: [
              { type: "ip", value: LOOPBACK },
              { type: "url", value: hostUri(otherHostId) }
            ]
          })
        )
        const { port } = yield* agentServer(authority, healthy, { certificate })
        expect((yield* Effect.flip(without().health(targetAt(port)))).kind).toBe("wrong_identity")
        expect((yield* without("identity").health(targetAt(port))).health).toBe("healthy")
      })
    )
  )

  it.live("resumption key: an old session carries another host past the identity check", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { port } = yield* agentServer(authority, healthy)
        const swapped = targetAt(port, { host_id: otherHostId })
        const guarded = without()
        yield* guarded.health(targetAt(port))
        expect((yield* Effect.flip(guarded.health(swapped))).kind).toBe("wrong_identity")
        const bare = without("resumption_key")
        yield* bare.health(targetAt(port))
        expect((yield* bare.health(swapped)).health).toBe("healthy")
      })
    )
  )

  it.live("deadline: a call that is never answered never ends", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { port } = yield* agentServer(authority, () => {})
        expect((yield* Effect.flip(without().health(targetAt(port)))).kind).toBe("timed_out")
        const unguarded = without("deadline").health(targetAt(port)).pipe(Effect.timeoutOption("1 second"))
        expect((yield* unguarded)._tag).toBe("None")
      })
    )
  )

  it.live("size limit: an answer of any size is taken in", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const huge = envelope({ status: "healthy", uptime_seconds: 1, padding: "x".repeat(100_000) })
        const { port } = yield* agentServer(authority, (_, response) => json(response, 200, huge))
        expect((yield* Effect.flip(without().health(targetAt(port)))).kind).toBe("too_large")
        expect((yield* without("size_limit").health(targetAt(port))).health).toBe("healthy")
      })
    )
  )

  it.live("host limit: calls to one host meet there", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const most = Effect.fnUntraced(function* (perHost: boolean) {
          const server = yield* agentServer(authority, () => {})
          const slots = makeSlots({ total: 8, polls: 8, perHost })
          const agent = makeAgentClient(authority.trust, slots, { healthMs: 100 })
          const calls = Array.from({ length: 4 }, () => Effect.exit(agent.health(targetAt(server.port))))
          yield* Effect.all(calls, { concurrency: "unbounded" })
          return server.most
        })
        expect(yield* most(true)).toBe(1)
        expect(yield* most(false)).toBeGreaterThan(1)
      })
    )
  )
})
