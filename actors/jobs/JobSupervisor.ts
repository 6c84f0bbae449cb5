/** All jobs that have not ended: one fiber each, woken when one of their hosts moves, when somebody asks, and every few seconds. */
import { Cause, Context, Deferred, Effect, FiberMap, Layer, Queue, Result, Schedule } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import type { HostId, JobId, OrderId } from "#core/Ids.ts"
import type { JobEvent } from "#core/JobEvent.ts"
import { readJob, readOpenJobs, type StoredJob } from "#sql/JobSnapshotStore.ts"
import { DatabaseClock } from "../hosts/DatabaseClock.ts"
import { makeDueQueue } from "../hosts/DueQueue.ts"
import { DisabledGuards } from "../hosts/Guards.ts"
import { Fenced, HostSupervisor } from "../hosts/HostSupervisor.ts"
import { type JobActorEnvironment, restoreJob, runJob } from "./JobActor.ts"
import { type JobHandle, touch } from "./JobHandle.ts"

/** Of the looks every five seconds, each one of so many judges everything that waits. */
const ROUNDS_PER_JUDGEMENT = 12

export class JobSupervisor extends Context.Service<
  JobSupervisor,
  {
    /** Takes up new jobs and makes every job look again. */
    readonly wake: Effect.Effect<void, SqlError.SqlError>
    /** Judges everything that waits anew: windows, groups or holds were changed. */
    readonly wakeWaiting: Effect.Effect<void>
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

        const lookAll = Effect.sync(() => handles.forEach((handle) => touch(handle)))
        const wakeWaiting = Effect.sync(() => handles.forEach((handle) => touch(handle, "all")))

        /** Jobs that wait for one of these hosts, the oldest first. */
        const touchWaiting = (hosts: ReadonlyArray<HostId>, olderThan = 0) => {
          for (const handle of [...handles.values()].toSorted((a, b) => a.job.number - b.job.number)) {
            if (handle.job.number <= olderThan) continue
            const here = hosts.filter((host) => handle.standings.has(host))
            if (here.length > 0) touch(handle, here)
          }
        }

        const arm = (handle: JobHandle, id: string, delayMillis: number) => {
          timers.set(`${handle.job.id} ${id}`, { handle, id })
          return due.set(`${handle.job.id} ${id}`, delayMillis)
        }

        const environmentOf = (handle: JobHandle): JobActorEnvironment => ({
          epoch,
          setTimers: (step) =>
            Effect.gen(function* () {
              for (const id of step.timers.cancelled) yield* due.remove(`${handle.job.id} ${id}`)
              for (const timer of step.timers.set) yield* arm(handle, timer.id, timer.delay_ms)
            }),
          lookAfter: (delayMillis) => arm(handle, "look", delayMillis),
          moved: (hosts) => touchWaiting(hosts, handle.job.number)
        })

        const life = Effect.fnUntraced(function* (handle: JobHandle) {
          for (const timer of handle.job.timers) yield* arm(handle, timer.id, Math.max(0, timer.remaining_ms))
          const resumed: JobEvent = { type: "resumed", at: yield* clock.now }
          Queue.offerUnsafe(handle.mailbox, resumed)
          yield* runJob(handle, environmentOf(handle))
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
            standings: new Map(),
            handing: new Set(),
            changed: null,
            judgedUnder: ""
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

        const takeUp = Effect.gen(function* () {
          const jobs = yield* readOpenJobs.pipe(Effect.provideService(SqlClient.SqlClient, sql))
          for (const job of jobs) if (!handles.has(job.id)) yield* start(job)
        })
        const wake = Effect.andThen(takeUp, wakeWaiting)

        const wakeJob = Effect.fnUntraced(function* (id: JobId) {
          const handle = handles.get(id)
          if (handle !== undefined) return touch(handle, "all")
          const job = yield* readJob(id).pipe(Effect.provideService(SqlClient.SqlClient, sql))
          if (job !== undefined && !handles.has(id)) yield* start(job)
        })

        hosts.onCommitted((host, event, commands) => {
          const { order } = host.snapshot.context
          if (order !== null) jobOf.set(order.id, order.job_id)
          const ended = commands.find((command) => command.kind === "Ended")
          if (event.type === "order" && order !== null) {
            const owner = handles.get(order.job_id)
            if (owner !== undefined) touch(owner)
          }
          if (ended !== undefined) {
            const owner = jobOf.get(ended.outcome.order_id)
            jobOf.delete(ended.outcome.order_id)
            // An owner from before this worker is among all. A host whose window closed is in line again.
            for (const handle of handles.values()) {
              if (owner === undefined || handle.job.id === owner) touch(handle, [host.id])
            }
          }
          // A host that is free again, taken, leaving or settled by somebody is another one for whoever waits for it.
          if (!event.type.startsWith("poll.") || ended !== undefined) touchWaiting([host.id])
          // A host that was done and is away counts against the limit of its job.
          else if (event.type === "poll.failed") {
            for (const handle of handles.values()) if (handle.job.max_failed !== null) touch(handle)
          }
          // The host moved again after its job had ended.
          if (order === null || handles.has(order.job_id)) return Effect.void
          return wakeJob(order.job_id).pipe(
            Effect.catch((error) => Effect.logWarning("A job could not be read; tried again", error))
          )
        })
        hosts.onLoaded((host) => Effect.sync(() => touchWaiting([host.id])))

        yield* Effect.gen(function* () {
          const timer = timers.get(yield* due.take)
          if (timer === undefined || handles.get(timer.handle.job.id) !== timer.handle) return
          if (timer.id === "look") return touch(timer.handle)
          const at = yield* clock.now
          Queue.offerUnsafe(timer.handle.mailbox, { type: timer.id as `xstate.after.${string}`, at })
        }).pipe(Effect.forever, Effect.forkScoped)

        const catchesUp = !(yield* DisabledGuards).has("catch_up_read")
        let rounds = 0
        const catchUp = Effect.suspend(() =>
          Effect.andThen(takeUp, ++rounds % ROUNDS_PER_JUDGEMENT === 0 ? wakeWaiting : lookAll)
        )
        yield* (catchesUp ? catchUp : Effect.void).pipe(
          Effect.catch((error) => Effect.logWarning("Open jobs could not be read; tried again", error)),
          Effect.repeat(Schedule.spaced("5 seconds")),
          Effect.delay("5 seconds"),
          Effect.forkScoped
        )

        return { wake, wakeWaiting, wakeJob, fenced: Deferred.await(fence) }
      })
    )
}
