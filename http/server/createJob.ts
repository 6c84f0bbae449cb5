/** Making a job and planning one, for REST and RPC alike. */
import { Effect } from "effect"
import { Conflict, refuseField } from "#core/Errors.ts"
import type { NewJob } from "#core/Job.ts"
import { faultOfJob } from "#core/plan/checkNewJob.ts"
import type { Caller } from "#core/User.ts"
import { databaseNow } from "#sql/Database.ts"
import { once } from "#sql/IdempotencyStore.ts"
import { insertJob } from "#sql/insertJob.ts"
import { freezeTarget, type TargetRequest } from "#sql/planTargets.ts"
import { draftJob } from "./draftJob.ts"

const targetOf = ({ host_ids, group_id, filter }: NewJob): TargetRequest =>
  group_id !== undefined
    ? { kind: "group", group_id }
    : filter !== undefined
      ? { kind: "filter", filter }
      : { kind: "hosts", host_ids: host_ids ?? [] }

/** Checked, its hosts frozen, everything decided and planned. */
export const draftNewJob = Effect.fnUntraced(function* (caller: Caller, job: NewJob) {
  const fault = faultOfJob(job, yield* databaseNow)
  if (fault !== null) return yield* refuseField(fault.path, fault.message)
  const frozen = yield* freezeTarget(caller.principal, targetOf(job))
  const hosts_total = frozen.host_ids.length
  if (job.expected_hosts !== undefined && job.expected_hosts !== hosts_total) {
    return yield* new Conflict({
      code: "hosts_differ",
      message: `These are ${hosts_total} hosts now, and you counted on ${job.expected_hosts}. Look at them again.`,
      details: { expected_hosts: job.expected_hosts, hosts_total }
    })
  }
  return yield* draftJob(caller, frozen, { ...job, method: null, parent_job_id: null })
})

/** The same answer again for the same key. */
export const createJob = Effect.fnUntraced(function* (caller: Caller, key: string, job: NewJob) {
  const change = Effect.flatMap(draftNewJob(caller, job), ({ order }) => insertJob(caller, order))
  const request = { caller, key, operation: "jobs.create", request: job, status: 201 }
  return (yield* once(request, change)).answer
})
