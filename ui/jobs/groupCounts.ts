/** A job's counts by state, gathered into what people look for. Pure. */
import type { JobCounts, JobItem } from "#core/Job.ts"

export interface Grouped {
  readonly done: number
  readonly failed: number
  readonly uncertain: number
  readonly running: number
  readonly waiting: number
  /** Cancelled or deferred: ended without having run. */
  readonly left: number
}

export const groupCounts = (counts: JobCounts): Grouped => {
  const of = (state: keyof JobCounts): number => counts[state] ?? 0
  return {
    done: of("succeeded"),
    failed: of("failed"),
    uncertain: of("uncertain"),
    running: of("dispatching") + of("running") + of("verifying") + of("rebooting"),
    waiting: of("queued") + of("waiting"),
    left: of("cancelled") + of("deferred")
  }
}

export const finishedHosts = (job: Pick<JobItem, "counts">): number => {
  const { done, failed, left } = groupCounts(job.counts)
  return done + failed + left
}
