/** Every call that changes packages or undoes a job: its bytes, how it is refused, and what it is told about a host before. */
import { it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { beforeAll, describe, expect } from "vitest"
import { type AgentClientService, makeAgentClient } from "#actors/agent/AgentClient.ts"
import type { AgentFailure } from "#actors/agent/AgentFailure.ts"
import { makeSlots } from "#actors/agent/AgentSlots.ts"
import type { AgentTarget } from "#actors/agent/AgentTarget.ts"
import { decodeService } from "#actors/agent/decode/services.ts"
import { readBaseline, readEvidence } from "#actors/agent/readHost.ts"
import { AgentJobId } from "#core/Ids.ts"
import {
  agentServer,
  envelope,
  errorEnvelope,
  json,
  makeTestAuthority,
  targetAt,
  type TestAuthority
} from "./servers.ts"

let authority: TestAuthority
beforeAll(async () => {
  authority = await makeTestAuthority()
})

const fixture = (file: string): string => readFileSync(new URL(`../../fixtures/agent/${file}`, import.meta.url), "utf8")
const client = () =>
  makeAgentClient(authority.trust, makeSlots({ total: 8, polls: 8 }), { commandMs: 2000, readMs: 2000 })
const job = AgentJobId.make("6ba7b810-9dad-11d1-80b4-00c04fd430c8")

type Send = (agent: AgentClientService, target: AgentTarget) => Effect.Effect<{ readonly job_id: string }, AgentFailure>

const calls: ReadonlyArray<{
  readonly name: string
  readonly send: Send
  readonly request: { readonly method: string; readonly path: string; readonly body: string }
  readonly accepted: string
}> = [
  {
    name: "install",
    send: (agent, target) =>
      agent.install(target, {
        packages: [
          { name: "nginx", version: "1.24.0-1" },
          { name: "curl", version: null }
        ]
      }),
    request: {
      method: "POST",
      path: "/api/v1/packages",
      body: '{"packages":[{"name":"nginx","version":"1.24.0-1"},{"name":"curl","version":null}]}'
    },
    accepted: "accepted-install.json"
  },
  {
    name: "update",
    send: (agent, target) => agent.update(target, "libstdc++6"),
    request: { method: "PUT", path: "/api/v1/packages/libstdc%2B%2B6", body: "" },
    accepted: "accepted-update.json"
  },
  {
    name: "remove",
    send: (agent, target) => agent.remove(target, "nginx"),
    request: { method: "DELETE", path: "/api/v1/packages/nginx", body: "" },
    accepted: "accepted-remove.json"
  },
  {
    name: "rollback",
    send: (agent, target) => agent.rollback(target, job),
    request: { method: "POST", path: `/api/v1/jobs/${job}/rollback`, body: "" },
    accepted: "accepted-rollback.json"
  }
]

describe.each(calls)("$name", ({ send, request, accepted }) => {
  it.live("sends these bytes and takes the job of the agent's answer", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* agentServer(authority, (_, response) => json(response, 202, fixture(accepted)))
        const answer = yield* send(client(), targetAt(server.port))
        expect(answer.job_id).toBe((JSON.parse(fixture(accepted)) as { data: { job_id: string } }).data.job_id)
        expect(server.requests).toEqual([request])
      })
    )
  )

  it.live("is refused without effect by an envelope, by plain text and by an empty 405", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const answers: ReadonlyArray<readonly [number, string, string]> = [
          [400, fixture("error-validation-error.json"), "application/json"],
          [409, fixture("error-self-update-in-progress.json"), "application/json"],
          [400, fixture("plain-400-bad-json.txt"), "text/plain; charset=utf-8"],
          [429, fixture("plain-429-rate-limit.txt"), "text/plain; charset=utf-8"],
          [405, "", "text/plain"]
        ]
        const seen: Array<AgentFailure> = []
        for (const [status, body, type] of answers) {
          const server = yield* agentServer(authority, (_, response) => {
            response.writeHead(status, { "content-type": type, "retry-after": "7" })
            response.end(body)
          })
          seen.push(yield* Effect.flip(send(client(), targetAt(server.port))))
        }
        expect(seen.map(({ delivery }) => delivery)).toEqual(["refused", "refused", "refused", "refused", "refused"])
        expect(seen.map(({ kind }) => kind)).toEqual(["rejected", "busy", "rejected", "rate_limited", "rejected"])
        expect(seen.map(({ retryable }) => retryable)).toEqual([false, true, false, true, false])
        expect(seen[3]?.retry_after_ms).toBe(7000)
      })
    )
  )

  it.live("has no clear outcome where the agent failed after it took the call", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const failing = yield* agentServer(authority, (_, response) =>
          json(response, 500, fixture("error-persistence-failed.json"))
        )
        expect(yield* Effect.flip(send(client(), targetAt(failing.port)))).toMatchObject({ delivery: "unclear" })
        const strange = yield* agentServer(authority, (_, response) => json(response, 202, fixture("jobs-empty.json")))
        expect(yield* Effect.flip(send(client(), targetAt(strange.port)))).toMatchObject({
          kind: "unreadable_answer",
          delivery: "unclear"
        })
      })
    )
  )
})

it.live("an installation of nothing is a defect and never leaves", () =>
  Effect.scoped(
    Effect.gen(function* () {
      const server = yield* agentServer(authority, (_, response) =>
        json(response, 202, fixture("accepted-install.json"))
      )
      const exit = yield* Effect.exit(client().install(targetAt(server.port), { packages: [] }))
      expect(exit._tag).toBe("Failure")
      expect(server.accepted).toBe(0)
    })
  )
)

it.live("a rollback that is not allowed is a refusal, not a lost job", () =>
  Effect.scoped(
    Effect.gen(function* () {
      const server = yield* agentServer(authority, (_, response) =>
        json(response, 400, fixture("error-rollback-not-allowed.json"))
      )
      expect(yield* Effect.flip(client().rollback(targetAt(server.port), job))).toMatchObject({
        kind: "rejected",
        delivery: "refused",
        code: "ROLLBACK_NOT_ALLOWED",
        retryable: false
      })
    })
  )
)

describe("the state of a service", () => {
  it("is the agent's own judgement, or what systemd calls the unit", () => {
    const read = (file: string) => decodeService(JSON.parse(fixture(file)))
    expect(read("service-active.json")).toBe("up")
    expect(read("service-failed.json")).toBe("down")
    expect(read("service-socket-activated.json")).toBe("up")
    expect(
      ["active", "inactive", "failed", "activating"].map((active_state) => decodeService({ active_state }))
    ).toEqual(["up", "down", "down", "unknown"])
    expect([decodeService({}), decodeService(null), decodeService("up")]).toEqual([undefined, undefined, undefined])
  })

  it.live("is down where the host has no such unit, and unknown where the agent cannot tell", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const answering = (status: number, body: string) =>
          Effect.flatMap(
            agentServer(authority, (_, response) => json(response, status, body)),
            ({ port }) => client().service(targetAt(port), "nginx")
          )
        expect(yield* answering(404, fixture("error-service-not-found.json"))).toBe("down")
        expect(yield* answering(405, "")).toBe("unknown")
        expect(yield* answering(404, "")).toBe("unknown")
        expect(yield* answering(500, fixture("error-service-status-error.json"))).toBe("unknown")
        expect(yield* Effect.flip(answering(429, fixture("plain-429-rate-limit.txt")))).toMatchObject({
          kind: "rate_limited"
        })
      })
    )
  )
})

it.live("one package says which versions the archives hold, where the agent tells", () =>
  Effect.scoped(
    Effect.gen(function* () {
      const old = yield* agentServer(authority, (_, response) => json(response, 200, fixture("package-nginx.json")))
      expect(yield* client().packageByName(targetAt(old.port), "nginx")).toEqual({
        name: "nginx",
        version: "1.24.0-2ubuntu7"
      })
      const next = yield* agentServer(authority, (_, response) =>
        json(response, 200, envelope({ name: "nginx", version: "2", available_versions: ["2", "1", 7] }))
      )
      expect(yield* client().packageByName(targetAt(next.port), "nginx")).toEqual({
        name: "nginx",
        version: "2",
        available_versions: ["2", "1"]
      })
    })
  )
)

describe("a reading", () => {
  const host = (changes: Readonly<Record<string, string>> = {}) =>
    agentServer(authority, (request, response) => {
      const body = {
        "/api/v1/health": fixture("health-2.7.json"),
        "/api/v1/system/info": fixture("system-info-2.7.json"),
        "/api/v1/jobs": fixture("jobs-empty.json"),
        "/api/v1/patches": fixture("patches-empty.json"),
        "/api/v1/packages": envelope({ packages: [], total: 0 }),
        "/api/v1/system/services/nginx": fixture("service-active.json"),
        "/api/v1/system/services/cron": fixture("service-failed.json"),
        ...changes
      }[request.url ?? ""]
      if (body === undefined) json(response, 404, errorEnvelope("SERVICE_NOT_FOUND", false))
      else json(response, 200, body)
    })
  const all = { kind: "all" } as const

  it.live("asks for the services that are named, and for none else", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* host()
        const target = targetAt(server.port)
        const { baseline } = yield* readBaseline(client(), target, all, undefined, ["nginx", "cron", "gone"])
        expect(baseline.services).toEqual({ nginx: "up", cron: "down", gone: "down" })
        const { evidence } = yield* readEvidence(client(), target, [], undefined, ["cron"])
        expect(evidence.services).toEqual({ cron: "down" })
        const asked = server.requests.length
        expect((yield* readBaseline(client(), target, all)).baseline.services).toEqual({})
        expect(server.requests.slice(asked).filter(({ path }) => path.includes("services"))).toEqual([])
      })
    )
  )

  it.live("tells why an agent calls itself degraded", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const well = yield* host()
        expect((yield* readBaseline(client(), targetAt(well.port), all)).baseline.degraded).toBeNull()
        const server = yield* host({ "/api/v1/health": fixture("health-degraded-crl-expired.json") })
        const { baseline } = yield* readBaseline(client(), targetAt(server.port), all)
        expect(baseline.degraded).toContain("revocation list is expired")
      })
    )
  )

  it.live("does not wait for a rollback that its agent never begins", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const pending = (operation: string) =>
          envelope({
            jobs: [{ job_id: job, operation, status: "pending", created_at: null, packages: ["a"] }],
            total: 1
          })
        const active = (operation: string, version: string) =>
          Effect.gen(function* () {
            const server = yield* host({
              "/api/v1/jobs": pending(operation),
              "/api/v1/health": envelope({ status: "healthy", uptime_seconds: 5, version })
            })
            const { evidence } = yield* readEvidence(client(), targetAt(server.port), [])
            return evidence.active_job_id
          })
        expect(yield* active("rollback", "2.7.0")).toBeNull()
        expect(yield* active("install", "2.7.0")).toBe(job)
        expect(yield* active("rollback", "3.0.0")).toBe(job)
      })
    )
  )
})
