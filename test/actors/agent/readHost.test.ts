/** Baseline and evidence, read from an agent that answers with the byte fixtures. */
import { it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { beforeAll, describe, expect } from "vitest"
import { makeAgentClient } from "#actors/agent/AgentClient.ts"
import { makeSlots } from "#actors/agent/AgentSlots.ts"
import { readBaseline, readEvidence, readInventory } from "#actors/agent/readHost.ts"
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

const answers: Readonly<Record<string, string>> = {
  "/api/v1/health": fixture("health-2.5.5.json"),
  "/api/v1/system/info": fixture("system-info-2.5.5.json"),
  "/api/v1/jobs": fixture("jobs.json"),
  "/api/v1/patches": fixture("patches-apt-contract.json"),
  "/api/v1/packages": envelope({
    packages: [
      { name: "openssl", version: "3.0.13-0ubuntu3", status: "Installed" },
      { name: "constructor", version: "1", status: "Installed" }
    ],
    total: 2
  })
}

const agent = (changes: Readonly<Record<string, string | null>> = {}) =>
  agentServer(authority, (request, response) => {
    const body = { ...answers, ...changes }[request.url ?? ""]
    if (body === undefined || body === null) json(response, 500, errorEnvelope("PKG_MANAGER_ERROR", true))
    else json(response, 200, body)
  })

const client = () => makeAgentClient(authority.trust, makeSlots({ total: 8, polls: 8 }))
const now = Effect.succeed(1_700_000_000_000)

describe("reading a host", () => {
  it.live("the baseline plans from what is installed to what is offered", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { port } = yield* agent()
        const { baseline, reading } = yield* readBaseline(client(), targetAt(port), { kind: "all" }, now)
        expect(baseline).toMatchObject({
          at: 1_700_000_000_000,
          changes: [{ name: "openssl", from: "3.0.13-0ubuntu3", to: "3.0.13-0ubuntu3.1" }],
          installed: { openssl: "3.0.13-0ubuntu3" },
          format: "deb",
          reboot_needed: false,
          database_clean: null
        })
        expect(baseline.job_ids.length).toBeGreaterThan(0)
        expect(reading.packages).toHaveLength(2)
        expect(reading.facts.os).toBe("Ubuntu")
      })
    )
  )

  it.live("names that are chosen but not offered are read and not planned", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { port } = yield* agent()
        const selection = { kind: "packages", names: ["openssl", "absent", "constructor"] } as const
        const { baseline } = yield* readBaseline(client(), targetAt(port), selection, now)
        expect(baseline.changes.map(({ name }) => name)).toEqual(["openssl"])
        expect(baseline.installed).toEqual({ openssl: "3.0.13-0ubuntu3", absent: null, constructor: "1" })
      })
    )
  )

  it.live("a package named like a property of objects is planned from what is installed", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const patches = envelope({ patches: [{ name: "toString", current_version: "2", available_version: "amd64" }] })
        const { port } = yield* agent({ "/api/v1/patches": patches })
        const { baseline } = yield* readBaseline(client(), targetAt(port), { kind: "all" }, now)
        expect(baseline.changes).toEqual([{ name: "toString", from: null, to: "2" }])
      })
    )
  )

  it.live("the evidence names what is missing and does not need the patch list", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { port } = yield* agent({ "/api/v1/patches": null })
        const { evidence, reading } = yield* readEvidence(client(), targetAt(port), ["openssl", "gone"], now)
        expect(evidence.installed).toEqual({ openssl: "3.0.13-0ubuntu3", gone: null })
        expect(reading.patches).toBeNull()
      })
    )
  )

  it.live("the baseline fails as the first read that failed", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { port } = yield* agent({ "/api/v1/patches": null })
        const failure = yield* Effect.flip(readBaseline(client(), targetAt(port), { kind: "all" }, now))
        expect(failure).toMatchObject({ kind: "agent_error", code: "PKG_MANAGER_ERROR" })
      })
    )
  )

  it.live("the inventory reads the long list only when asked", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* agent()
        const short = yield* readInventory(client(), targetAt(server.port), "2.4.0", false)
        expect(short).toMatchObject({ packages: null, facts: { rebootNeeded: null } })
        expect(server.requests.map(({ path }) => path)).not.toContain("/api/v1/packages")
      })
    )
  )
})
