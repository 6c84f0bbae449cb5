/**
 * The life of one job in the worker: look at where its hosts stand, step, commit, and offer what is still queued.
 * It knows nothing but rows, so a lost or doubled hint costs a look and nothing else.
 */
import { Effect, Queue } from "effect"
import type { OrderId } from "#core/Ids.ts"
import type { JobEvent } from "#core/JobEvent.ts"
import type { JobCommand } from "#core/JobCommand.ts"
import { type Order, orderDefaults } from "#core/Order.ts"
import { jobMachineVersion } from "#machines/jobMachine.ts"
import { jobStateOf, type JobSnapshot, jobStep } from "#machines/jobStep.ts"
import type { Step } from "#machines/makeStep.ts"
import {
  commitJob,
  endQueuedOrders,
  lookAtJob,
  readOpenOrders,
  type JobLook,
  type StoredJob
} from "#sql/JobSnapshotStore.ts"
import { DatabaseClock } from "../hosts/DatabaseClock.ts"
import { monotonicMillis } from "../hosts/DueQueue.ts"
import { HostSteps } from "../hosts/HostSteps.ts"
import { Fenced, HostSupervisor } from "../hosts/HostSupervisor.ts"

export interface JobHandle {
  readonly job: StoredJob
  snapshot: JobSnapshot
  version: number
  readonly mailbox: Queue.Queue<JobEvent | "look">
  /** Orders handed to their hosts whose rows have not moved yet, and when. */
  readonly offered: Map<OrderId, number>
  /** Orders that no host had taken at the last look. */
  waiting: number
}

const OFFER_HOLDS_MILLIS = 10_000

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
    timersCancelled: step.timers.cancelled
  })
  if (!written) return yield* new Fenced()
  handle.version += 1
  handle.snapshot = step.snapshot
})

const orderOf = (job: StoredJob, id: OrderId): Order => ({
  ...orderDefaults,
  id,
  job_id: job.id,
  kind: job.kind,
  selection: job.selection,
  reboot: job.reboot,
  reboot_delay_seconds: job.reboot_delay_seconds,
  closes_at: null
})

/** Hands queued orders to their hosts, as many as the job may have open at once. */
const offer = Effect.fnUntraced(function* (handle: JobHandle, { counts, queued }: JobLook) {
  const supervisor = yield* HostSupervisor
  const steps = yield* HostSteps
  const clock = yield* DatabaseClock
  const { job, offered } = handle
  if (queued.length === 0) return
  const now = yield* monotonicMillis
  const waiting = new Set(queued.map((order) => order.id))
  for (const [id, at] of offered) if (!waiting.has(id) || now - at > OFFER_HOLDS_MILLIS) offered.delete(id)
  let room = job.max_concurrency - counts.open - counts.uncertain - offered.size
  const lost: Array<OrderId> = []
  for (const order of queued) {
    const host = supervisor.handles.get(order.host_id)
    if (order.lost) lost.push(order.id)
    // A host that starts again or is new here is offered its order at a later look.
    if (order.lost || host === undefined || room <= 0 || offered.has(order.id)) continue
    const event = { type: "order" as const, order: orderOf(job, order.id), by: job.requested_by }
    if (!steps.canTake(host.snapshot, { ...event, at: yield* clock.now })) continue
    room--
    offered.set(order.id, now)
    yield* supervisor.tell(order.host_id, event)
  }
  if (lost.length === 0) return
  yield* endQueuedOrders(job.id, lost, "failed", "The host was removed or is parked, so nothing was sent to it.")
  Queue.offerUnsafe(handle.mailbox, "look")
})

const cancelRest = Effect.fnUntraced(function* (handle: JobHandle, by: string) {
  const supervisor = yield* HostSupervisor
  const { job } = handle
  const { queued } = yield* lookAtJob(job.id)
  const ids = queued.map((order) => order.id)
  yield* endQueuedOrders(job.id, ids, "cancelled", "Cancelled before anything was sent to the host.")
  for (const order of yield* readOpenOrders(job.id)) {
    yield* supervisor.tell(order.host_id, { type: "cancel", order_id: order.id, by })
  }
})

const take = Effect.fnUntraced(function* (
  handle: JobHandle,
  epoch: number,
  event: JobEvent,
  setTimers: (step: Step<JobSnapshot, JobCommand>) => Effect.Effect<void>
) {
  if (!jobStep.canTake(handle.snapshot, event)) return
  const next = yield* Effect.fromResult(jobStep.step(handle.snapshot, event))
  if (!next.changed) return
  yield* commit(handle, epoch, event, next)
  yield* setTimers(next)
  for (const command of next.commands) {
    if (command.kind === "CancelOrders") yield* cancelRest(handle, command.by)
    if (command.kind === "Alarm") yield* Effect.logWarning(command.message)
  }
})

/** Runs until the job has ended. */
export const runJob = Effect.fnUntraced(function* (
  handle: JobHandle,
  epoch: number,
  setTimers: (step: Step<JobSnapshot, JobCommand>) => Effect.Effect<void>
) {
  const clock = yield* DatabaseClock
  while (!handle.snapshot.hasTag("rest")) {
    const mail = yield* Queue.takeAll(handle.mailbox)
    for (const event of mail) if (event !== "look") yield* take(handle, epoch, event, setTimers)
    const look = yield* lookAtJob(handle.job.id)
    handle.waiting = look.queued.length
    const at = yield* clock.now
    // First of all: somebody waits for the hosts, nobody for the job's own bookkeeping.
    if (look.cancel_requested_by === null && handle.snapshot.context.cancel_asked === null) yield* offer(handle, look)
    yield* take(handle, epoch, { type: "start", at, by: handle.job.requested_by }, setTimers)
    if (look.cancel_requested_by !== null) {
      yield* take(handle, epoch, { type: "cancel", at, by: look.cancel_requested_by }, setTimers)
    }
    yield* take(handle, epoch, { type: "counts", at, counts: look.counts }, setTimers)
    // Hosts of one job end in bursts; one look serves them all.
    yield* Effect.sleep("50 millis")
  }
})

/** The job's machine where the database left it. */
export const restoreJob = (job: StoredJob) => jobStep.restore(job)
