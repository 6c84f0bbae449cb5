/** A worker's first act: what was missed while there was none. */
import { afterAll, beforeAll, expect, it } from "vitest"
import { until } from "#test/fleet/makeTestFleet.ts"
import { makeWorld, type World } from "#test/harness/World.ts"
import { addWindow } from "../jobs/windowRows.ts"

let world: World
beforeAll(async () => {
  world = await makeWorld({ count: 2, seed: 3 })
}, 60_000)
afterAll(() => world.stop())

const runs = () =>
  world.query<{ window_id: string; outcome: string; hosts: number }>(
    "select window_id, outcome, hosts from window_runs order by opens_at"
  )

it("a worker that starts writes down the window that a job waited for in vain, once, and the job goes on waiting", async () => {
  const [host, idle] = world.hosts
  const missed = await addWindow(world, host!.id, 10, 5)
  await addWindow(world, idle!.id, 10, 5)
  const job = await world.apply([host!], { when: { kind: "next_window" }, carries_over: true })
  await world.query("update maintenance_windows set watched_since = now() - interval '1 hour'")
  await world.query("update patch_jobs set created_at = now() - interval '1 hour'")
  const first = await world.startWorker()
  await until(runs, (rows) => rows.length > 0, 10_000)
  await until(
    () =>
      world.query<{ code: string }>("select waits_for->>'code' as code from patch_job_hosts where job_id = $1", [job]),
    (rows) => rows[0]!.code === "no_window",
    15_000
  )
  await first.stop()
  await world.startWorker()
  expect(await runs()).toEqual([{ window_id: missed, outcome: "missed", hosts: 1 }])
  expect(world.fleet.readLedger(host!.address)).toEqual([])
})
