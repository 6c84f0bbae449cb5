/** How a job ends, from the counts of its hosts. */
import type { JobCounts } from "#core/JobEvent.ts"

export type JobEnding = "succeeded" | "partially_failed" | "failed" | "cancelled"

/** Undefined while a host is still to be done. Nobody is forgotten: an uncertain host keeps its job open. */
export const endingOf = (counts: JobCounts, cancelAsked: boolean): JobEnding | undefined => {
  const { queued, open, uncertain, succeeded, failed, deferred, cancelled } = counts
  if (queued + open + uncertain > 0) return undefined
  if (failed + deferred + cancelled === 0) return "succeeded"
  if (cancelled > 0 && (cancelAsked || succeeded + failed + deferred === 0)) return "cancelled"
  return succeeded > 0 ? "partially_failed" : "failed"
}

const part = (count: number, words: string): Array<string> => (count === 0 ? [] : [`${count} ${words}`])

/** For example "23 hosts done, 1 failed, 1 deferred". */
export const jobEndingWords = (counts: JobCounts): string => {
  const parts = [
    ...part(counts.succeeded, counts.succeeded === 1 ? "host done" : "hosts done"),
    ...part(counts.failed, "failed"),
    ...part(counts.deferred, "deferred"),
    ...part(counts.cancelled, "cancelled")
  ]
  return parts.length === 0 ? "The job had no hosts." : `${parts.join(", ")}.`
}

/** For example "3 hosts failed and 1 that was done cannot be reached any more; at most 3 may." */
export const stopWords = ({
  failed,
  unresolved,
  unhealthy,
  max_failed
}: {
  readonly failed: number
  readonly unresolved: number
  readonly unhealthy: number
  readonly max_failed: number
}): string => {
  const parts = [
    ...part(failed, failed === 1 ? "host failed" : "hosts failed"),
    ...part(unresolved, "with an unknown outcome"),
    ...part(
      unhealthy,
      unhealthy === 1 ? "that was done cannot be reached any more" : "that were done cannot be reached any more"
    )
  ]
  return `${parts.join(", ")}; the job stops at more than ${max_failed}.`
}
