/** All jobs that have not ended: one fiber each, woken when one of their hosts moves, when somebody asks, and every few seconds. */
import { Cause, Context, Deferred, Effect, FiberMap, Layer, Queue, Result, Schedule } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import type { JobId, OrderId } from "#core/Ids.ts"
import type { JobEvent } from "#core/JobEvent.ts"
import { readJob, readOpenJobs, type StoredJob } from "#sql/JobSnapshotStore.ts"
import { DatabaseClock } from "../hosts/DatabaseClock.ts"
import { makeDueQueue } from "../hosts/DueQueue.ts"
import { Fenced, HostSupervisor } from "../hosts/HostSupervisor.ts"
import { type JobHandle, restoreJob, runJob } from "./JobActor.ts"

export class JobSupervisor extends Context.Service<
  JobSupervisor,
  {
    /** Takes up new jobs and makes every job look again. */
    readonly wake: Effect.Effect<void, SqlError.SqlError>
    /** Takes up this one, or makes it look again. */
    readonly wakeJob: (id: JobId) => Effect.Effect<void, SqlError.SqlError>
    readonly fenced: Effect.Effect<never, Fenced>
  }
>()("patch-manager/actors/JobSupervisor") {
  static readonly layer = (epoch: number) =>
    Layer.effect(
      JobSupervisor,
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const hosts = yield* HostSupervisor
        const clock = yield* DatabaseClock
        const services = yield* Effect.context<HostSupervisor | DatabaseClock | SqlClient.SqlClient>()
        const handles = new Map<JobId, JobHandle>()
        const actors = yield* FiberMap.make<JobId>()
        const fence = yield* Deferred.make<never, Fenced>()
        const due = yield* makeDueQueue<string>()
        const timers = new Map<string, { readonly handle: JobHandle; readonly id: string }>()

        /** Whose job an order belongs to, from when its host took it until it ended there. */
        const jobOf = new Map<OrderId, JobId>()

        const look = (handle: JobHandle | undefined) => {
          if (handle !== undefined) Queue.offerUnsafe(handle.mailbox, "look")
        }
        const lookAll = Effect.sync(() => handles.forEach(look))

        const arm = (handle: JobHandle, id: string, delayMillis: number) => {
          timers.set(`${handle.job.id} ${id}`, { handle, id })
          return due.set(`${handle.job.id} ${id}`, delayMillis)
        }

        const life = Effect.fnUntraced(function* (handle: JobHandle) {
          for (const timer of handle.job.timers) yield* arm(handle, timer.id, Math.max(0, timer.remaining_ms))
          const resumed: JobEvent = { type: "resumed", at: yield* clock.now }
          Queue.offerUnsafe(handle.mailbox, resumed)
          yield* runJob(handle, epoch, (step) =>
            Effect.gen(function* () {
              for (const id of step.timers.cancelled) yield* due.remove(`${handle.job.id} ${id}`)
              for (const timer of step.timers.set) yield* arm(handle, timer.id, timer.delay_ms)
            })
          )
        })

        const start = Effect.fnUntraced(function* (job: StoredJob) {
          const restored = restoreJob(job)
          if (Result.isFailure(restored)) {
            return yield* Effect.logError(`The job cannot be read: ${restored.failure.message}`)
          }
          const handle: JobHandle = {
            job,
            snapshot: restored.success,
            version: job.version,
            mailbox: yield* Queue.unbounded<JobEvent | "look">(),
            offered: new Map(),
            waiting: 0
          }
          handles.set(job.id, handle)
          yield* FiberMap.run(
            actors,
            job.id,
            life(handle).pipe(
              Effect.catchTag("Fenced", (fenced) => Effect.asVoid(Deferred.fail(fence, fenced))),
              Effect.catchCause((cause) =>
                Cause.hasInterruptsOnly(cause)
                  ? Effect.void
                  : Effect.logError("The job's actor ended and starts again from its stored state", cause)
              ),
              Effect.ensuring(Effect.sync(() => void handles.delete(job.id))),
              Effect.provideContext(services),
              Effect.annotateLogs({ module: "jobs", job_id: job.id })
            )
          )
        })

        const wake = Effect.gen(function* () {
          const jobs = yield* readOpenJobs.pipe(Effect.provideService(SqlClient.SqlClient, sql))
          for (const job of jobs) if (!handles.has(job.id)) yield* start(job)
          yield* lookAll
        })

        const wakeJob = Effect.fnUntraced(function* (id: JobId) {
          const handle = handles.get(id)
          if (handle !== undefined) return look(handle)
          const job = yield* readJob(id).pipe(Effect.provideService(SqlClient.SqlClient, sql))
          if (job !== undefined && !handles.has(id)) yield* start(job)
        })

        hosts.onCommitted((_host, event, commands) =>
          Effect.sync(() => {
            if (event.type === "order") {
              jobOf.set(event.order.id, event.order.job_id)
              look(handles.get(event.order.job_id))
            }
            const ended = commands.find((command) => command.kind === "Ended")
            if (ended === undefined) return
            const owner = jobOf.get(ended.outcome.order_id)
            jobOf.delete(ended.outcome.order_id)
            // The host is free again for whoever waits for it; an owner from before this worker is among all.
            for (const handle of handles.values()) {
              if (owner === undefined || handle.job.id === owner || handle.waiting > 0) look(handle)
            }
          })
        )

        yield* Effect.gen(function* () {
          const timer = timers.get(yield* due.take)
          if (timer === undefined || handles.get(timer.handle.job.id) !== timer.handle) return
          const at = yield* clock.now
          Queue.offerUnsafe(timer.handle.mailbox, { type: timer.id as `xstate.after.${string}`, at })
        }).pipe(Effect.forever, Effect.forkScoped)

        yield* wake.pipe(
          Effect.catch((error) => Effect.logWarning("Open jobs could not be read; tried again", error)),
          Effect.repeat(Schedule.spaced("5 seconds")),
          Effect.delay("5 seconds"),
          Effect.forkScoped
        )

        return { wake, wakeJob, fenced: Deferred.await(fence) }
      })
    )
}
