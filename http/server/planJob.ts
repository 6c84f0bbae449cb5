/** What a job would do, answered by the code that makes it. */
import { Effect } from "effect"
import type { JobId } from "#core/Ids.ts"
import type { NewJob, NewRollback } from "#core/Job.ts"
import type { Plan } from "#core/Plan.ts"
import type { Caller } from "#core/User.ts"
import { draftNewJob } from "./createJob.ts"
import { draftRollback } from "./rollbackJob.ts"
import { SeenPlans } from "./SeenPlans.ts"

const shown = Effect.fnUntraced(function* ({ plan, text }: { readonly plan: Plan; readonly text: string }) {
  const seen = yield* SeenPlans
  seen.keep(plan.hash, text)
  return plan
})

export const planJob = (caller: Caller, job: NewJob) => Effect.flatMap(draftNewJob(caller, job), shown)

export const planRollback = (caller: Caller, id: JobId, rollback: NewRollback) =>
  Effect.flatMap(draftRollback(caller, id, rollback), shown)
