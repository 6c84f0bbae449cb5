import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import type { JobId } from "#core/Ids.ts"
import { replayHost } from "#test/harness/replay.ts"
import { spawnWorker, type WorkerProcess } from "#test/harness/spawnWorker.ts"
import { makeWorld, type World, type WorldHost } from "#test/harness/World.ts"
import { until } from "#test/fleet/makeTestFleet.ts"

const applyCalls = (world: World, host: WorldHost): number =>
  world.fleet.view(host.address).calls["POST /api/v1/patches/apply"] ?? 0

/** Everything a crash must leave true, read from the fleet's ledger and from SQL. */
const expectAppliedOnce = async (world: World, host: WorldHost, job: JobId, applyCallsAllowed = 1) => {
  await until(
    () => world.query<{ state: string }>("select state from patch_jobs where id = $1", [job]),
    (rows) => rows[0]?.state === "succeeded",
    20_000
  )
  const [row] = await world.query<{ state: string; verdict: string }>(
    "select state, outcome->>'verdict' as verdict from patch_job_hosts where job_id = $1",
    [job]
  )
  expect(row).toEqual({ state: "succeeded", verdict: "done" })
  expect(applyCalls(world, host)).toBeLessThanOrEqual(applyCallsAllowed)
  expect(world.fleet.readLedger(host.address).filter((entry) => entry.operation === "patchapply")).toHaveLength(1)
  const { stored, replayed } = await replayHost(world, host.id)
  expect(replayed).toEqual(stored)
  const timers = await world.query("select id from host_timers where host_id = $1", [host.id])
  expect(timers).toEqual([])
}

// Each starts two processes, and the second waits until the first one's lease is free.
describe("a worker that dies around the call which changes a host", { timeout: 60_000 }, () => {
  let world: World
  let next = 0
  const hostWithPatches = () => {
    const host = world.hosts[next++]!
    world.fleet.publish(host.address)
    return host
  }
  beforeAll(async () => {
    world = await makeWorld({ count: 12, seed: 3 })
  })
  afterAll(() => world.stop())

  const workers: Array<WorkerProcess> = []
  const start = async (...options: Parameters<typeof spawnWorker> extends [unknown, ...infer Rest] ? Rest : never) => {
    const worker = await spawnWorker(world, ...options)
    workers.push(worker)
    return worker
  }
  afterEach(async () => {
    for (const worker of workers.splice(0)) await worker.kill()
  })

  it.each(["intent_uncommitted", "intent_committed", "call_sent", "call_answered", "answer_committed"] as const)(
    "ends right after a SIGKILL at %s",
    async (failpoint) => {
      const host = hostWithPatches()
      const first = await start({ failpoint })
      const job = await world.apply([host])
      expect(await first.gone).toBe("SIGKILL")
      await start()
      await expectAppliedOnce(world, host, job)
    }
  )

  it("asks, and does not send again, after a lost answer", async () => {
    const host = hostWithPatches()
    world.fleet.misbehave(host.address, { kind: "lost_answer", path: "/patches/apply", times: 1 })
    await start()
    const job = await world.apply([host])
    await expectAppliedOnce(world, host, job)
    const intents = await world.query<{ verdict: string }>("select verdict from host_intents where host_id = $1", [
      host.id
    ])
    expect(intents.map((intent) => intent.verdict)).toEqual(["ran"])
    const words = await world.query<{ to_work: string; event_type: string }>(
      "select to_work, event_type from host_transitions where host_id = $1 order by version",
      [host.id]
    )
    expect(words.map((row) => row.event_type)).toContain("unclear")
    expect(words.map((row) => row.to_work)).toContain("settling.asking")
  })

  it("turns red without the intent committed before the call", async () => {
    const host = hostWithPatches()
    const first = await start({ failpoint: "call_answered", withoutGuards: ["intent"] })
    const job = await world.apply([host])
    await first.gone
    await start()
    await expect(expectAppliedOnce(world, host, job)).rejects.toThrow()
  })

  it("turns red when a restarted worker sends again instead of asking", async () => {
    const host = hostWithPatches()
    const first = await start({ failpoint: "call_answered" })
    const job = await world.apply([host])
    await first.gone
    await start({ mutation: "resendOnResume" })
    await expect(expectAppliedOnce(world, host, job)).rejects.toThrow()
  })

  it("calls it not effective when the agent says completed and nothing changed", async () => {
    const host = hostWithPatches()
    world.fleet.misbehave(host.address, { kind: "liar", times: 1 })
    await start()
    const job = await world.apply([host])
    const rows = await until(
      () =>
        world.query<{ verdict: string | null }>(
          "select outcome->>'verdict' as verdict from patch_job_hosts where job_id = $1",
          [job]
        ),
      (found) => found[0]?.verdict !== null,
      15_000
    )
    expect(rows[0]?.verdict).toBe("not_effective")
  })

  it("is kept from trusting the agent's word by the database too", async () => {
    const host = hostWithPatches()
    world.fleet.misbehave(host.address, { kind: "liar", times: 1 })
    await start({ mutation: "trustCompleted" })
    await world.apply([host])
    const rows = await until(
      () =>
        world.query<{ parked_reason: string | null }>("select parked_reason from host_snapshots where host_id = $1", [
          host.id
        ]),
      (found) => found[0]?.parked_reason !== null,
      20_000
    )
    expect(rows[0]?.parked_reason).toContain("illegal")
  })

  it("sends again after a request that never reached the agent's job list", async () => {
    const host = hostWithPatches()
    world.fleet.misbehave(host.address, { kind: "lost_request", path: "/patches/apply", times: 1 })
    await start()
    const job = await world.apply([host])
    await expectAppliedOnce(world, host, job, 2)
    const intents = await world.query<{ verdict: string }>(
      "select verdict from host_intents where host_id = $1 order by id",
      [host.id]
    )
    expect(intents.map((intent) => intent.verdict)).toEqual(["no_effect", "ran"])
  })
})
