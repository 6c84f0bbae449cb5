/** One job over every host of the fleet: done on all of them, within its limits, by a worker that stays small and awake. */
import { Effect, ManagedRuntime } from "effect"
import { SqlClient } from "effect/sql"
import { layer as databaseLayer } from "#sql/Database.ts"
import { insertJobRows, makeJobOrder } from "#sql/insertJob.ts"
import type { Usage } from "./Child.ts"
import type { Report } from "./Goal.ts"
import { type Installation, waitUntil } from "./Installation.ts"
import { makeHealthy, schedulePolls, startWorker } from "./state.ts"

const MAX_CONCURRENCY = 48
const LONGEST_MS = 900_000

export const bigJob = async (at: Installation, report: Report): Promise<void> => {
  await makeHealthy(at)
  for (let i = 0; i < at.hosts.length; i += 50)
    await Promise.all(at.hosts.slice(i, i + 50).map(({ address }) => at.fleet.publish(address)))
  // Packages count as read, as elsewhere in the bench; each host's own lists are read before it is sent anything.
  await schedulePolls(at, "now() + interval '30 minutes' + random() * interval '5 minutes'")
  await at.fleet.resetStats()
  const { child: worker } = await startWorker(at, {})
  const database = ManagedRuntime.make(databaseLayer({ url: at.url, applicationName: "bench", maxConnections: 1 }))
  try {
    await worker.ask<Usage>({ reset: true })
    const begun = Date.now()
    const job = await database.runPromise(
      Effect.flatMap(SqlClient.SqlClient, (sql) =>
        sql.withTransaction(
          insertJobRows(
            "bench",
            makeJobOrder({
              kind: "patch_apply",
              host_ids: at.hosts.map(({ id }) => id),
              max_concurrency: MAX_CONCURRENCY,
              max_failed: 0
            })
          )
        )
      )
    )
    let [rss, loop, openPeak] = [0, 0, 0]
    await waitUntil(
      "the job to end",
      async () => {
        const usage = await worker.ask<Usage>({})
        rss = Math.max(rss, usage.rssMiB)
        loop = usage.loopP99Ms
        const [row] = await at.query<{ open: number; ended: boolean }>(
          `select (select count(*)::int from patch_job_hosts where job_id = j.id and not ended
             and state in ('dispatching', 'running', 'verifying', 'rebooting', 'uncertain')) as open,
           finished_at is not null as ended from patch_jobs j where id = $1`,
          [job]
        )
        openPeak = Math.max(openPeak, row?.open ?? 0)
        await new Promise((resolve) => setTimeout(resolve, 1_000))
        return row?.ended === true
      },
      LONGEST_MS
    )
    const seconds = (Date.now() - begun) / 1000
    const { peak_changing } = await at.fleet.stats()
    const { cpuMs } = await worker.ask<Usage>({})
    const states = await at.query<{ verdict: string; n: number }>(
      "select outcome->>'verdict' as verdict, count(*)::int as n from patch_job_hosts where job_id = $1 group by 1",
      [job]
    )
    const done = states.find(({ verdict }) => verdict === "done")?.n ?? 0
    report.figure(`${at.hosts.length} hosts in ${seconds.toFixed(1)} s, worker ${(cpuMs / 1000).toFixed(1)} s CPU`)
    report.figure(`verdicts ${JSON.stringify(Object.fromEntries(states.map(({ verdict, n }) => [verdict, n])))}`)
    report.figure(`at most ${openPeak} hosts open in the database, ${peak_changing} at work in the fleet`)
    const goal = (name: string, value: number, limit: number, unit: string) => report.goal({ name, value, limit, unit })
    goal("one job, hosts not done", at.hosts.length - done, 0, "hosts")
    goal("one job, hosts at work at once in the fleet", peak_changing, MAX_CONCURRENCY, "hosts")
    goal("one job, worker memory", rss, 600, "MiB")
    goal("one job, worker event loop p99", loop, 100, "ms")
  } finally {
    await database.dispose()
    await worker.stop()
  }
}
