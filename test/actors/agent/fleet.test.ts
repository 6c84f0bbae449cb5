/** The client against the stand-in agents, which share not a line with it: all generations, and what they can be told to do wrong. */
import { it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { afterAll, afterEach, beforeAll, describe, expect } from "vitest"
import { makeAgentClient } from "#actors/agent/AgentClient.ts"
import type { AgentFailure } from "#actors/agent/AgentFailure.ts"
import { makeSlots } from "#actors/agent/AgentSlots.ts"
import type { AgentTarget } from "#actors/agent/AgentTarget.ts"
import { readBaseline, readEvidence } from "#actors/agent/readHost.ts"
import type { AgentFailureKind } from "#core/AgentFailure.ts"
import { HostId } from "#core/Ids.ts"
import { isReached } from "#core/Version.ts"
import { makeTestFleet, type TestFleet } from "#test/fleet/makeTestFleet.ts"
import type { Misbehaviour } from "#test/fleet/Misbehaviour.ts"
import type { ProfileName } from "#test/fleet/Profile.ts"

const generations: ReadonlyArray<ProfileName> = ["1.0", "1.2", "2.4", "2.5.5", "2.7"]
const addressOf = (index: number): string => `127.78.40.${index + 1}`
const idOf = (index: number): HostId => HostId.make(`01990000-0000-7000-8000-00000000010${index}`)

let test: TestFleet
beforeAll(async () => {
  test = await makeTestFleet({
    rateLimit: false,
    hosts: generations.map((profile, index) => ({
      address: addressOf(index),
      fqdn: `web-${index}.example.test`,
      profile,
      distro: "ubuntu-24.04"
    }))
  })
  for (const [index] of generations.entries()) {
    const identity = await test.ca.hostOnSharedKey({
      address: addressOf(index),
      fqdn: `web-${index}.example.test`,
      hostId: idOf(index)
    })
    test.fleet.setIdentity(addressOf(index), identity, { persist: false })
    for (const name of ["bash", "curl", "libc6"]) test.fleet.publish(addressOf(index), name)
  }
})
afterAll(() => test.stop())

const target = (index: number, changes: Partial<AgentTarget> = {}): AgentTarget => ({
  host_id: idOf(index),
  name: null,
  address: addressOf(index),
  port: test.fleet.port,
  bound_fingerprint: null,
  trust_generation: 1,
  ...changes
})

const client = () =>
  makeAgentClient({ ca_pem: test.ca.certificatePem, ...test.client }, makeSlots({ total: 8, polls: 6 }), {
    connectMs: 400,
    healthMs: 600,
    commandMs: 600,
    pollMs: [40, 200]
  })

describe("an agent of generation", () => {
  for (const [index, profile] of generations.entries()) {
    it.live(`${profile} is read, patched, watched to the end and read again`, () =>
      Effect.gen(function* () {
        const agent = client()
        const host = target(index, index % 2 === 0 ? {} : { name: `web-${index}.example.test` })
        const { baseline, reading } = yield* readBaseline(agent, host, { kind: "packages", names: ["bash"] })
        expect(reading.health).toMatchObject({ health: "healthy" })
        expect(reading.health?.agent_version?.startsWith(profile.slice(0, 3))).toBe(true)
        expect(baseline.format).toBe("deb")
        expect(baseline.active_job_id).toBeNull()
        const [change] = baseline.changes
        if (!change) throw new Error("no change planned")
        expect(change.from).not.toBeNull()
        expect(change.to).toMatch(/\d/)
        expect(isReached(change, baseline.installed["bash"] ?? null, "deb")).toBe(false)

        const { job_id } = yield* agent.apply(host, { names: ["bash"] })
        const seen = yield* agent.watchJob(host, job_id).pipe(Stream.runCollect, Effect.timeout("10 seconds"))
        const last = seen.at(-1)
        expect(last).toMatchObject({ _tag: "Job", job: { id: job_id, status: "completed", operation: "patchapply" } })

        const { evidence } = yield* readEvidence(agent, host, ["bash"])
        expect(isReached(change, evidence.installed["bash"] ?? null, "deb")).toBe(true)
        const after = yield* readBaseline(agent, host, { kind: "all" })
        expect(after.baseline.changes.map(({ name }) => name)).not.toContain("bash")
        expect(after.baseline.changes.map(({ name }) => name)).toContain("curl")
        expect(test.fleet.readLedger(addressOf(index))).toHaveLength(1)
      })
    )
  }

  it.live("2.7 restarts when it is asked to, and is away meanwhile", () =>
    Effect.gen(function* () {
      const agent = client()
      const host = target(4)
      const before = yield* agent.health(host)
      yield* agent.reboot(host, { delay_seconds: 0 })
      const failures: Array<AgentFailureKind> = []
      const back = yield* agent.health(host).pipe(
        Effect.tapError((failure) => Effect.sync(() => void failures.push(failure.kind))),
        Effect.filterOrFail(
          (health) => health.uptime_seconds < before.uptime_seconds,
          () => "still up"
        ),
        Effect.tapError(() => Effect.sleep(20)),
        Effect.eventually,
        Effect.timeout("10 seconds")
      )
      expect(back.uptime_seconds).toBeLessThan(before.uptime_seconds)
      expect(failures.length).toBeGreaterThan(0)
    })
  )

  it.live("1.0 forgets its jobs when it restarts", () =>
    Effect.gen(function* () {
      const agent = client()
      const host = target(0)
      const { job_id } = yield* agent.apply(host, { names: ["curl"] })
      test.fleet.restartAgent(addressOf(0))
      const seen = yield* agent.watchJob(host, job_id).pipe(Stream.runCollect, Effect.timeout("10 seconds"))
      expect(seen.at(-1)).toEqual({ _tag: "Gone", job_id })
    })
  )
})

interface Case {
  readonly told: Misbehaviour
  readonly kind: AgentFailureKind
  readonly delivery: AgentFailure["delivery"]
}

const cases: ReadonlyArray<Case> = [
  { told: { kind: "close" }, kind: "connection_lost", delivery: "unsent" },
  { told: { kind: "hang_connect" }, kind: "connect_timeout", delivery: "unsent" },
  { told: { kind: "not_tls" }, kind: "not_tls", delivery: "unsent" },
  { told: { kind: "wrong_ca" }, kind: "wrong_authority", delivery: "unsent" },
  { told: { kind: "certificate_of", address: addressOf(1) }, kind: "wrong_identity", delivery: "unsent" },
  { told: { kind: "refuse_client" }, kind: "client_certificate_refused", delivery: "unclear" },
  { told: { kind: "tls12" }, kind: "protocol_error", delivery: "unsent" },
  { told: { kind: "hang" }, kind: "timed_out", delivery: "unclear" },
  { told: { kind: "drip" }, kind: "timed_out", delivery: "unclear" },
  { told: { kind: "garbage_http" }, kind: "unreadable_answer", delivery: "unclear" },
  { told: { kind: "garbage_json" }, kind: "unreadable_answer", delivery: "unclear" },
  { told: { kind: "huge" }, kind: "too_large", delivery: "unclear" },
  { told: { kind: "rate_limited", retry_after_seconds: 3 }, kind: "rate_limited", delivery: "refused" },
  { told: { kind: "server_error" }, kind: "agent_error", delivery: "unclear" },
  { told: { kind: "lost_answer" }, kind: "connection_lost", delivery: "unclear" },
  { told: { kind: "lost_request" }, kind: "connection_lost", delivery: "unclear" }
]

/** Each after a good call, as it happens in life: a kept session must not hide what changed. */
describe("an agent that is told to", () => {
  afterEach(() => test.fleet.misbehave(addressOf(3)))
  for (const { told, kind, delivery } of cases) {
    it.live(`${told.kind} is found out as ${kind}`, () =>
      Effect.gen(function* () {
        const agent = client()
        const warmed = Effect.gen(function* () {
          test.fleet.misbehave(addressOf(3))
          yield* agent.health(target(3))
          test.fleet.misbehave(addressOf(3), told)
        })
        yield* warmed
        const read = yield* Effect.flip(agent.health(target(3)))
        expect(read.kind).toBe(kind)
        yield* warmed
        const sent = yield* Effect.flip(agent.apply(target(3), { names: ["curl"] }))
        expect(sent).toMatchObject({ kind, delivery })
      })
    )
  }
})
