/** The jobs of the contract. */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Api } from "#http/api/Api.ts"
import { CurrentCaller } from "#http/api/Authentication.ts"
import { listJobHosts, listJobs } from "#sql/jobList.ts"
import { getJob, pauseJob, requestCancel, resumeJob } from "#sql/JobStore.ts"
import { createJob } from "./createJob.ts"
import { planJob, planRollback } from "./planJob.ts"
import { retryJob } from "./retryJob.ts"
import { rollbackJob } from "./rollbackJob.ts"
import { answered } from "./translate.ts"

export const layer = HttpApiBuilder.group(Api, "jobs", (handlers) =>
  handlers.handleAll({
    list: ({ query }) => answered(Effect.flatMap(CurrentCaller, ({ principal }) => listJobs(principal, query))),
    create: ({ headers, payload }) =>
      answered(Effect.flatMap(CurrentCaller, (caller) => createJob(caller, headers["idempotency-key"], payload))),
    get: ({ params }) => answered(Effect.flatMap(CurrentCaller, ({ principal }) => getJob(principal, params.id))),
    hosts: ({ params, query }) =>
      answered(Effect.flatMap(CurrentCaller, ({ principal }) => listJobHosts(principal, params.id, query))),
    plan: ({ payload }) => answered(Effect.flatMap(CurrentCaller, (caller) => planJob(caller, payload))),
    cancel: ({ params }) => answered(Effect.flatMap(CurrentCaller, (caller) => requestCancel(caller, params.id))),
    pause: ({ params }) => answered(Effect.flatMap(CurrentCaller, (caller) => pauseJob(caller, params.id))),
    resume: ({ params }) => answered(Effect.flatMap(CurrentCaller, (caller) => resumeJob(caller, params.id))),
    retry: ({ headers, params, payload }) =>
      answered(
        Effect.flatMap(CurrentCaller, (caller) => retryJob(caller, headers["idempotency-key"], params.id, payload))
      ),
    rollback: ({ headers, params, payload }) =>
      answered(
        Effect.flatMap(CurrentCaller, (caller) => rollbackJob(caller, headers["idempotency-key"], params.id, payload))
      ),
    planRollback: ({ params, payload }) =>
      answered(Effect.flatMap(CurrentCaller, (caller) => planRollback(caller, params.id, payload)))
  })
)
