/**
 * All hosts of this worker: loads them, runs one actor each, and restarts an actor alone when its step has a defect.
 * A host that cannot be read or keeps failing is parked with its reason; the others go on.
 */
import { Cause, Context, Data, Deferred, Effect, FiberMap, Layer, Option, Queue, Result, Schedule } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import type { HostCommand } from "#core/HostCommand.ts"
import type { HostEvent, HostFact } from "#core/HostEvent.ts"
import type { HostId } from "#core/Ids.ts"
import { parkHost, readHostPage, readHosts, type StoredHost } from "#sql/HostSnapshotStore.ts"
import type { AgentClient } from "../agent/AgentClient.ts"
import { Committer } from "./Committer.ts"
import { DatabaseClock } from "./DatabaseClock.ts"
import { monotonicMillis } from "./DueQueue.ts"
import { CommitRefused, type HostActorEnvironment, runHost } from "./HostActor.ts"
import { makeHostCalls } from "./HostCalls.ts"
import { type HostHandle, type Mail, targetOf } from "./HostHandle.ts"
import type { Tell } from "./HostInterpreter.ts"
import { HostSteps } from "./HostSteps.ts"
import { makeHostTimers } from "./HostTimers.ts"
import { WorkerSettings } from "./WorkerSettings.ts"

/** Another worker took over; this one has to stop at once. */
export class Fenced extends Data.TaggedError("Fenced") {
  override get message() {
    return "Another worker took over. This one stops and writes nothing more."
  }
}

const PAGE = 2_500
const RESTARTS_BEFORE_PARKING = 5
const RESTARTS_FORGOTTEN_MILLIS = 600_000

type LoadedListener = (host: HostHandle, stored: StoredHost) => Effect.Effect<void>
type CommittedListener = (
  host: HostHandle,
  event: HostEvent,
  commands: ReadonlyArray<HostCommand>
) => Effect.Effect<void>

export class HostSupervisor extends Context.Service<
  HostSupervisor,
  {
    readonly handles: ReadonlyMap<HostId, HostHandle>
    /** Loads every host and answers how many; called once, after the listeners are in place. */
    readonly hydrate: Effect.Effect<number, SqlError.SqlError>
    /** Takes up hosts that were registered or changed. */
    readonly load: (ids: ReadonlyArray<HostId>) => Effect.Effect<void, SqlError.SqlError>
    /** Hands an event to a host, stamped with database time; false where this worker does not have the host. */
    readonly tell: (id: HostId, fact: Parameters<Tell>[0]) => Effect.Effect<boolean>
    /** The same, and waits until the host has dealt with it; false where it did not within five seconds. */
    readonly deliver: (id: HostId, fact: Parameters<Tell>[0]) => Effect.Effect<boolean>
    /** Called for each host that was loaded or loaded anew. */
    readonly onLoaded: (listener: LoadedListener) => void
    readonly onCommitted: (listener: CommittedListener) => void
    /** Fails when this worker was fenced off. */
    readonly fenced: Effect.Effect<never, Fenced>
  }
>()("patch-manager/actors/HostSupervisor") {
  static readonly layer = Layer.effect(
    HostSupervisor,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const committer = yield* Committer
      const clock = yield* DatabaseClock
      const settings = yield* WorkerSettings
      const steps = yield* HostSteps
      const services = yield* Effect.context<AgentClient | DatabaseClock | SqlClient.SqlClient>()
      const handles = new Map<HostId, HostHandle>()
      const restarts = new Map<HostId, { readonly count: number; readonly at: number }>()
      const actors = yield* FiberMap.make<HostId>()
      const fence = yield* Deferred.make<never, Fenced>()
      const loaded: Array<LoadedListener> = []
      const committed: Array<CommittedListener> = []

      const tellHandle =
        (host: HostHandle): Tell =>
        (fact) =>
          Effect.map(clock.now, (at) => void Queue.offerUnsafe(host.mailbox, { event: { ...fact, at } as HostFact }))

      const timers = yield* makeHostTimers(clock.now)
      const calls = yield* makeHostCalls(services, tellHandle)
      const environment: HostActorEnvironment = {
        commit: committer.commit,
        timers,
        carryOut: calls.carryOut,
        committed: (host, event, commands) =>
          Effect.forEach(committed, (listener) => listener(host, event, commands), { discard: true })
      }

      const park = (id: HostId, reason: string) =>
        Effect.logError(`The host is parked: ${reason}`).pipe(
          Effect.andThen(parkHost(id, reason)),
          Effect.catch((error) => Effect.logError("Why the host is parked could not be stored", error)),
          Effect.provideService(SqlClient.SqlClient, sql),
          Effect.annotateLogs({ module: "hosts", host_id: id })
        )

      const restart = Effect.fnUntraced(function* (
        host: HostHandle,
        cause: Cause.Cause<unknown>
      ): Effect.fn.Return<void> {
        const now = yield* monotonicMillis
        const before = restarts.get(host.id)
        const count = before !== undefined && now - before.at < RESTARTS_FORGOTTEN_MILLIS ? before.count + 1 : 1
        restarts.set(host.id, { count, at: now })
        yield* Effect.logError("The host's actor ended and starts again from its stored state", cause).pipe(
          Effect.annotateLogs({ module: "hosts", host_id: host.id })
        )
        if (count > RESTARTS_BEFORE_PARKING) {
          const reason = Cause.squash(cause)
          return yield* park(
            host.id,
            `Its machine failed ${count} times: ${reason instanceof Error ? reason.message : reason}`
          )
        }
        yield* Effect.sleep(100 * 2 ** count)
        yield* load([host.id]).pipe(Effect.retry(Schedule.spaced("1 second")), Effect.orDie)
      })

      const ended = Effect.fnUntraced(function* (host: HostHandle, cause: Cause.Cause<unknown> | null) {
        // The handle goes last: while it is there, nobody loads the host a second time.
        yield* calls.breakOff(host)
        yield* timers.cancelAll(host)
        if (handles.get(host.id) === host) handles.delete(host.id)
        if (cause === null || Cause.hasInterruptsOnly(cause)) return
        const refused = Cause.squash(cause)
        if (refused instanceof CommitRefused && refused.result === "fenced") yield* Deferred.fail(fence, new Fenced())
        // In a fiber of its own: this one is the actor's, whose place the restarted actor takes.
        else yield* Effect.forkIn(restart(host, cause), scope)
      })
      const scope = yield* Effect.scope

      const start = Effect.fnUntraced(function* (stored: StoredHost): Effect.fn.Return<void> {
        const restored = steps.restore(stored)
        if (Result.isFailure(restored)) return yield* park(stored.id, restored.failure.message)
        const now = yield* monotonicMillis
        const host: HostHandle = {
          id: stored.id,
          target: targetOf(stored),
          snapshot: restored.success,
          version: stored.version,
          mailbox: yield* Queue.unbounded<Mail>(),
          patchesReadAt: stored.patches_age_ms === null ? null : now - stored.patches_age_ms,
          packagesReadAt: stored.packages_age_ms === null ? null : now - stored.packages_age_ms,
          fullReadWanted: false
        }
        handles.set(host.id, host)
        for (const timer of stored.timers) {
          // After a long stop the host is looked at before a deadline that passed meanwhile judges it.
          const delay = timer.remaining_ms < 0 ? settings.overdueGraceMillis : timer.remaining_ms
          yield* timers.set(host, timer.id, delay, timer.armed_version)
        }
        const resumed = { type: "resumed" as const, at: yield* clock.now }
        if (steps.canTake(host.snapshot, resumed)) Queue.offerUnsafe(host.mailbox, { event: resumed })
        yield* FiberMap.run(
          actors,
          host.id,
          runHost(host, environment).pipe(
            Effect.matchCauseEffect({
              onSuccess: () => ended(host, null),
              onFailure: (cause) => ended(host, cause)
            }),
            Effect.annotateLogs({ module: "hosts", host_id: host.id })
          )
        )
        yield* Effect.forEach(loaded, (listener) => listener(host, stored), { discard: true })
      })

      const load = Effect.fnUntraced(function* (ids: ReadonlyArray<HostId>) {
        const found = yield* readHosts(ids).pipe(Effect.provideService(SqlClient.SqlClient, sql))
        for (const stored of found) {
          const host = handles.get(stored.id)
          if (host === undefined) yield* start(stored)
          else {
            host.target = targetOf(stored)
            yield* Effect.forEach(loaded, (listener) => listener(host, stored), { discard: true })
          }
        }
      })

      const hydrate = Effect.gen(function* () {
        for (let after: HostId | null = null, count = 0; ;) {
          const page: ReadonlyArray<StoredHost> = yield* readHostPage(after, PAGE).pipe(
            Effect.provideService(SqlClient.SqlClient, sql)
          )
          yield* Effect.forEach(page, start, { discard: true })
          count += page.length
          after = page.at(-1)?.id ?? null
          if (page.length < PAGE) return count
        }
      })

      return {
        handles,
        hydrate,
        load,
        tell: Effect.fnUntraced(function* (id, fact) {
          const host = handles.get(id)
          if (host !== undefined) yield* tellHandle(host)(fact)
          return host !== undefined
        }),
        deliver: Effect.fnUntraced(function* (id, fact) {
          const host = handles.get(id)
          if (host === undefined) return false
          const handled = Deferred.makeUnsafe<void>()
          const event = { ...fact, at: yield* clock.now } as HostFact
          const mail: Mail = { event, handled: () => Deferred.doneUnsafe(handled, Effect.void) }
          Queue.offerUnsafe(host.mailbox, mail)
          return Option.isSome(yield* Effect.timeoutOption(Deferred.await(handled), "5 seconds"))
        }),
        onLoaded: (listener) => void loaded.push(listener),
        onCommitted: (listener) => void committed.push(listener),
        fenced: Deferred.await(fence)
      }
    })
  )
}
