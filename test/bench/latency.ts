/** From a job's commit to the first call it makes at its host's agent. */
import { Effect, ManagedRuntime } from "effect"
import { SqlClient } from "effect/sql"
import { UserId } from "#core/Ids.ts"
import { newId } from "#core/newId.ts"
import { rolePermissions } from "#core/Permission.ts"
import type { Caller } from "#core/User.ts"
import { appendAudit, originOf } from "#sql/AuditStore.ts"
import { layer as databaseLayer } from "#sql/Database.ts"
import { insertJob, makeJobOrder } from "#sql/insertJob.ts"
import { percentile, type Report, shown } from "./Goal.ts"
import { type BenchHost, type Installation, monotonicMillis } from "./Installation.ts"
import { makeHealthy, schedulePolls, startWorker, withoutPause } from "./state.ts"
import type { WorkerStart } from "./workerProcess.ts"

const caller: Caller = {
  principal: {
    kind: "user",
    user_id: newId(UserId),
    username: "bench",
    role: "admin",
    permissions: new Set(rolePermissions.admin),
    group_ids: [],
    session_id: null,
    token: null
  },
  request_id: "bench",
  source_address: "127.0.0.1"
}

/** Answers when the transaction was ready to commit, in monotonic milliseconds. */
const enqueue = ({ id }: BenchHost) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(
      Effect.gen(function* () {
        const { audit } = yield* insertJob(caller, makeJobOrder({ kind: "patch_apply", host_ids: [id] }))
        yield* appendAudit(originOf(caller), audit)
        return monotonicMillis()
      })
    )
  )

/** How long the jobs took from the beginning of their transaction to the commit in which their host took them. */
const takenAfter = async (at: Installation, jobs: number): Promise<ReadonlyArray<number>> => {
  const rows = await at.query<{ ms: number }>(
    `select (extract(epoch from t.at - j.created_at) * 1000)::float8 as ms
     from host_transitions t join patch_job_hosts o on o.id = t.order_id join patch_jobs j on j.id = o.job_id
     where t.event_type = 'order' order by j.number desc limit $1`,
    [jobs]
  )
  return rows.map((row) => row.ms)
}

const GAP_MS = 200

interface Phase {
  readonly name: string
  readonly jobs: number
  readonly settings: WorkerStart["settings"]
  readonly due: string
  readonly judged: boolean
}

/** At rest hosts are polled as always, every five minutes each; a restarted worker makes up for missed polls at 100 a second. */
const phases: ReadonlyArray<Phase> = [
  { name: "at rest", jobs: 200, settings: {}, due: "now() + random() * interval '5 minutes'", judged: true },
  { name: "during a sweep", jobs: 110, settings: {}, due: "now() - interval '1 minute'", judged: true },
  { name: "during sweeps without a pause", jobs: 110, settings: withoutPause, due: "now()", judged: false }
]

export const latency = async (at: Installation, report: Report): Promise<void> => {
  await makeHealthy(at)
  const database = ManagedRuntime.make(databaseLayer({ url: at.url, applicationName: "bench", maxConnections: 2 }))
  const free = [...at.hosts]
  try {
    for (const { name, jobs, settings, due, judged } of phases) {
      await schedulePolls(at, due)
      const { child: worker } = await startWorker(at, settings)
      const samples: Array<number> = []
      try {
        // The first jobs of a process run through code that is not compiled yet.
        for (let n = -10; n < jobs; n++) {
          const host = free.pop()
          if (host === undefined) throw new Error("There are more jobs than hosts.")
          const [committed, called] = await Promise.all([
            database.runPromise(enqueue(host)),
            at.nextJobCall(host.address)
          ])
          if (n >= 0) samples.push(called - committed)
          await new Promise((resolve) => setTimeout(resolve, GAP_MS))
        }
      } finally {
        await worker.stop()
      }
      const p50 = percentile(samples, 0.5)
      const p99 = percentile(samples, 0.99)
      const taken = shown(percentile(await takenAfter(at, jobs), 0.5))
      report.figure(`${name}: from the insert to the host's commit p50 ${taken} ms, the rest is the call`)
      if (judged) {
        report.goal({ name: `enqueue to agent call, ${name}, p50`, value: p50, limit: 15, unit: "ms" })
        report.goal({ name: `enqueue to agent call, ${name}, p99`, value: p99, limit: 100, unit: "ms" })
      } else report.figure(`enqueue to agent call, ${name}: p50 ${shown(p50)} ms, p99 ${shown(p99)} ms`)
    }
  } finally {
    await database.dispose()
  }
}
