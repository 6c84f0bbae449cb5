/** Jobs, as the REST API gives and takes them. */
import type { JobDetail, JobHost, JobItem, NewJob, NewRetry, NewRollback } from "#core/Job.ts"
import type { JobState } from "#core/JobState.ts"
import type { Page } from "#core/Page.ts"
import type { Plan } from "#core/Plan.ts"
import { getJson, post, postJson } from "./client.ts"

const path = (id: string, rest = ""): string => `/api/v1/jobs/${encodeURIComponent(id)}${rest}`

export interface JobListRequest {
  readonly state?: ReadonlyArray<JobState> | undefined
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
}

export const listJobs = (request: JobListRequest, signal?: AbortSignal): Promise<Page<JobItem>> =>
  getJson("/api/v1/jobs", { query: { ...request }, signal })

export const readJob = (id: string, signal?: AbortSignal): Promise<JobDetail> => getJson(path(id), { signal })

/** Worst first, as the server sorts them. */
export const readJobHosts = (id: string, cursor?: string, signal?: AbortSignal): Promise<Page<JobHost>> =>
  getJson(path(id, "/hosts"), { query: { cursor, limit: 200 }, signal })

export const createJob = (job: NewJob, key: string): Promise<JobDetail> =>
  postJson("/api/v1/jobs", { body: job, headers: { "idempotency-key": key } })

export const cancelJob = (id: string): Promise<void> => post(path(id, "/cancel"))
export const pauseJob = (id: string): Promise<void> => post(path(id, "/pause"))
export const resumeJob = (id: string): Promise<void> => post(path(id, "/resume"))

/** What it would do on each host; changes nothing. */
export const planJob = (job: NewJob, signal?: AbortSignal): Promise<Plan> =>
  postJson("/api/v1/jobs/plan", { body: job, signal })

export const retryJob = (id: string, retry: NewRetry, key: string): Promise<JobDetail> =>
  postJson(path(id, "/retry"), { body: retry, headers: { "idempotency-key": key } })

export const planRollback = (id: string, rollback: NewRollback, signal?: AbortSignal): Promise<Plan> =>
  postJson(path(id, "/rollback/plan"), { body: rollback, signal })

export const rollBackJob = (id: string, rollback: NewRollback, key: string): Promise<JobDetail> =>
  postJson(path(id, "/rollback"), { body: rollback, headers: { "idempotency-key": key } })
