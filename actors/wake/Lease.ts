/**
 * Who is the worker. One process holds the lease and renews it; a standby takes over when the holder's session ends, or when
 * its renewals stop for 15 s by the standby's own steady clock, whatever any wall clock says.
 */
import { Clock, Deferred, Effect, Schedule, Semaphore } from "effect"
import { SqlClient } from "effect/sql"
import {
  beat,
  blameOrder,
  endLockHolder,
  markBegun,
  type Lease as StoredLease,
  openLockSession,
  readLease,
  releaseLease,
  renewLease,
  takeLease
} from "#sql/WorkerStore.ts"
import type { OrderId } from "#core/Ids.ts"
import { monotonicMillis } from "../hosts/DueQueue.ts"
import { Fenced } from "../hosts/HostSupervisor.ts"
import type { Lease } from "../hosts/LeaseHeld.ts"

export interface WorkerIdentity {
  /** Made anew at each start: a cloned machine is another worker. */
  readonly id: string
  readonly pid: number
  readonly programVersion: string
}

interface Acquired {
  readonly epoch: number
  /** The worker before died, and some order may be why. */
  readonly suspects: boolean
}

const TAKEOVER_MILLIS = 15_000
const BEAT_MILLIS = 30_000
const RENEW_EVERY = "3 seconds"
/** Below the takeover time, so that a worker that was frozen sends nothing between waking up and finding out. */
const TRUSTED_MILLIS = 10_000

/** Waits until the lease is this worker's, and answers its epoch and whether some order is suspected. Needs a scope: the lock lives as long. */
export const acquireLease = Effect.fnUntraced(function* (worker: WorkerIdentity) {
  const session = yield* openLockSession
  let seen: StoredLease | undefined
  let seenAt = 0
  let beatAt = Number.NEGATIVE_INFINITY
  let announced = false
  const standBy = Effect.gen(function* () {
    const now = yield* monotonicMillis
    const lease = yield* readLease
    if (seen === undefined || lease.epoch !== seen.epoch || lease.renewals !== seen.renewals) {
      seen = lease
      seenAt = now
    } else if (now - seenAt >= TAKEOVER_MILLIS) {
      yield* Effect.logWarning(`The worker ${lease.holder} has stopped renewing its lease; this one takes over`)
      yield* endLockHolder
      seenAt = now
    }
    if (!announced) yield* Effect.logInfo(`The worker ${lease.holder} is running; this one stands by`)
    announced = true
    if (now - beatAt < BEAT_MILLIS) return
    beatAt = now
    yield* beat({ ...worker, epoch: lease.epoch, role: "standby" })
  })
  const attempt = Effect.gen(function* () {
    if (yield* session.take) return true
    yield* standBy
    return yield* session.take
  })
  yield* attempt.pipe(Effect.repeat({ until: (taken) => taken, schedule: Schedule.spaced("1 second") }))
  const { died, epoch } = yield* takeLease(worker.id)
  if (!died) return { epoch, suspects: false }
  const { poison, suspects } = yield* blameOrder
  if (poison !== null) yield* Effect.logError(poison)
  return { epoch, suspects }
})

const CAREFUL_MILLIS = 60_000
const BETWEEN_CALLS = "50 millis"

/** For a minute calls begin one after the other, and whose is written down: should this worker die too, it is known of what. */
const beginOneByOne = Effect.fnUntraced(function* (epoch: number) {
  const sql = yield* SqlClient.SqlClient
  const turn = yield* Semaphore.make(1)
  const until = (yield* monotonicMillis) + CAREFUL_MILLIS
  return Effect.fnUntraced(function* (order: OrderId) {
    if ((yield* monotonicMillis) > until) return
    yield* turn.take(1)
    yield* markBegun(epoch, order).pipe(
      Effect.provideService(SqlClient.SqlClient, sql),
      Effect.timeout("2 seconds"),
      Effect.catch((error) => Effect.logWarning("Whose call begins could not be written down", error)),
      Effect.ensuring(turn.release(1).pipe(Effect.delay(BETWEEN_CALLS), Effect.forkDetach))
    )
  })
})

/** Renews until it is told that another worker took over; `lease` says meanwhile whether it may be relied on. */
export const keepLease = Effect.fnUntraced(function* ({ epoch, suspects }: Acquired) {
  const lost = yield* Deferred.make<never, Fenced>()
  let renewedAt = yield* monotonicMillis
  yield* Effect.gen(function* () {
    const before = yield* monotonicMillis
    if (yield* renewLease(epoch)) renewedAt = before
    else yield* Deferred.fail(lost, new Fenced())
  }).pipe(
    Effect.timeout("5 seconds"),
    Effect.catch((error) => Effect.logWarning("The lease could not be renewed; tried again", error)),
    Effect.repeat(Schedule.spaced(RENEW_EVERY)),
    Effect.annotateLogs({ module: "lease" }),
    Effect.forkScoped
  )
  const sql = yield* SqlClient.SqlClient
  // Only a worker that is asked to stop gets here; one that dies does not, and the next one asks why.
  yield* Effect.addFinalizer(() =>
    releaseLease(epoch).pipe(
      Effect.provideService(SqlClient.SqlClient, sql),
      Effect.timeout("2 seconds"),
      Effect.catch((error) => Effect.logWarning("The lease could not be given back", error))
    )
  )
  const clock = yield* Clock.Clock
  const lease: Lease = {
    epoch,
    isHeld: () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6 - renewedAt < TRUSTED_MILLIS,
    begin: suspects ? yield* beginOneByOne(epoch) : () => Effect.void
  }
  return { lease, fenced: Deferred.await(lost) }
})
