import { describe, expect } from "vitest"
import { parseDatabaseUrl } from "#sql/DatabaseUrl.ts"
import { startLossyProxy } from "#test/actors/hosts/lossyProxy.ts"
import { until } from "#test/fleet/makeTestFleet.ts"
import { allAnswer, applied, ended, publish } from "./agentSteps.ts"
import { faultRow } from "./row.ts"

const HOSTS = 20
const LOST = 18
const MOST_ROUNDS = 12

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
    // One job after the other until as many answers were lost as on that day.
    const verdicts: Array<string> = []
    let rounds = 0
    try {
      while (rounds < 2 || (proxy.lost() < LOST && rounds < MOST_ROUNDS)) {
        publish(world, world.hosts)
        const rows = await ended(world, await world.apply(world.hosts), 60_000)
        verdicts.push(...rows.map((one) => one.verdict))
        rounds++
      }
    } finally {
      over = true
      await harass
    }
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
      expect(verdicts).toEqual(Array.from({ length: HOSTS * rounds }, () => "done"))
      for (const host of world.hosts) expect(applied(world, host)).toHaveLength(rounds)
    })
    await row.assert("18 **had** committed", () => {
      // As many answers were lost after their commit; none of them became a second row.
      expect(proxy.lost()).toBeGreaterThanOrEqual(LOST)
      expect(killed).toBeGreaterThan(0)
    })
    await until(
      () => world.query<{ n: number }>("select count(*)::int as n from host_timers"),
      (found) => found[0]?.n === 0,
      20_000
    )
  })
})
