/** What people ask of a job, by the ordinary stores. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { JobId } from "#core/Ids.ts"
import { insertJob, makeJobOrder } from "#sql/insertJob.ts"
import { pauseJob, requestCancel, resumeJob } from "#sql/JobStore.ts"
import type { World, WorldHost } from "#test/harness/World.ts"

export const pause = (world: World, job: JobId) => world.run(pauseJob(world.caller, job))
export const resume = (world: World, job: JobId) => world.run(resumeJob(world.caller, job))
export const cancelJob = (world: World, job: JobId) => world.run(requestCancel(world.caller, job))

/** Made and paused in one transaction, so that nobody sees it running. */
export const applyPaused = (world: World, host: WorldHost): Promise<JobId> =>
  world.run(
    Effect.flatMap(SqlClient.SqlClient, (sql) =>
      sql.withTransaction(
        Effect.gen(function* () {
          const { answer } = yield* insertJob(world.caller, makeJobOrder({ kind: "patch_apply", host_ids: [host.id] }))
          yield* pauseJob(world.caller, answer.id)
          return answer.id
        })
      )
    )
  )

/** The host is polled at once. */
export const refresh = (world: World, host: WorldHost) =>
  world.query(
    `with asked as (
       insert into host_requests (id, host_id, event) values (gen_random_uuid(), $1, '{"type":"refresh","by":"tester"}'))
     select pg_notify('worker', 'host_requested ' || $1::text)`,
    [host.id]
  )
