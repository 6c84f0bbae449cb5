/** When hosts on which jobs wait may be started, by the dispatcher's own decision; waves, limits and other jobs can put it off. */
import type { DispatchFacts } from "../Dispatch.ts"
import type { HostId, JobId } from "../Ids.ts"
import { effectiveFor } from "../window/effective.ts"
import type { WindowFleet } from "../window/firings.ts"
import { foretellStart } from "./foretellStart.ts"
import { makeWindowMoments } from "./windowMoment.ts"

/** A host's share of a job that has not started. Epoch milliseconds. */
export interface QueuedOrder {
  readonly job_id: JobId
  readonly job_number: number
  readonly host_id: HostId
  readonly when: DispatchFacts["job"]["when"]
  readonly expires_at: number | null
  readonly expected_seconds: number
}

export interface QueuedStart {
  readonly job_id: JobId
  readonly job_number: number
  /** Null where no window lets them in before the span ends. */
  readonly starts_at: number | null
  readonly host_ids: ReadonlyArray<HostId>
}

/** Hosts of one job that may start at the same moment together; by time, those that never start last. */
export const queuedStarts = (
  { windows, hosts }: WindowFleet,
  orders: ReadonlyArray<QueuedOrder>,
  from: number,
  to: number
): Array<QueuedStart> => {
  const effectiveOf = effectiveFor(windows)
  const places = new Map(hosts.map((host) => [host.id, effectiveOf(host)]))
  const momentOf = makeWindowMoments()
  const together = new Map<string, Omit<QueuedStart, "host_ids"> & { readonly host_ids: Array<HostId> }>()
  for (const { job_id, job_number, host_id, when, expires_at, expected_seconds } of orders) {
    const effective = places.get(host_id)
    if (effective === undefined) continue
    const facts: Omit<DispatchFacts, "windows"> = {
      at: from,
      skew_ms: 0,
      job: {
        when,
        ignore_blackout: false,
        cancelled_by: null,
        paused_by: null,
        stopped_reason: null,
        expires_at,
        current_wave: 0,
        max_concurrency: 1,
        open: 0
      },
      order: { wave: 0, expected_seconds },
      host: { lost: false, leaving: false, link: "healthy", busy_with: null, unresolved: false }
    }
    const found = foretellStart(facts, (at) => momentOf(effective, at)).starts_at
    const starts_at = found === null || found >= to ? null : found
    const key = `${job_id} ${starts_at}`
    const known = together.get(key)
    if (known) known.host_ids.push(host_id)
    else together.set(key, { job_id, job_number, starts_at, host_ids: [host_id] })
  }
  const last = Number.POSITIVE_INFINITY
  return [...together.values()].toSorted(
    (a, b) => (a.starts_at ?? last) - (b.starts_at ?? last) || a.job_number - b.job_number
  )
}
