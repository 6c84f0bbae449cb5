/** The same again for the hosts on which it did not work out. */
import { Effect } from "effect"
import { Conflict, refuseField } from "#core/Errors.ts"
import type { JobId } from "#core/Ids.ts"
import type { NewRetry } from "#core/Job.ts"
import { timeFault } from "#core/plan/checkNewJob.ts"
import type { Caller } from "#core/User.ts"
import { databaseNow } from "#sql/Database.ts"
import { readFollowedHosts } from "#sql/followUp.ts"
import { once } from "#sql/IdempotencyStore.ts"
import { insertJob } from "#sql/insertJob.ts"
import { getJob } from "#sql/JobStore.ts"
import { draftJob } from "./draftJob.ts"

/** Waves are not repeated: they were a caution for a fleet, and these are the hosts that were left. */
const draftRetry = Effect.fnUntraced(function* (caller: Caller, id: JobId, retry: NewRetry) {
  const fault = timeFault(retry, yield* databaseNow)
  if (fault !== null) return yield* refuseField(fault.path, fault.message)
  const parent = yield* getJob(caller.principal, id)
  if (parent.kind === "rollback") {
    return yield* new Conflict({
      code: "not_repeatable",
      message: "A rollback is made from the job that it undoes. Go to that job and undo it again."
    })
  }
  const hosts = yield* readFollowedHosts(caller.principal, id)
  const states = new Set<string>(retry.states)
  const wanted = hosts.filter((host) => host.ended && states.has(host.state))
  if (wanted.length === 0) {
    return yield* new Conflict({
      code: "nothing_to_retry",
      message: `No host of job ${parent.number} ended as ${retry.states.join(" or ")}.`
    })
  }
  const { selection, packages, reboot, reboot_delay_seconds, on_busy, max_concurrency, on_change, pin_versions } =
    parent
  const { kind, pre_check, max_failed, notes } = parent
  const when = retry.when ?? (parent.when.kind === "at" ? { kind: "next_window" as const } : parent.when)
  return yield* draftJob(
    caller,
    { target: { kind: "hosts" }, host_ids: wanted.map((host) => host.host_id) },
    {
      kind,
      selection,
      packages,
      reboot,
      reboot_delay_seconds,
      on_busy,
      max_concurrency,
      on_change,
      pin_versions,
      pre_check,
      notes,
      when,
      ...(max_failed === null ? {} : { error_limit: { hosts: max_failed } }),
      ignore_blackout: parent.ignore_blackout && when.kind === "immediate",
      method: null,
      parent_job_id: id
    }
  )
})

/** The same answer again for the same key. */
export const retryJob = Effect.fnUntraced(function* (caller: Caller, key: string, id: JobId, retry: NewRetry) {
  const change = Effect.flatMap(draftRetry(caller, id, retry), ({ order }) => insertJob(caller, order))
  const request = { caller, key, operation: "jobs.retry", request: [id, retry], status: 201 }
  return (yield* once(request, change)).answer
})
