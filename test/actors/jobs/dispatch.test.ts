/** When hosts of a job start, and when they do not: waves, limits, pauses, cancellation, other jobs. */
import { beforeAll, describe, expect, it } from "vitest"
import type { JobId } from "#core/Ids.ts"
import { until } from "#test/fleet/makeTestFleet.ts"
import type { World } from "#test/harness/World.ts"
import { applied, ends, sent, shares, stateOf } from "./jobWorld.ts"
import { jobScene, only, target } from "./jobScene.ts"
import { applyPaused, cancelJob, pause, refresh, resume } from "./wishes.ts"

const { fresh, hold, holding, toState, waitsFor, world: theWorld } = jobScene({ count: 52, seed: 71 })
let world: World
beforeAll(() => {
  world = theWorld()
})

describe("waves", () => {
  it("start one after the other, each when every host of the one before has ended", { timeout: 40_000 }, async () => {
    const hosts = fresh(6)
    const [canary, ...rest] = hosts
    hold(canary!)
    const job = await world.apply([], {
      waves: [1, 2, 3],
      hosts: [target(canary!, 1), ...rest.map((host, index) => target(host, index < 2 ? 2 : 3))]
    })
    await holding(canary!)
    const rows = await until(
      () => shares(world, job),
      (all) => all.filter((row) => row.waits_for?.code === "wave_not_reached").length === 5,
      10_000
    )
    expect(rows.map((row) => row.waits_for)).toEqual([
      null,
      ...[2, 2, 3, 3, 3].map((wave) => ({ code: "wave_not_reached", wave, current_wave: 1 }))
    ])
    expect(rest.map((host) => sent(world, host))).toEqual([0, 0, 0, 0, 0])
    world.fleet.release(canary!.address)
    expect(await ends(world, job)).toBe("succeeded")
    const [order] = await world.query<{ after: boolean }>(
      `select bool_and((select max(finished_at) from patch_job_hosts b where b.job_id = a.job_id and b.wave = a.wave - 1)
         <= a.started_at) as after from patch_job_hosts a where a.job_id = $1 and a.wave > 1`,
      [job]
    )
    expect(order?.after).toBe(true)
    const passed = await world.query<{ wave: number; before: number }>(
      `select (event->>'wave')::int as wave, lag((event->>'wave')::int, 1, 1) over (order by version) as before
       from job_transitions where job_id = $1 and event_type = 'counts' and event->>'wave' is not null order by version`,
      [job]
    )
    expect(new Set(passed.filter(({ wave, before }) => wave > before).map(({ wave }) => wave))).toEqual(new Set([2, 3]))
  })
})

describe("the error limit", () => {
  const stopOf = (job: JobId) =>
    world.query<{ actor_kind: string; after: Record<string, unknown> }>(
      "select actor_kind, after from audit_log where object_id = $1 and action = 'job.stop'",
      [job]
    )

  it("starts no host after the commit that reaches it, by the ledger", { timeout: 60_000 }, async () => {
    const hosts = fresh(16)
    for (const host of hosts)
      world.fleet.misbehave(host.address, { kind: "fail_job", error_code: "DPKG", message: "no" })
    const [max_failed, max_concurrency] = [3, 4]
    const job = await world.apply(hosts, { max_failed, max_concurrency })
    expect(await ends(world, job, 40_000)).toBe("failed")
    const started = hosts.filter((host) => sent(world, host) > 0).length
    expect(started).toBeGreaterThan(max_failed)
    expect(started).toBeLessThanOrEqual(max_failed + max_concurrency)
    const rows = await shares(world, job)
    const stopped = rows.filter((row) => row.outcome?.verdict === "stopped")
    expect(stopped).toHaveLength(hosts.length - started)
    for (const row of stopped) {
      expect([row.state, row.ended]).toEqual(["cancelled", true])
      expect(row.outcome?.message).toMatch(/^Not started: \d+ hosts failed; the job stops at more than 3\.$/)
    }
    const audited = await stopOf(job)
    expect(audited).toMatchObject([{ actor_kind: "machine", after: { max_failed: 3 } }])
    expect(Number(audited[0]?.after["failed"])).toBeGreaterThan(max_failed)
  })

  it("in the first wave keeps the next one from starting", async () => {
    const [canary, ...rest] = fresh(4)
    world.fleet.misbehave(canary!.address, { kind: "fail_job", message: "no" })
    const job = await world.apply([], {
      waves: [1, 3],
      max_failed: 0,
      hosts: [target(canary!, 1), ...rest.map((host) => target(host, 2))]
    })
    expect(await ends(world, job)).toBe("failed")
    expect(rest.map((host) => sent(world, host))).toEqual([0, 0, 0])
    expect(await stopOf(job)).toMatchObject([{ after: { failed: 1, unhealthy: 0, max_failed: 0, not_started: 3 } }])
    const history = await world.query<{ event: { wave: number } }>(
      "select event from job_transitions where job_id = $1 and event_type = 'counts' order by version",
      [job]
    )
    expect(history.length).toBeGreaterThan(0)
  })

  it("counts a host that was done and cannot be reached any more", { timeout: 40_000 }, async () => {
    const [done, slow, last] = fresh(3)
    hold(slow!)
    const job = await world.apply([done!, slow!, last!], { max_failed: 0, max_concurrency: 1 })
    await holding(slow!)
    expect((await shares(world, job)).map((row) => row.state)).toEqual(["succeeded", "running", "waiting"])
    world.fleet.misbehave(done!.address, { kind: "refuse" })
    // Two more failed polls make it unreachable.
    for (let i = 0; i < 3; i++) await refresh(world, done!)
    await until(
      () => world.query<{ link: string }>("select link from host_snapshots where host_id = $1", [done!.id]),
      (rows) => rows[0]?.link === "unreachable",
      20_000
    )
    await until(
      () => shares(world, job),
      (rows) => rows.some((row) => row.outcome?.verdict === "stopped"),
      10_000
    )
    world.fleet.release(slow!.address)
    expect(await ends(world, job)).toBe("partially_failed")
    expect(sent(world, last!)).toBe(0)
    expect(await stopOf(job)).toMatchObject([{ after: { failed: 0, unhealthy: 1 } }])
    world.fleet.misbehaveAll()
  })
})

describe("people", () => {
  it("pause a job: what runs goes on, nothing new starts until somebody resumes it", async () => {
    const [runs, ...rest] = fresh(3)
    hold(runs!)
    const job = await world.apply([runs!, ...rest], { max_concurrency: 1 })
    await holding(runs!)
    await pause(world, job)
    await toState(job, "paused")
    world.fleet.release(runs!.address)
    await until(
      () => shares(world, job),
      (rows) => rows.filter((row) => row.state === "succeeded").length === 1,
      10_000
    )
    expect(await waitsFor(job, "paused")).toHaveLength(3)
    expect(rest.map((host) => sent(world, host))).toEqual([0, 0])
    expect(await stateOf(world, job)).toBe("paused")
    await resume(world, job)
    expect(await ends(world, job)).toBe("succeeded")
    const events = await world.query<{ event_type: string; by: string }>(
      "select event_type, event->>'by' as by from job_transitions where job_id = $1 and event ? 'by' order by version",
      [job]
    )
    expect(events).toEqual([
      { event_type: "pause", by: "tester" },
      { event_type: "resume", by: "tester" }
    ])
  })

  it("pause a job before the worker saw it: nothing is sent at all", async () => {
    const [host] = fresh(1)
    const job = await applyPaused(world, host!)
    await toState(job, "paused")
    expect(only(await waitsFor(job, "paused")).waits_for).toEqual({ code: "paused", by: "tester" })
    expect(sent(world, host!)).toBe(0)
    await resume(world, job)
    expect(await ends(world, job)).toBe("succeeded")
  })

  it("cancel a job that waits for its window", async () => {
    const [host] = fresh(1)
    const job = await world.apply([host!], { when: { kind: "next_window" }, carries_over: true })
    await waitsFor(job, "no_window")
    await cancelJob(world, job)
    expect(await ends(world, job)).toBe("cancelled")
    expect(sent(world, host!)).toBe(0)
  })

  it("cancel in the very moment of starting: each host is either cancelled or ends as it really ended", async () => {
    const hosts = fresh(6)
    const job = await world.apply(hosts, { max_concurrency: 2 })
    await cancelJob(world, job)
    expect(["cancelled", "succeeded", "partially_failed"]).toContain(await ends(world, job))
    for (const row of await shares(world, job)) {
      const host = hosts.find((one) => one.id === row.host_id)!
      expect(row.ended).toBe(true)
      expect(applied(world, host)).toHaveLength(row.state === "succeeded" ? 1 : 0)
    }
  })
})

describe("two jobs at one host", () => {
  it("the older one comes first, however often both are looked at", { timeout: 40_000 }, async () => {
    const [host] = fresh(1)
    hold(host!)
    const jobs: Array<JobId> = [await world.apply([host!])]
    await holding(host!)
    for (let i = 0; i < 4; i++) jobs.push(await world.apply([host!]))
    for (const job of jobs.slice(1)) await waitsFor(job, "blocked_by_job")
    world.fleet.release(host!.address)
    for (const job of jobs) expect(await ends(world, job)).toBe("succeeded")
    const rows = await world.query<{ number: number }>(
      `select j.number::int from patch_job_hosts o join patch_jobs j on j.id = o.job_id where o.host_id = $1
       order by o.started_at`,
      [host!.id]
    )
    const numbers = rows.map(({ number }) => number)
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
  })

  it("an older one that waits for its window holds up nobody", async () => {
    const [host] = fresh(1)
    const older = await world.apply([host!], { when: { kind: "next_window" }, carries_over: true })
    await waitsFor(older, "no_window")
    expect(await ends(world, await world.apply([host!]))).toBe("succeeded")
    await cancelJob(world, older)
    expect(await ends(world, older)).toBe("cancelled")
  })
})
