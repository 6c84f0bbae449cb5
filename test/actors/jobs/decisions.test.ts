/** What a job decides stands whatever happens to the worker, and an ended job is corrected where a host is. */
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { until } from "#test/fleet/makeTestFleet.ts"
import { spawnWorker } from "#test/harness/spawnWorker.ts"
import { makeWorld, type World } from "#test/harness/World.ts"
import { ends, sent, shares, stateOf } from "./jobWorld.ts"
import { refresh } from "./wishes.ts"

let world: World
beforeEach(async () => {
  world = await makeWorld({ count: 4, seed: 83, timing: { jobMs: [60, 120] } })
  for (const host of world.hosts) world.fleet.publish(host.address)
}, 60_000)
afterEach(() => world.stop())

describe("a worker that is killed", () => {
  it.each(["job_decision_pending", "job_decision_written"] as const)(
    "at %s decides the same after it has started again, and audits it once",
    { timeout: 60_000 },
    async (failpoint) => {
      const [canary, ...rest] = world.hosts
      world.fleet.misbehave(canary!.address, { kind: "fail_job", message: "no" })
      const first = await spawnWorker(world, { failpoint })
      const job = await world.apply([], {
        waves: [1, 3],
        max_failed: 0,
        hosts: world.hosts.map((host, index) => ({
          host_id: host.id,
          wave: index === 0 ? 1 : 2,
          planned: null,
          foretold: null,
          expected_seconds: 0,
          parent_order_id: null,
          undone_agent_job_id: null
        }))
      })
      expect(await first.gone).toBe("SIGKILL")
      expect(rest.map((host) => sent(world, host))).toEqual([0, 0, 0])
      const second = await spawnWorker(world)
      expect(await ends(world, job)).toBe("failed")
      await second.kill()
      expect(rest.map((host) => sent(world, host))).toEqual([0, 0, 0])
      const stopped = (await shares(world, job)).filter((row) => row.outcome?.verdict === "stopped")
      expect(stopped).toHaveLength(3)
      const audited = await world.query<{ after: unknown }>(
        "select after from audit_log where object_id = $1 and action = 'job.stop'",
        [job]
      )
      expect(audited).toMatchObject([{ after: { failed: 1, max_failed: 0, not_started: 3 } }])
    }
  )
})

describe("a host that comes back after it was given up", () => {
  it("corrects the job that had ended without it", { timeout: 60_000 }, async () => {
    const [host, other] = world.hosts
    world.fleet.misbehave(host!.address, { kind: "never_return" })
    await world.startWorker({ tuning: { away_ms: 1_500, leave_ms: 3_000 }, settings: { retryMillis: [150, 200, 300] } })
    const jobs = [
      await world.apply([host!], { kind: "reboot", reboot: "always" }),
      await world.apply([other!], { kind: "reboot", reboot: "always" })
    ]
    expect(await ends(world, jobs[0]!)).toBe("failed")
    expect(await ends(world, jobs[1]!)).toBe("succeeded")
    expect((await shares(world, jobs[0]!))[0]?.outcome?.verdict).toBe("no_return")
    world.fleet.misbehaveAll()
    world.fleet.boot(host!.address)
    await refresh(world, host!)
    await until(
      () => stateOf(world, jobs[0]!),
      (state) => state === "succeeded",
      20_000
    )
    expect((await shares(world, jobs[0]!))[0]).toMatchObject({ state: "succeeded", ended: true })
    const history = await world.query<{ to_state: string }>(
      "select to_state from job_transitions where job_id = $1 and from_state <> to_state order by version",
      [jobs[0]]
    )
    expect(history.map((row) => row.to_state).slice(-3)).toEqual(["failed", "running", "succeeded"])
    const [row] = await world.query<{ finished: boolean }>(
      "select finished_at is not null as finished from patch_jobs where id = $1",
      [jobs[0]]
    )
    expect(row?.finished).toBe(true)
  })
})
