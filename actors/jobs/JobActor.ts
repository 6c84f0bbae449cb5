/**
 * The life of one job in the worker: look at where its hosts stand, step, commit, and hand out what may start.
 * It knows nothing but rows, so a lost or doubled hint costs a look and nothing else.
 */
import { Effect, Queue } from "effect"
import type { HostId } from "#core/Ids.ts"
import type { JobCounted, JobEvent } from "#core/JobEvent.ts"
import { isJobCall, type JobCommand, type JobRecord } from "#core/JobCommand.ts"
import { jobMachineVersion } from "#machines/jobMachine.ts"
import { jobStateOf, type JobSnapshot, jobStep } from "#machines/jobStep.ts"
import type { Step } from "#machines/makeStep.ts"
import {
  commitJob,
  finishAgain,
  type JobLook,
  lookAtJob,
  readOpenOrders,
  readResumer,
  type StoredJob
} from "#sql/JobSnapshotStore.ts"
import { DatabaseClock } from "../hosts/DatabaseClock.ts"
import { reach } from "../hosts/Failpoint.ts"
import { Fenced, HostSupervisor } from "../hosts/HostSupervisor.ts"
import { dispatch } from "./dispatch.ts"
import { type JobHandle, touch } from "./JobHandle.ts"

export interface JobActorEnvironment {
  readonly epoch: number
  readonly setTimers: (step: Step<JobSnapshot, JobCommand>) => Effect.Effect<void>
  /** Makes the job look again after so many milliseconds; replaces an earlier wish. */
  readonly lookAfter: (delayMillis: number) => Effect.Effect<void>
  /** Tells younger jobs that wait for these hosts. */
  readonly moved: (hosts: ReadonlyArray<HostId>) => void
}

/** Hosts of one job end in bursts; one look serves them all. */
const LOOKS_APART = "50 millis"
/** The calendar's own clock is not trusted further than this. */
const LONGEST_SLEEP_MILLIS = 60_000

const isRecord = (command: JobCommand): command is JobRecord => !isJobCall(command)

const commit = Effect.fnUntraced(function* (
  handle: JobHandle,
  epoch: number,
  event: JobEvent,
  step: Step<JobSnapshot, JobCommand>
) {
  const { value, context } = jobStep.persist(step.snapshot)
  const written = yield* commitJob(epoch, {
    jobId: handle.job.id,
    machineVersion: jobMachineVersion,
    was: handle.version,
    from: jobStateOf(handle.snapshot),
    to: jobStateOf(step.snapshot),
    value,
    context,
    event,
    ended: step.snapshot.hasTag("rest"),
    timersSet: step.timers.set,
    timersCancelled: step.timers.cancelled,
    records: step.commands.filter(isRecord)
  })
  if (!written) return yield* new Fenced()
  handle.version += 1
  handle.snapshot = step.snapshot
})

/** Orders that have not started are ended by the dispatcher. */
const cancelOpen = Effect.fnUntraced(function* (handle: JobHandle, by: string) {
  const supervisor = yield* HostSupervisor
  for (const order of yield* readOpenOrders(handle.job.id)) {
    yield* supervisor.tell(order.host_id, { type: "cancel", order_id: order.id, by })
  }
})

const take = Effect.fnUntraced(function* (handle: JobHandle, event: JobEvent, environment: JobActorEnvironment) {
  if (!jobStep.canTake(handle.snapshot, event)) return
  const next = yield* Effect.fromResult(jobStep.step(handle.snapshot, event))
  if (!next.changed) return
  const decides = next.commands.some((command) => command.kind === "Stopped" || command.kind === "WavePassed")
  if (decides) yield* reach("job_decision_pending")
  yield* commit(handle, environment.epoch, event, next)
  if (decides) yield* reach("job_decision_written")
  yield* environment.setTimers(next)
  for (const command of next.commands) {
    if (command.kind === "CancelOrders") yield* cancelOpen(handle, command.by)
    // A look that led to this has just judged what it concerns.
    if (command.kind === "OfferOrders" && event.type !== "counts") touch(handle, "all")
    if (command.kind === "Alarm") yield* Effect.logWarning(command.message)
    if (command.kind === "Stopped") yield* Effect.logWarning(`The job stops: ${command.reason}`)
  }
})

/** What people want, as its row says it. */
const wishOf = Effect.fnUntraced(function* (handle: JobHandle, look: JobLook, at: number) {
  const { cancel_asked, paused_by } = handle.snapshot.context
  const event = (type: "cancel" | "pause" | "resume", by: string): JobEvent => ({ type, at, by })
  if (look.cancel_requested_by !== null)
    return cancel_asked === null ? event("cancel", look.cancel_requested_by) : undefined
  if (look.paused_by !== null) return paused_by === null ? event("pause", look.paused_by) : undefined
  return paused_by === null ? undefined : event("resume", yield* readResumer(handle.job.id))
})

const lookAround = Effect.fnUntraced(function* (handle: JobHandle, environment: JobActorEnvironment) {
  const clock = yield* DatabaseClock
  const { job } = handle
  const handedBefore = handle.handing.size
  const look = yield* lookAtJob(job.id)
  const at = yield* clock.now
  const counted: JobCounted = {
    type: "counts",
    at,
    counts: look.counts,
    unresolved: look.unresolved,
    unhealthy: look.unhealthy,
    max_failed: job.max_failed,
    wave: look.wave,
    startable: null,
    next_at: handle.snapshot.context.next_at
  }
  const wish = yield* wishOf(handle, look, at)
  if (wish !== undefined) yield* take(handle, wish, environment)
  // What decides about starting comes before it; without such a decision somebody waits for the hosts first of all.
  if (job.max_failed !== null || job.has_waves) yield* take(handle, counted, environment)
  const { startable, next_at, look_at, moved, ended } = yield* dispatch(handle, look, handedBefore)
  if (moved.length > 0) environment.moved(moved)
  if (look_at !== null) yield* environment.lookAfter(Math.min(LONGEST_SLEEP_MILLIS, Math.max(0, look_at - at) + 5))
  if (ended) touch(handle)
  else yield* take(handle, { ...counted, startable, next_at }, environment)
})

/** Runs until the job has ended. */
export const runJob = Effect.fnUntraced(function* (handle: JobHandle, environment: JobActorEnvironment) {
  const wasOver = handle.snapshot.hasTag("rest")
  do {
    const mail = yield* Queue.takeAll(handle.mailbox)
    for (const event of mail) if (event !== "look") yield* take(handle, event, environment)
    yield* lookAround(handle, environment)
    yield* Effect.sleep(LOOKS_APART)
  } while (!handle.snapshot.hasTag("rest"))
  if (wasOver) yield* finishAgain(handle.job.id)
})

/** The job's machine where the database left it. */
export const restoreJob = (job: StoredJob) => jobStep.restore(job)
