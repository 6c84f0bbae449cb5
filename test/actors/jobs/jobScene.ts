/** A world with a worker for a file of tests about jobs, and what each of them does to its own hosts. */
import { afterAll, beforeAll, expect } from "vitest"
import type { JobId } from "#core/Ids.ts"
import type { JobTarget } from "#sql/insertJob.ts"
import { until } from "#test/fleet/makeTestFleet.ts"
import { makeWorld, type World, type WorldHost } from "#test/harness/World.ts"
import { type Share, shares, stateOf } from "./jobWorld.ts"

export const target = (host: WorldHost, wave = 1, expected_seconds = 0): JobTarget => ({
  host_id: host.id,
  wave,
  planned: null,
  foretold: null,
  expected_seconds,
  parent_order_id: null,
  undone_agent_job_id: null
})

export const only = (rows: ReadonlyArray<Share>): Share => {
  expect(rows).toHaveLength(1)
  return rows[0]!
}

export const jobScene = (options: { readonly count: number; readonly seed: number }) => {
  let world: World
  let next = 0
  beforeAll(async () => {
    world = await makeWorld(options)
    await world.startWorker()
  }, 60_000)
  afterAll(() => world.stop())
  return {
    world: () => world,
    /** Hosts that no test had before, each with something to install. */
    fresh: (count: number): Array<WorldHost> => {
      const hosts = world.hosts.slice(next, (next += count))
      expect(hosts).toHaveLength(count)
      for (const host of hosts) world.fleet.publish(host.address)
      return hosts
    },
    hold: (...hosts: ReadonlyArray<WorldHost>) => {
      for (const host of hosts) world.fleet.misbehave(host.address, { kind: "hold", at: "before_change", times: 1 })
    },
    holding: (...hosts: ReadonlyArray<WorldHost>) =>
      until(
        () => hosts.filter((host) => world.fleet.view(host.address).holding).length,
        (count) => count === hosts.length,
        10_000
      ),
    waitsFor: (job: JobId, code: string) =>
      until(
        () => shares(world, job),
        (rows) => rows.filter((row) => !row.ended).every((row) => row.waits_for?.code === code),
        10_000
      ),
    toState: (job: JobId, wanted: string) =>
      until(
        () => stateOf(world, job),
        (state) => state === wanted,
        10_000
      )
  }
}
