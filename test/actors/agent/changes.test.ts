/** Each kind of change on the stand-in agents, read back from the host, in today's generation and in the next one. */
import { it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { afterAll, beforeAll, describe, expect } from "vitest"
import { makeAgentClient } from "#actors/agent/AgentClient.ts"
import { makeSlots } from "#actors/agent/AgentSlots.ts"
import type { AgentTarget } from "#actors/agent/AgentTarget.ts"
import { readEvidence } from "#actors/agent/readHost.ts"
import { type AgentJobId, HostId } from "#core/Ids.ts"
import { makeTestFleet, type TestFleet } from "#test/fleet/makeTestFleet.ts"
import type { ProfileName } from "#test/fleet/Profile.ts"

const profiles: ReadonlyArray<ProfileName> = ["1.0", "2.7", "next"]
const addressOf = (index: number): string => `127.78.41.${index + 1}`
const idOf = (index: number): HostId => HostId.make(`01990000-0000-7000-8000-00000000020${index}`)

let test: TestFleet
beforeAll(async () => {
  test = await makeTestFleet({
    rateLimit: false,
    hosts: profiles.map((profile, index) => ({ address: addressOf(index), profile, distro: "ubuntu-24.04" }))
  })
  for (const [index] of profiles.entries()) {
    const fqdn = test.fleet.hosts()[index]?.fqdn ?? ""
    const identity = await test.ca.hostOnSharedKey({ address: addressOf(index), fqdn, hostId: idOf(index) })
    test.fleet.setIdentity(addressOf(index), identity, { persist: false })
    for (const name of ["bash", "curl"]) test.fleet.publish(addressOf(index), name)
  }
})
afterAll(() => test.stop())

const target = (index: number): AgentTarget => ({
  host_id: idOf(index),
  name: null,
  address: addressOf(index),
  port: test.fleet.port,
  bound_fingerprint: null,
  trust_generation: 1
})

const client = () =>
  makeAgentClient({ ca_pem: test.ca.certificatePem, ...test.client }, makeSlots({ total: 8, polls: 6 }), {
    pollMs: [20, 100]
  })

describe.each(profiles.map((profile, index) => ({ profile, index })))(
  "an agent of generation $profile",
  ({ profile, index }) => {
    const agent = client
    const version = (name: string) =>
      Effect.map(readEvidence(agent(), target(index), [name]), ({ evidence }) => evidence.installed[name] ?? null)
    const ended = (sent: Effect.Effect<{ readonly job_id: AgentJobId }, unknown>) =>
      Effect.gen(function* () {
        const { job_id } = yield* sent
        const seen = yield* agent()
          .watchJob(target(index), job_id)
          .pipe(Stream.runCollect, Effect.timeout("10 seconds"))
        const last = seen.at(-1)
        if (last?._tag !== "Job") throw new Error("the job is gone")
        return last.job
      })
    const goesBack = profile === "next"

    it.live("updates, goes back by version or says that it cannot, removes and installs again", () =>
      Effect.gen(function* () {
        const old = yield* version("bash")
        const updated = yield* ended(agent().update(target(index), "bash"))
        expect([updated.status, updated.operation]).toEqual(["completed", "update"])
        const now = yield* version("bash")
        expect(now).not.toBe(old)

        const back = yield* ended(agent().install(target(index), { packages: [{ name: "bash", version: old }] }))
        expect([back.status, back.operation]).toEqual([goesBack ? "completed" : "failed", "install"])
        expect(yield* version("bash")).toBe(goesBack ? old : now)

        const removed = yield* ended(agent().remove(target(index), "bash"))
        expect([removed.status, removed.operation]).toEqual(["completed", "remove"])
        expect(yield* version("bash")).toBeNull()
        const again = yield* ended(agent().install(target(index), { packages: [{ name: "bash", version: null }] }))
        expect(again.status).toBe("completed")
        expect(yield* version("bash")).toBe(now)
      })
    )

    it.live(goesBack ? "carries out a rollback" : "takes a rollback and leaves it pending", () =>
      Effect.gen(function* () {
        const old = yield* version("curl")
        const patched = yield* ended(agent().apply(target(index), { names: ["curl"] }))
        const now = yield* version("curl")
        expect(now).not.toBe(old)
        if (goesBack) {
          const undone = yield* ended(agent().rollback(target(index), patched.id))
          expect([undone.status, undone.operation]).toEqual(["completed", "rollback"])
          expect(yield* version("curl")).toBe(old)
          return
        }
        const { job_id } = yield* agent().rollback(target(index), patched.id)
        const { evidence } = yield* readEvidence(agent(), target(index), ["curl"])
        expect(yield* agent().job(target(index), job_id)).toMatchObject({ status: "pending", operation: "rollback" })
        expect(evidence).toMatchObject({ installed: { curl: now }, active_job_id: null })
      })
    )

    it.live("tells about a service, or cannot", () =>
      Effect.gen(function* () {
        const state = agent().service(target(index), "cron")
        expect(yield* state).toBe(profile === "1.0" ? "unknown" : "up")
        test.fleet.misbehave(addressOf(index), { kind: "break_service", unit: "cron", times: 1 })
        yield* ended(agent().install(target(index), { packages: [{ name: "nano", version: null }] }))
        yield* ended(agent().remove(target(index), "nano"))
        expect(yield* state).toBe(profile === "1.0" ? "unknown" : "down")
      })
    )

    it.live("tells which versions can be had, or does not", () =>
      Effect.gen(function* () {
        const known = yield* agent().packageByName(target(index), "curl")
        if (profile === "next") expect(known?.available_versions).toHaveLength(2)
        else expect(known).not.toHaveProperty("available_versions")
      })
    )
  }
)
