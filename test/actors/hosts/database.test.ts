import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type RunningPostgres, startPostgres } from "#deploy/postgres/startPostgres.ts"
import { migrate } from "#sql/migrate.ts"
import { until } from "#test/fleet/makeTestFleet.ts"
import { replayHost } from "#test/harness/replay.ts"
import { makeWorld, type World } from "#test/harness/World.ts"

describe("a PostgreSQL that is killed in the middle of a job", () => {
  const folder = mkdtempSync(join(tmpdir(), "pm-killed-"))
  const start = () => startPostgres({ folder, durability: "durable", mayCreateAccount: false })
  let server: RunningPostgres
  let world: World

  beforeAll(async () => {
    server = await start()
    await migrate(server.url)
    world = await makeWorld(
      { count: 6, seed: 11, timing: { jobMs: [600, 900] } },
      { url: server.url, drop: async () => undefined }
    )
    await world.startWorker()
    await until(
      () => world.query<{ link: string }>("select link from host_snapshots"),
      (rows) => rows.every((row) => row.link === "healthy"),
      15_000
    )
  }, 60_000)
  afterAll(async () => {
    await world.stop()
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  it(
    "changes nothing about the result: every host once, proved, and the history replays",
    { timeout: 60_000 },
    async () => {
      for (const host of world.hosts) world.fleet.publish(host.address)
      const job = await world.apply(world.hosts)
      await until(
        () => world.query<{ work: string }>("select work from host_snapshots"),
        (rows) => rows.some((row) => row.work === "patching.running"),
        15_000
      )
      process.kill(server.pid, "SIGKILL")
      server = await start()
      await until(
        () => world.query<{ state: string }>("select state from patch_jobs where id = $1", [job]),
        (rows) => rows[0]?.state === "succeeded",
        40_000
      )
      for (const host of world.hosts) {
        expect(world.fleet.readLedger(host.address).filter((entry) => entry.operation === "patchapply")).toHaveLength(1)
        const { stored, replayed } = await replayHost(world, host.id)
        expect(replayed).toEqual(stored)
      }
      const rows = await world.query<{ verdict: string }>(
        "select outcome->>'verdict' as verdict from patch_job_hosts where job_id = $1",
        [job]
      )
      expect(rows.map((row) => row.verdict)).toEqual(world.hosts.map(() => "done"))
    }
  )
})
