/** Making a job, for REST and RPC alike. */
import { Effect } from "effect"
import { refuseField } from "#core/Errors.ts"
import type { NewJob } from "#core/Job.ts"
import type { Caller } from "#core/User.ts"
import { once } from "#sql/IdempotencyStore.ts"
import { insertJob, makeJobOrder } from "#sql/insertJob.ts"

/** The same answer again for the same key. */
export const createJob = Effect.fnUntraced(function* (caller: Caller, key: string, job: NewJob) {
  if (job.kind === "patch_apply" && job.selection === undefined) {
    return yield* refuseField("payload.selection", "Say which patches to apply: all, security, or packages by name.")
  }
  const order = makeJobOrder({
    kind: job.kind,
    host_ids: job.host_ids ?? [],
    selection: job.selection ?? { kind: "all" },
    reboot: job.kind === "reboot" ? "always" : (job.reboot ?? "never"),
    reboot_delay_seconds: job.reboot_delay_seconds ?? 0,
    on_busy: job.on_busy ?? "queue",
    max_concurrency: job.max_concurrency ?? 32,
    notes: job.notes ?? ""
  })
  const request = { caller, key, operation: "jobs.create", request: job, status: 201 }
  return (yield* once(request, insertJob(caller, order))).answer
})
