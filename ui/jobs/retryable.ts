import type { JobDetail, NewRetry } from "#core/Job.ts"

export type RetryState = NewRetry["states"][number]
export const retryWords: Readonly<Record<RetryState, string>> = {
  failed: "failed",
  deferred: "deferred",
  cancelled: "not started"
}
export const retryStates = Object.keys(retryWords) as ReadonlyArray<RetryState>

/** Hosts of a job that another try could take up. */
export const retryable = (job: Pick<JobDetail, "counts">): number =>
  retryStates.reduce((sum, state) => sum + (job.counts[state] ?? 0), 0)
