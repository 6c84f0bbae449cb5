/** An agent whose clock is wrong: found, and without effect. */
import { expect } from "vitest"
import { requestRefresh } from "#sql/HostStore.ts"
import { until } from "#test/fleet/makeTestFleet.ts"
import type { WorldHost } from "#test/harness/World.ts"
import { allHealthy, changesOf, jobEnds } from "../jobSteps.ts"
import type { RowBody } from "../row.ts"

const YEAR = 365 * 24 * 3_600

export const agentClock: RowBody = async (row) => {
  const world = await row.world({ count: 3, profileMix: { "2.7": 1 }, timing: { jobMs: [600, 900] } })
  const [ahead, behind, right] = world.hosts as [WorldHost, WorldHost, WorldHost]
  for (const { address } of world.hosts) world.fleet.publish(address)
  const wrong = (host: WorldHost, seconds: number) =>
    world.fleet.misbehave(host.address, { kind: "clock_off", seconds })
  wrong(ahead, YEAR)
  wrong(behind, -YEAR)
  await row.worker(world)
  const alarms = () =>
    world.query<{ host_id: string; message: string }>(
      "select host_id, message from alarms where kind = 'agent_clock_off' and cleared_at is null"
    )
  await row.assert("finding: agent clock off, by how much and which way", async () => {
    const found = await until(alarms, (rows) => rows.length === 2, 20_000)
    const of = (host: WorldHost) => found.find(({ host_id }) => host_id === host.id)?.message
    expect(of(ahead)).toMatch(/clock is 36[45] days ahead/)
    expect(of(behind)).toMatch(/clock is 36[45] days behind/)
    expect(of(right)).toBeUndefined()
  })
  await row.assert(
    "certificate checks use our time: agents a year ahead or behind are as healthy as the others",
    async () => {
      await allHealthy(world)
    }
  )
  const job = await world.apply(world.hosts)
  await row.assert(
    "reports are ordered by sequence: what agents tell with wrong times ends as it should, ledger 1",
    async () => {
      expect(await jobEnds(world, job)).toBe("succeeded")
      for (const host of world.hosts) expect(changesOf(world, host)).toHaveLength(1)
      const back = await world.query(
        `select host_id from (select host_id, (event->>'at')::float8 as at,
         lag((event->>'at')::float8) over (partition by host_id order by version) as before from host_transitions) t
       where at < before - 1000`
      )
      expect(back).toEqual([])
    }
  )
  await row.assert("no time of an agent is taken for ours", async () => {
    const [far] = await world.query<{ count: number }>(
      `select count(*)::int as count from patch_job_hosts o join hosts h on h.id = o.host_id
       where abs(extract(epoch from now() - h.last_seen_at)) > 3600 or abs(extract(epoch from now() - o.finished_at)) > 3600`
    )
    expect(far?.count).toBe(0)
  })
  world.fleet.misbehave(ahead.address)
  await row.assert("the finding is over when the clock is right", async () => {
    await world.run(requestRefresh(world.caller, ahead.id))
    await until(alarms, (rows) => rows.length === 1, 15_000)
  })
}
