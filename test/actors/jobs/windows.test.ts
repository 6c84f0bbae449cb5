/** Hosts of a job start inside their windows, and what a window had no room for waits for the next one or has ended. */
import { beforeAll, describe, expect, it } from "vitest"
import { until } from "#test/fleet/makeTestFleet.ts"
import type { World } from "#test/harness/World.ts"
import { applied, ends, sent, shares } from "./jobWorld.ts"
import { jobScene, only, target } from "./jobScene.ts"
import { addWindow, removeWindow } from "./windowRows.ts"

const stamp = (inMillis: number): string => new Date(Date.now() + inMillis).toISOString()
const { fresh, hold, holding, toState, waitsFor, world: theWorld } = jobScene({ count: 14, seed: 72 })
let world: World
beforeAll(() => {
  world = theWorld()
})

describe("windows", () => {
  const nextWindow = { when: { kind: "next_window" }, carries_over: true } as const

  it("a job waits for one, and a window that is made under its eyes lets it start", async () => {
    const [host] = fresh(1)
    const job = await world.apply([host!], nextWindow)
    expect(await waitsFor(job, "no_window")).toMatchObject([{ state: "waiting", deferrals: 0 }])
    await toState(job, "waiting")
    const later = await addWindow(world, host!.id, -60, 60)
    expect(only(await waitsFor(job, "waiting_for_window")).waits_for).toMatchObject({ window_ids: [later] })
    await addWindow(world, host!.id, 5, 60)
    expect(await ends(world, job)).toBe("succeeded")
    const [row] = await world.query<{ waits_for: unknown; closes_at: string }>(
      `select o.waits_for, t.event->'order'->>'closes_at' as closes_at from patch_job_hosts o
       join host_transitions t on t.order_id = o.id and t.event_type = 'order' where o.job_id = $1`,
      [job]
    )
    expect(row?.waits_for).toBe(null)
    expect(Number(row?.closes_at)).toBeGreaterThan(Date.now() + 50 * 60_000)
  })

  it("a blackout holds back immediate jobs too, unless they say otherwise", async () => {
    const [held, forced] = fresh(2)
    const blackout = await addWindow(world, held!.id, 1, 60, "blackout")
    await addWindow(world, forced!.id, 1, 60, "blackout")
    const job = await world.apply([held!])
    expect(only(await waitsFor(job, "blackout")).waits_for).toMatchObject({ window_id: blackout })
    expect(await ends(world, await world.apply([forced!], { ignore_blackout: true }))).toBe("succeeded")
    expect(sent(world, held!)).toBe(0)
    await removeWindow(world, blackout)
    expect(await ends(world, job)).toBe("succeeded")
  })

  it("what is expected to take longer than the rest of the window does not start and is deferred", async () => {
    const [long, short] = fresh(2)
    for (const host of [long!, short!]) await addWindow(world, host.id, 1, 30)
    const job = await world.apply([], { ...nextWindow, hosts: [target(long!, 1, 3600), target(short!, 1, 60)] })
    const rows = await until(
      () => shares(world, job),
      (all) => all.some((row) => row.state === "succeeded") && all.some((row) => row.deferrals > 0),
      10_000
    )
    expect(rows.find((row) => row.host_id === long!.id)).toMatchObject({
      state: "deferred",
      ended: false,
      deferrals: 1,
      outcome: null,
      waits_for: { code: "window_too_short", expected_seconds: 3600, next_at: null }
    })
    expect(sent(world, long!)).toBe(0)
    await toState(job, "waiting")
    // A longer one comes: the same order runs in it.
    await addWindow(world, long!.id, 1, 600)
    expect(await ends(world, job)).toBe("succeeded")
    expect(applied(world, long!)).toHaveLength(1)
  })

  it("that close while hosts stand in line defer them, and the next one takes them up", async () => {
    const [runs, inLine] = fresh(2)
    hold(runs!)
    const windows = [await addWindow(world, runs!.id, 1, 60), await addWindow(world, inLine!.id, 1, 60)]
    const job = await world.apply([runs!, inLine!], { ...nextWindow, max_concurrency: 1 })
    await holding(runs!)
    await until(
      () => shares(world, job),
      (rows) => rows.some((row) => row.waits_for?.code === "concurrency_limit"),
      10_000
    )
    for (const window of windows) await removeWindow(world, window)
    const rows = await until(
      () => shares(world, job),
      (all) => all.some((row) => row.state === "deferred"),
      10_000
    )
    expect(rows.find((row) => row.host_id === inLine!.id)).toMatchObject({
      state: "deferred",
      ended: false,
      deferrals: 1,
      waits_for: { code: "no_window" }
    })
    // What runs is not killed.
    world.fleet.release(runs!.address)
    await until(
      () => applied(world, runs!).length,
      (count) => count === 1,
      10_000
    )
    expect(sent(world, inLine!)).toBe(0)
    await toState(job, "waiting")
    await addWindow(world, inLine!.id, 1, 60)
    expect(await ends(world, job)).toBe("succeeded")
    expect(applied(world, inLine!)).toHaveLength(1)
  })

  it("that close end what does not carry over as deferred", async () => {
    const [runs, inLine] = fresh(2)
    hold(runs!)
    await addWindow(world, runs!.id, 1, 60)
    const window = await addWindow(world, inLine!.id, 1, 60)
    const job = await world.apply([runs!, inLine!], { when: { kind: "next_window" }, max_concurrency: 1 })
    await holding(runs!)
    await until(
      () => shares(world, job),
      (rows) => rows.some((row) => row.waits_for?.code === "concurrency_limit"),
      10_000
    )
    await removeWindow(world, window)
    await until(
      () => shares(world, job),
      (all) => all.some((row) => row.ended),
      10_000
    )
    world.fleet.release(runs!.address)
    expect(await ends(world, job)).toBe("partially_failed")
    expect((await shares(world, job)).find((row) => row.host_id === inLine!.id)).toMatchObject({
      state: "deferred",
      ended: true,
      deferrals: 1,
      outcome: {
        verdict: "deferred",
        message: "The maintenance window closed before it could start, so nothing was sent."
      }
    })
    expect(sent(world, inLine!)).toBe(0)
  })

  it("a job for a certain time starts at that time, in the window that is open then", async () => {
    const [host, uncovered] = fresh(2)
    await addWindow(world, host!.id, 1, 60)
    const at = stamp(1500)
    const job = await world.apply([host!, uncovered!], { when: { kind: "at", at } })
    await waitsFor(job, "scheduled")
    expect(await ends(world, job)).toBe("partially_failed")
    const [row] = await world.query<{ late_ms: number }>(
      `select extract(epoch from min(started_at) - $2::timestamptz)::float8 * 1000 as late_ms
       from patch_job_hosts where job_id = $1`,
      [job, at]
    )
    expect(row?.late_ms).toBeGreaterThanOrEqual(0)
    expect(row?.late_ms).toBeLessThan(1000)
    expect((await shares(world, job)).find((share) => share.host_id === uncovered!.id)).toMatchObject({
      state: "deferred",
      ended: true
    })
  })

  it("a job that expires ends as deferred by itself", async () => {
    const [host] = fresh(1)
    await addWindow(world, host!.id, -60, 60)
    const job = await world.apply([host!], { ...nextWindow, expires_at: stamp(1200) })
    await waitsFor(job, "waiting_for_window")
    expect(await ends(world, job)).toBe("failed")
    expect(only(await shares(world, job))).toMatchObject({
      state: "deferred",
      ended: true,
      outcome: { message: "No window of the host had room for it before the job expired." }
    })
  })
})
