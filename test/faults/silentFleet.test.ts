import { describe, expect, it } from "vitest"
import { until } from "#test/fleet/makeTestFleet.ts"
import { makeWorld } from "#test/harness/World.ts"

describe("2,500 agents that take the connection and stay silent", () => {
  it("never have more than 64 connections from the worker", { timeout: 120_000 }, async () => {
    const world = await makeWorld({ count: 2_500, seed: 1, certificates: false })
    try {
      for (const host of world.hosts) world.fleet.misbehave(host.address, { kind: "hang_connect" })
      await world.startWorker({ settings: { startPollsPerSecond: 5_000, pollers: 128 } })
      await until(
        () => world.fleet.stats().peak_connections,
        (peak) => peak >= 48,
        20_000
      )
      await until(
        () =>
          world.query<{ failed: string }>(
            "select count(*) as failed from host_health_data where failure_kind is not null"
          ),
        (rows) => Number(rows[0]!.failed) > 300,
        60_000
      )
      expect(world.fleet.stats().peak_connections).toBeLessThanOrEqual(64)
    } finally {
      await world.stop()
    }
  })
})
