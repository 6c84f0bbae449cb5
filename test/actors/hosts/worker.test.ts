import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { makeWorld, type World } from "#test/harness/World.ts"
import { until } from "#test/fleet/makeTestFleet.ts"

describe("a worker with a fleet", () => {
  let world: World
  beforeAll(async () => {
    world = await makeWorld({ count: 12, seed: 7 })
    await world.startWorker()
  })
  afterAll(() => world.stop())

  it("finds every host and reads its patches and packages", async () => {
    const seen = await until(
      () =>
        world.query<{ link: string; pending: number | null; total: number | null }>(
          `select s.link, p.pending, k.total from host_snapshots s
           left join host_patch_data p using (host_id) left join host_packages k using (host_id)`
        ),
      (rows) => rows.every((row) => row.link === "healthy" && row.pending !== null && row.total !== null),
      10_000
    )
    expect(seen).toHaveLength(12)
  })

  it("patches every host once and proves it", async () => {
    const job = await world.apply(world.hosts)
    const state = await until(
      () => world.query<{ state: string }>("select state from patch_jobs where id = $1", [job]),
      (rows) => rows[0]?.state !== "queued" && rows[0]?.state !== "running",
      20_000
    )
    const rows = await world.query<{ state: string; outcome: { verdict: string; message: string } }>(
      "select state, outcome from patch_job_hosts where job_id = $1",
      [job]
    )
    expect(rows.map((row) => [row.state, row.outcome?.verdict, row.outcome?.message])).toEqual(
      rows.map((row) => ["succeeded", row.outcome.verdict, row.outcome.message])
    )
    expect(state[0]?.state).toBe("succeeded")
    for (const host of world.hosts) {
      expect(world.fleet.readLedger(host.address).length).toBeLessThanOrEqual(1)
    }
  })
})
