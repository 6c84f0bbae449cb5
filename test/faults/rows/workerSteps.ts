/** What the rows about workers share. */
import { expect } from "vitest"
import type { FailpointName } from "#actors/hosts/Failpoint.ts"
import type { JobId } from "#core/Ids.ts"
import { until } from "#test/fleet/makeTestFleet.ts"
import type { WorkerProcessStart } from "#test/harness/spawnWorker.ts"
import type { World, WorldHost } from "#test/harness/World.ts"
import type { Row } from "../row.ts"

/** Seconds within which the standby or the restarted worker has taken over. */
export const TAKEOVER_MS = 20_000

export const changesOf = (world: World, host: WorldHost) =>
  world.fleet.readLedger(host.address).filter((entry) => entry.operation !== "reboot")

export const callsOf = (world: World, host: WorldHost, call: string): number =>
  world.fleet.view(host.address).calls[call] ?? 0

export const APPLY = "POST /api/v1/patches/apply"
export const LIST = "GET /api/v1/jobs"

export const endOf = (world: World, job: JobId, ms = 30_000) =>
  until(
    () =>
      world.query<{ state: string; ended: boolean }>(
        "select state, finished_at is not null as ended from patch_jobs where id = $1",
        [job]
      ),
    (rows) => rows[0]?.ended === true,
    ms
  ).then((rows) => rows[0]!.state)

export const verdictOf = async (world: World, job: JobId, host: WorldHost): Promise<string | null> => {
  const [row] = await world.query<{ verdict: string | null }>(
    "select outcome->>'verdict' as verdict from patch_job_hosts where job_id = $1 and host_id = $2",
    [job, host.id]
  )
  return row?.verdict ?? null
}

export const epochOf = async (world: World): Promise<number> =>
  (await world.query<{ epoch: number }>("select epoch::int from worker_lease where name = 'worker'"))[0]!.epoch

export const eventsOf = (world: World, host: WorldHost) =>
  world.query<{ event_type: string; to_work: string }>(
    "select event_type, to_work from host_transitions where host_id = $1 order by version",
    [host.id]
  )

/** A second worker that is up and waits for its turn. */
export const standingBy = async (row: Row, world: World, options: WorkerProcessStart = {}) => {
  const worker = row.standby(world, options)
  await until(
    () => worker.log.some((line) => line.message.includes("stands by")),
    (is) => is,
    30_000
  )
  return worker
}

/** A host with something to patch, the job for it, a worker that dies at the failpoint, and a standby that takes over. */
export const dieAt = async (row: Row, failpoint: FailpointName) => {
  const world = await row.world({ count: 2 })
  const [host, other] = world.hosts as [WorldHost, WorldHost]
  world.fleet.publish(host.address)
  const first = await row.worker(world, { failpoint })
  const epoch = await epochOf(world)
  const second = await standingBy(row, world)
  const job = await world.apply([host])
  await row.assert(`the worker dies by SIGKILL at ${failpoint}`, async () => expect(await first.gone).toBe("SIGKILL"))
  const at = Date.now()
  await row.assert("another worker takes over within 20 s with epoch+1", async () => {
    await until(
      () => epochOf(world),
      (now) => now > epoch,
      TAKEOVER_MS
    )
    expect(await epochOf(world)).toBe(epoch + 1)
    await second.ready
    expect(Date.now() - at).toBeLessThan(TAKEOVER_MS)
  })
  return { world, host, other, job, second }
}

export const appliedOnce = async (row: Row, world: World, host: WorldHost, job: JobId) => {
  await row.assert("the job ends as succeeded, by evidence", async () => {
    expect(await endOf(world, job)).toBe("succeeded")
    expect(await verdictOf(world, job, host)).toBe("done")
  })
  await row.assert("ledger 1", () => expect(changesOf(world, host)).toHaveLength(1))
}

export const countOf = async (world: World, text: string): Promise<number> =>
  (await world.query<{ count: number }>(`select count(*)::int as count from ${text}`))[0]!.count

export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

export const allHealthy = (world: World) =>
  until(
    () => world.query<{ link: string }>("select link from host_snapshots"),
    (rows) => rows.every(({ link }) => link === "healthy"),
    20_000
  )
