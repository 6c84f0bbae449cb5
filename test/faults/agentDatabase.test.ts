import { describe, expect } from "vitest"
import { parseDatabaseUrl } from "#sql/DatabaseUrl.ts"
import { startLossyProxy } from "#test/actors/hosts/lossyProxy.ts"
import { until } from "#test/fleet/makeTestFleet.ts"
import { allAnswer, applied, ended, publish } from "./agentSteps.ts"
import { faultRow } from "./row.ts"

const HOSTS = 20

/** The same database over TCP, through a port of 127.0.0.1. */
const throughPort = (url: string, port: number): string => {
  const { database, username } = parseDatabaseUrl(url)
  return `postgresql://${username ?? "postgres"}@127.0.0.1:${port}/${database ?? "postgres"}`
}

describe("manager and agent: the database under a running job", () => {
  faultRow("F38", "a backend is killed during a job", {}, async (row) => {
    const world = await row.world({ count: HOSTS, timing: { jobMs: [300, 900] } })
    const proxy = await startLossyProxy(parseDatabaseUrl(world.url).path!)
    row.after(proxy.stop)
    await row.worker({ ...world, url: throughPort(world.url, proxy.port) })
    await allAnswer(world)
    publish(world, world.hosts)
    const job = await world.apply(world.hosts)
    let killed = 0
    let over = false
    const harass = (async () => {
      while (!over) {
        // One statement fails before it is done, the next is done and its answer is thrown away.
        if (row.random() < 0.5) {
          const rows = await world.query<{ ended: boolean }>(
            `select pg_terminate_backend(pid) as ended from pg_stat_activity
             where datname = current_database() and application_name = 'patch-manager worker' and state = 'active'
               and pid <> pg_backend_pid() limit 1`
          )
          killed += rows.length
        } else proxy.loseNextAnswer()
        await new Promise((resolve) => setTimeout(resolve, 150 + row.random() * 300))
      }
    })()
    const rows = await ended(world, job, 120_000).finally(() => (over = true))
    await harass
    await row.assert("each write carries a key and is read back", async () => {
      // Each transition is keyed by host and version: one that was written although it seemed to fail is there once.
      const broken = await world.query(
        `select host_id from host_transitions group by host_id having count(*) <> max(version) or min(version) <> 1`
      )
      expect(broken).toEqual([])
      const behind = await world.query(
        `select s.host_id from host_snapshots s
         where s.version <> (select count(*) from host_transitions t where t.host_id = s.host_id)`
      )
      expect(behind).toEqual([])
    })
    await row.assert("Statement retried only if the outcome is known or idempotent", () => {
      expect(proxy.lost()).toBeGreaterThan(5)
      expect(rows.map((one) => one.verdict)).toEqual(world.hosts.map(() => "done"))
      for (const host of world.hosts) expect(applied(world, host)).toHaveLength(1)
    })
    await row.assert("18 **had** committed", () => {
      // As many answers were lost after their commit as were thrown away here; none of them became a second row.
      expect(proxy.lost() + killed).toBeGreaterThan(10)
    })
    await until(
      () => world.query<{ n: number }>("select count(*)::int as n from host_timers"),
      (found) => found[0]?.n === 0,
      20_000
    )
  })
})
