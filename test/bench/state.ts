/** Brings an installation into the state a bench begins with. */
import { startChild } from "./Child.ts"
import { type Installation, waitUntil } from "./Installation.ts"
import type { WorkerReady, WorkerStart } from "./workerProcess.ts"

/** Every host is due again as soon as it was polled: one sweep follows the other without a pause. */
export const withoutPause = {
  healthIntervalMillis: 1,
  startPollsPerSecond: 100_000,
  retryMillis: [1_000, 1_000, 1_000]
}

export const startWorker = (at: Installation, settings: WorkerStart["settings"], client: WorkerStart["client"] = {}) =>
  startChild<WorkerReady>("workerProcess.ts", {
    url: at.urls.worker,
    secretsDir: at.secretsDir,
    settings,
    client
  } satisfies WorkerStart)

const count = async (at: Installation, text: string): Promise<number> =>
  Number((await at.query<{ n: string }>(text))[0]?.n)

/** Every host was polled at least once and is healthy. */
export const makeHealthy = async (at: Installation): Promise<void> => {
  const others = "select count(*) as n from host_snapshots where summary <> 'healthy'"
  if ((await count(at, others)) === 0) return
  const { child } = await startWorker(at, withoutPause)
  try {
    await waitUntil("every host to be healthy", async () => (await count(at, others)) === 0, 600_000)
  } finally {
    await child.stop()
  }
}

/** When the next worker polls each host: an SQL expression for the due time. */
export const schedulePolls = async (at: Installation, due: string): Promise<void> => {
  await at.query(
    `insert into host_health_data (host_id, next_poll_at) select id, ${due} from hosts
     on conflict (host_id) do update set next_poll_at = excluded.next_poll_at`
  )
}
