/** The jobs of the contract. */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Api } from "#http/api/Api.ts"
import { CurrentCaller } from "#http/api/Authentication.ts"
import { listJobHosts, listJobs } from "#sql/jobList.ts"
import { getJob, requestCancel } from "#sql/JobStore.ts"
import { createJob } from "./createJob.ts"
import { answered } from "./translate.ts"

export const layer = HttpApiBuilder.group(Api, "jobs", (handlers) =>
  handlers.handleAll({
    list: ({ query }) => answered(Effect.flatMap(CurrentCaller, ({ principal }) => listJobs(principal, query))),
    create: ({ headers, payload }) =>
      answered(Effect.flatMap(CurrentCaller, (caller) => createJob(caller, headers["idempotency-key"], payload))),
    get: ({ params }) => answered(Effect.flatMap(CurrentCaller, ({ principal }) => getJob(principal, params.id))),
    hosts: ({ params, query }) =>
      answered(Effect.flatMap(CurrentCaller, ({ principal }) => listJobHosts(principal, params.id, query))),
    cancel: ({ params }) => answered(Effect.flatMap(CurrentCaller, (caller) => requestCancel(caller, params.id)))
  })
)
