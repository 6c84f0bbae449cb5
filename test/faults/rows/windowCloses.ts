/** A window that closes while its job is at work. */
import { expect } from "vitest"
import { readHostReasons } from "#sql/ReasonStore.ts"
import { addWindow } from "#test/actors/jobs/windowRows.ts"
import type { World, WorldHost } from "#test/harness/World.ts"
import {
  allHealthy,
  APPLY,
  callsOf,
  changesOf,
  hold,
  jobEnds,
  pause,
  REBOOT,
  rebootsOf,
  target,
  untilHolding,
  untilShare
} from "../jobSteps.ts"
import type { RowBody } from "../row.ts"

const MINUTE = 60_000
/** What the job expects a run to take. */
const EXPECTED_SECONDS = 8

const databaseNow = async (world: World): Promise<number> =>
  (await world.query<{ now: number }>("select (extract(epoch from clock_timestamp()) * 1000)::float8 as now"))[0]!.now

export const windowCloses: RowBody = async (row) => {
  const world = await row.world({ count: 6, profileMix: { "2.7": 1 } })
  const [runs, reboots, freed, inLine, late, outside] = world.hosts as [
    WorldHost,
    WorldHost,
    WorldHost,
    WorldHost,
    WorldHost,
    WorldHost
  ]
  for (const { address } of world.hosts) world.fleet.publish(address)
  await row.worker(world)
  await allHealthy(world)
  // Windows open and close with the minute: this one is to have room for what comes before it closes.
  const left = MINUTE - (Date.now() % MINUTE)
  if (left < 25_000) await pause(left)
  const closes = (Math.floor(Date.now() / MINUTE) + 1) * MINUTE
  for (const host of [runs, reboots, freed, inLine, late]) {
    await addWindow(world, host.id, 1, 2)
    await addWindow(world, host.id, -10, 60)
  }
  const inWindow = { when: { kind: "next_window" }, carries_over: true } as const

  hold(world, runs, reboots, freed)
  const running = await world.apply([], { ...inWindow, hosts: [target(runs, 1, EXPECTED_SECONDS)] })
  const rebooting = await world.apply([], {
    ...inWindow,
    reboot: "always",
    hosts: [target(reboots, 1, EXPECTED_SECONDS)]
  })
  const queued = await world.apply([], {
    ...inWindow,
    max_concurrency: 1,
    hosts: [target(freed, 1, EXPECTED_SECONDS), target(inLine, 1, EXPECTED_SECONDS)]
  })
  const tooLong = await world.apply([], { ...inWindow, hosts: [target(late, 1, 3600)] })
  await untilHolding(world, runs, reboots, freed)
  await untilShare(world, queued, inLine, (share) => share.waits_for?.code === "concurrency_limit")
  await row.assert("nothing starts that does not fit: it is deferred to the next window", async () => {
    const share = await untilShare(world, tooLong, late, ({ state }) => state === "deferred")
    expect(share).toMatchObject({ ended: false, deferrals: 1 })
    expect(callsOf(world, late, APPLY)).toBe(0)
  })

  await pause(closes - EXPECTED_SECONDS * 1000 + 500 - (await databaseNow(world)))
  world.fleet.release(freed.address)
  await row.assert(
    "no new starts from the closing instant minus the expected time, though a place is free and the window open",
    async () => {
      await untilShare(world, queued, freed, ({ ended }) => ended)
      const share = await untilShare(world, queued, inLine, ({ state }) => state === "deferred")
      expect(await databaseNow(world)).toBeLessThan(closes)
      expect(share.waits_for?.code).toBe("window_too_short")
      expect(callsOf(world, inLine, APPLY)).toBe(0)
    }
  )

  await pause(closes + 300 - (await databaseNow(world)))
  await row.assert("running package transactions are not killed", async () => {
    for (const host of [runs, reboots]) {
      expect(world.fleet.view(host.address).holding).toBe(true)
      world.fleet.release(host.address)
    }
    expect(await jobEnds(world, running)).toBe("succeeded")
    await untilShare(world, rebooting, reboots, ({ ended }) => ended)
    for (const host of [runs, reboots]) expect(changesOf(world, host)).toHaveLength(1)
  })
  await row.assert("no reboot after closing, and the host says that it owes one", async () => {
    await pause(1_000)
    expect(rebootsOf(world, reboots)).toEqual([])
    expect(callsOf(world, reboots, REBOOT)).toBe(0)
    const share = await untilShare(world, rebooting, reboots, ({ ended }) => ended)
    expect(share.message).toMatch(/A restart is still owed/)
  })
  row.missing(
    "unless the policy says so",
    "no reboot policy goes past the window: an order for a certain host without a window is an immediate job"
  )
  const immediate = await world.apply([outside], { reboot: "always" })
  await row.assert("an immediate job has no window and reboots", async () => {
    expect(await jobEnds(world, immediate)).toBe("succeeded")
    expect(rebootsOf(world, outside)).toHaveLength(1)
  })
  await row.assert("the remaining hosts are deferred to the next window, and listed with its time", async () => {
    const opens = new Date(Math.floor(closes / MINUTE - 1) * MINUTE + 10 * MINUTE).toISOString()
    for (const [job, host] of [
      [queued, inLine],
      [tooLong, late]
    ] as const) {
      const share = await untilShare(world, job, host, ({ waits_for }) => waits_for?.code === "waiting_for_window")
      expect(share).toMatchObject({ state: "deferred", ended: false, deferrals: 1, waits_for: { at: opens } })
      expect(callsOf(world, host, APPLY)).toBe(0)
      const reasons = await world.run(readHostReasons(world.caller.principal, host.id))
      expect(reasons.host).toMatchObject({ code: "waiting_for_window", until: opens })
    }
  })
}
