import { describe, expect } from "vitest"
import { until } from "#test/fleet/makeTestFleet.ts"
import type { World, WorldHost } from "#test/harness/World.ts"
import {
  allAnswer,
  APPLY,
  alarms,
  applied,
  calls,
  ended,
  expectAskedBetweenPosts,
  place,
  publish,
  refresh,
  steps,
  startWorker
} from "./agentSteps.ts"
import { faultRow } from "./row.ts"

const seenAgain = async (world: World, host: WorldHost): Promise<void> => {
  const [before] = await world.query<{ seen: string }>("select last_seen_at::text as seen from hosts where id = $1", [
    host.id
  ])
  await refresh(world, host)
  await until(
    () => world.query<{ seen: string }>("select last_seen_at::text as seen from hosts where id = $1", [host.id]),
    (rows) => rows[0]?.seen !== before?.seen,
    15_000
  )
}

describe("manager and agent: hosts that restart, and what they forget", () => {
  faultRow("F18", "the agent reboots and forgets its job ids", {}, async (row) => {
    const world = await row.world({
      hosts: [{ profile: "1.0" }, { profile: "1.0" }, { profile: "1.2" }, { profile: "1.2" }]
    })
    const [reached, notReached, forgetful, hopeless] = world.hosts
    await startWorker(row, world)
    await allAnswer(world)
    publish(world, world.hosts)
    world.fleet.misbehave(reached!.address, { kind: "reboot_mid_run", at: "after_change", times: 1 })
    world.fleet.misbehave(notReached!.address, { kind: "reboot_mid_run", at: "before_change", times: 1 })
    world.fleet.misbehave(forgetful!.address, { kind: "forget_jobs", at: "after_change", times: 1 })
    world.fleet.misbehave(hopeless!.address, { kind: "forget_jobs", at: "before_change" })
    const results = await ended(world, await world.apply(world.hosts), 60_000)
    const of = (host: WorldHost | undefined) => results.find((result) => result.host === host?.id)!
    await row.assert('Poll gets "no such job" → `unknown` → boot id and inventory are read', async () => {
      for (const host of world.hosts) {
        const way = await steps(world, host)
        const lost = way.findIndex((step) => step.from === "patching.running" && step.to === "settling.quiet")
        expect(lost).toBeGreaterThan(0)
        expect(["job.gone", "poll.ok"]).toContain(way[lost]!.event)
        expect(way.slice(lost).map((step) => step.to)).toContain("settling.inspecting")
      }
    })
    await row.assert('target reached → `done` with evidence "by inventory"', async () => {
      for (const host of [reached, forgetful]) {
        expect(of(host).verdict).toBe("done")
        expect(applied(world, host!)).toHaveLength(1)
        expect(calls(world, host!, APPLY)).toBe(1)
        const way = await steps(world, host!)
        expect(way.find((step) => step.to === "idle" && step.from.startsWith("settling"))?.event).toBe("evidence")
      }
    })
    await row.assert("not reached → `failed: lost by agent`, one automatic retry if policy allows", () => {
      // What had no effect was a failure to reach the agent: retried by that policy, three times, and no more.
      expect(of(notReached).verdict).toBe("done")
      expect(calls(world, notReached!, APPLY)).toBe(2)
      expect(of(hopeless)).toMatchObject({ state: "failed", verdict: "unavailable" })
      expect(calls(world, hopeless!, APPLY)).toBe(4)
      expect(applied(world, hopeless!)).toEqual([])
    })
    await row.assert("Never a blind re-send", () => {
      for (const host of world.hosts) expectAskedBetweenPosts(world, host)
    })
  })

  faultRow("F19", "the agent never comes back after a reboot", {}, async (row) => {
    const world = await row.world({ count: 2, profileMix: { "2.7": 1 } })
    const [host] = world.hosts
    await startWorker(row, world, { tuning: { away_ms: 2_500 }, settings: { retryMillis: [300, 300, 500] } })
    await allAnswer(world)
    world.fleet.misbehave(host!.address, { kind: "never_return" })
    const [result] = await ended(world, await world.apply([host!], { kind: "reboot", reboot: "always" }))
    await row.assert("At the deadline (default 20 min) `failed: no return`", async () => {
      expect(result).toMatchObject({ state: "failed", verdict: "no_return" })
      const last = (await steps(world, host!)).find((step) => step.to === "failed")
      expect([last?.from, last?.event]).toEqual(["rebooting.away", "xstate.after.away.away"])
    })
    await row.assert("host `offline-after-reboot`", async () => {
      await until(
        () => place(world, host!),
        (at) => at.link === "unreachable" && at.work === "failed",
        10_000
      )
    })
    await row.assert("one alarm", async () => {
      expect((await alarms(world, host!)).filter((alarm) => alarm.kind === "no_return")).toHaveLength(1)
    })
    row.missing("wave stopped if the policy says so", "Waves and their error limit have rows of their own: F67 and on.")
    world.fleet.misbehave(host!.address)
    world.fleet.boot(host!.address)
    await refresh(world, host!)
    await until(
      () => place(world, host!),
      (at) => at.work === "idle",
      20_000
    )
    await row.assert("If it returns later, verification runs", async () => {
      const way = (await steps(world, host!)).map((step) => step.to)
      expect(way.slice(way.indexOf("failed"))).toEqual(
        expect.arrayContaining(["rebooting.returning", "patching.verifying", "idle"])
      )
    })
    await row.assert("and the history shows both facts", async () => {
      const way = (await steps(world, host!)).map(({ from, event, to }) => `${from} ${event} ${to}`)
      expect(way).toContain("rebooting.away xstate.after.away.away failed")
      expect(way).toContain("failed poll.ok rebooting.returning")
      expect((await alarms(world, host!)).find((alarm) => alarm.kind === "no_return")?.cleared).toBe(true)
    })
  })

  faultRow("F20", "a host comes back with an older snapshot", {}, async (row) => {
    const world = await row.world({ count: 2, profileMix: { "2.7": 1 } })
    const [host, other] = world.hosts
    await startWorker(row, world)
    await allAnswer(world)
    publish(world, world.hosts)
    const rollBack = world.fleet.snapshot(host!.address)
    const job = await world.apply(world.hosts)
    expect((await ended(world, job)).map((result) => result.verdict)).toEqual(["done", "done"])
    for (const one of world.hosts) await seenAgain(world, one)
    const sent = calls(world, host!, APPLY)
    await rollBack()
    await refresh(world, host!)
    await row.assert('host marked "rolled back"', async () => {
      const found = await until(
        () => alarms(world, host!),
        (rows) => rows.some((alarm) => alarm.kind === "rolled_back"),
        15_000
      )
      expect(found.find((alarm) => alarm.kind === "rolled_back")?.message).toMatch(/older/)
      expect((await place(world, host!)).context["reverted"]).not.toBeNull()
      expect(await alarms(world, other!)).toEqual([])
    })
    await row.assert("inventory say so", async () => {
      const changed = applied(world, host!, "snapshot_rollback")[0]!.packages.map((change) => change.name)
      const reverted = (await place(world, host!)).context["reverted"] as { readonly packages: ReadonlyArray<string> }
      expect(changed).toEqual(expect.arrayContaining([...reverted.packages]))
    })
    await row.assert("findings reopened", async () => {
      const { pending } = await world.fleet.truth(host!.address)
      expect(pending.length).toBeGreaterThan(0)
      const rows = await until(
        () => world.query<{ pending: number }>("select pending from host_patch_data where host_id = $1", [host!.id]),
        (found) => found[0]?.pending === pending.length,
        15_000
      )
      expect(rows[0]?.pending).toBe(pending.length)
    })
    await row.assert("last job set to `reverted`", async () => {
      const rows = await world.query<{ host: string; reverted: boolean }>(
        "select host_id as host, reverted_at is not null as reverted from patch_job_hosts where job_id = $1",
        [job]
      )
      expect(rows.find((one) => one.host === host!.id)?.reverted).toBe(true)
      expect(rows.find((one) => one.host === other!.id)?.reverted).toBe(false)
    })
    await row.assert("no automatic re-patch without policy", async () => {
      await seenAgain(world, host!)
      expect(calls(world, host!, APPLY)).toBe(sent)
      expect((await world.fleet.truth(host!.address)).pending.length).toBeGreaterThan(0)
    })
    row.missing("Boot id, machine id", "Agents tell neither; uptime and inventory are what there is.")
  })

  faultRow("F21", "the agent reboots in a loop", {}, async (row) => {
    const world = await row.world({ count: 2, profileMix: { "2.7": 1 } })
    const [host, other] = world.hosts
    await startWorker(row, world)
    await allAnswer(world)
    publish(world, world.hosts)
    // Agents tell an uptime in seconds: a shorter one than before is a boot, however quickly it is played here.
    for (const uptime of [3_000, 2_000, 1_000]) {
      const { boot_id } = world.fleet.view(host!.address)
      world.fleet.reboot(host!.address, uptime)
      await until(
        () => world.fleet.view(host!.address),
        (view) => view.up && view.boot_id !== boot_id
      )
      await seenAgain(world, host!)
    }
    await row.assert("After 3 boots in 15 min: `unstable`", async () => {
      await until(
        () => place(world, host!),
        (at) => at.context["unstable"] === true,
        10_000
      )
      expect((await place(world, other!)).context["unstable"]).toBe(false)
    })
    await row.assert("one alarm", async () => {
      await seenAgain(world, host!)
      expect((await alarms(world, host!)).filter((alarm) => alarm.kind === "unstable")).toHaveLength(1)
    })
    const job = await world.apply(world.hosts)
    await row.assert("no more jobs", async () => {
      const rows = await until(
        () =>
          world.query<{ host: string; ended: boolean; state: string }>(
            "select host_id as host, ended, state from patch_job_hosts where job_id = $1",
            [job]
          ),
        (found) => found.some((one) => one.host === other!.id && one.ended),
        20_000
      )
      expect(rows.find((one) => one.host === host!.id)).toMatchObject({ ended: false })
      expect(["queued", "waiting"]).toContain(rows.find((one) => one.host === host!.id)?.state)
      expect(calls(world, host!, APPLY)).toBe(0)
      expect(applied(world, host!)).toEqual([])
    })
  })
})
