/** What rows of the change feed mean to one reader: the present state of what they name, as far as he may see it. */
import { Effect } from "effect"
import type { HostId, JobId } from "#core/Ids.ts"
import type { LiveMessage } from "#core/Live.ts"
import type { Principal } from "#core/User.ts"
import { type FeedRow, readLiveHosts, readLiveJobHosts, readLiveJobs } from "#sql/FeedStore.ts"
import { readTransitions } from "#sql/HostTimeline.ts"

/** The last transaction that touched each id. */
const newest = <K extends string>(rows: ReadonlyArray<FeedRow>, id: (row: FeedRow) => K | null): Map<K, number> => {
  const found = new Map<K, number>()
  for (const row of rows) {
    const key = id(row)
    if (key !== null) found.set(key, row.xid)
  }
  return found
}

/** In the order of `seq`. Transitions only of the hosts named. */
export const liveMessages = Effect.fnUntraced(function* (
  principal: Principal,
  rows: ReadonlyArray<FeedRow>,
  watchedHosts: ReadonlySet<HostId>
) {
  const hosts = newest<HostId>(rows, (row) => (row.topic === "host" ? row.host_id : null))
  const jobs = newest<JobId>(rows, (row) => row.job_id)
  const shares = newest<`${JobId}/${HostId}`>(rows, (row) =>
    row.topic === "job_host" && row.job_id !== null && row.host_id !== null ? `${row.job_id}/${row.host_id}` : null
  )
  const messages: Array<LiveMessage> = []

  const seen = new Set<HostId>()
  for (const { host, removed } of yield* readLiveHosts(principal, [...hosts.keys()])) {
    const seq = hosts.get(host.id) ?? 0
    seen.add(host.id)
    messages.push(removed ? { type: "host_removed", seq, host_id: host.id } : { type: "host", seq, host })
  }
  const steps = rows.flatMap((row) =>
    row.host_id !== null && row.version !== null && watchedHosts.has(row.host_id) && seen.has(row.host_id)
      ? [{ host_id: row.host_id, version: row.version, xid: row.xid }]
      : []
  )
  for (const transition of (yield* readTransitions(steps)).toReversed()) {
    const step = steps.find((one) => one.host_id === transition.host_id && one.version === transition.version)
    messages.push({ type: "transition", seq: step?.xid ?? 0, transition })
  }
  for (const job of yield* readLiveJobs(principal, [...jobs.keys()])) {
    messages.push({ type: "job", seq: jobs.get(job.id) ?? 0, job })
  }
  const of = rows.flatMap((row) =>
    row.topic === "job_host" && row.job_id !== null && row.host_id !== null
      ? [{ job_id: row.job_id, host_id: row.host_id }]
      : []
  )
  for (const job_host of yield* readLiveJobHosts(principal, of)) {
    messages.push({ type: "job_host", seq: shares.get(`${job_host.job_id}/${job_host.host_id}`) ?? 0, job_host })
  }
  return messages.sort((a, b) => a.seq - b.seq)
})
