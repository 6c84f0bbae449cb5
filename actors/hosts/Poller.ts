/**
 * Looks at every host in its turn: health every five minutes, patches and system facts every thirty, each a little earlier or
 * later so that they spread. A failed look is repeated after 1, 5 and 30 minutes. A refresh looks at once and at everything.
 * Only a look that changes something reaches the host's machine; the others just move "last seen".
 */
import { Effect, Queue, Random } from "effect"
import type { HostId } from "#core/Ids.ts"
import { olderThanLeft } from "#machines/olderThanLeft.ts"
import { AgentClient } from "../agent/AgentClient.ts"
import { installedVersions } from "../agent/decode/packages.ts"
import type { AgentFailure } from "../agent/AgentFailure.ts"
import { type HostReading, readInventory } from "../agent/readHost.ts"
import { makeAgentClocks } from "./AgentClocks.ts"
import { type DueQueue, makeDueQueue, monotonicMillis } from "./DueQueue.ts"
import type { HostHandle } from "./HostHandle.ts"
import { keepReading } from "./HostInterpreter.ts"
import { HostSupervisor } from "./HostSupervisor.ts"
import { PollWriter } from "./PollWriter.ts"
import { WorkerSettings, type WorkerSettingsShape } from "./WorkerSettings.ts"

/** Asks for a look at these hosts now, at everything they have. */
export interface Polls {
  readonly refresh: (id: HostId) => Effect.Effect<void>
  /** Spreads the next polls of all hosts anew over one interval, after the interval has become shorter. */
  readonly respread: Effect.Effect<void>
}

const jittered = (millis: number) => Effect.map(Random.next, (spread) => millis * (0.9 + 0.2 * spread))

const isDue = (readAt: number | null, now: number, interval: number) =>
  readAt === null || now - readAt >= interval * 0.95

/** A host whose packages are older than its last order left them has been set back by somebody. */
const tellIfOlder = Effect.fnUntraced(function* (host: HostHandle, { facts, packages }: HostReading) {
  const { context } = host.snapshot
  if (packages === null || context.outcome === null) return
  const older = olderThanLeft(context, installedVersions(packages, facts.packageFormat), facts.packageFormat)
  if (older.length === 0) return
  const supervisor = yield* HostSupervisor
  yield* supervisor.tell(host.id, { type: "inventory.older", order_id: context.outcome.order_id, packages: older })
})

/** System facts and patches, and the package list too when the patches changed, daily, or on request. */
const readRest = Effect.fnUntraced(function* (
  host: HostHandle,
  agentVersion: string | null,
  full: boolean,
  settings: WorkerSettingsShape
) {
  const client = yield* AgentClient
  const now = yield* monotonicMillis
  if (!full && !isDue(host.patchesReadAt, now, settings.patchIntervalMillis)) return
  const withPackages = full || isDue(host.packagesReadAt, now, settings.packagesIntervalMillis)
  const reading = yield* readInventory(client, host.target, agentVersion, withPackages)
  const { patchesChanged } = yield* keepReading(host, reading)
  yield* tellIfOlder(host, reading)
  if (patchesChanged && !withPackages) {
    const packages = yield* client.packages(host.target)
    const rest: HostReading = { ...reading, patches: null, packages }
    yield* keepReading(host, rest)
    yield* tellIfOlder(host, rest)
  }
})

const poll = Effect.fnUntraced(function* (
  host: HostHandle,
  due: DueQueue<HostId>,
  compareClock: Effect.Success<typeof makeAgentClocks>
) {
  const client = yield* AgentClient
  const supervisor = yield* HostSupervisor
  const writer = yield* PollWriter
  const settings = yield* WorkerSettings
  const full = host.fullReadWanted
  host.fullReadWanted = false
  // What a refresh during this poll asks for may have been read before it, and an actor that started meanwhile heard nothing.
  const comeAgain = (millis: number) => {
    const now = supervisor.handles.get(host.id) ?? host
    return due.set(host.id, now.fullReadWanted ? 0 : now === host ? millis : settings.retryMillis[0]!)
  }

  const answered = Effect.fnUntraced(function* (health: Effect.Success<ReturnType<typeof client.health>>) {
    yield* supervisor.tell(host.id, {
      type: "poll.ok",
      health: health.health,
      reason: health.reason,
      uptime_seconds: health.uptime_seconds
    })
    const failure = yield* readRest(host, health.agent_version, full, settings).pipe(
      Effect.as(null),
      // Else the next poll, for which the list is not due yet, would call all well.
      Effect.tapError(() => Effect.sync(() => void (host.patchesReadAt = null))),
      Effect.catchTag("SqlError", (error) =>
        Effect.as(Effect.logWarning("What the host answered could not be stored; it is read again", error), null)
      ),
      Effect.catch((error) => Effect.succeed({ kind: error.kind, message: error.message }))
    )
    const next = failure === null ? yield* jittered(settings.healthIntervalMillis) : settings.retryMillis[1]!
    yield* comeAgain(next)
    yield* compareClock(host.id, health.told_at).pipe(
      Effect.catch((error) => Effect.logWarning("What the agent's clock says could not be stored", error))
    )
    yield* writer.seen({
      hostId: host.id,
      health: health.health,
      reason: health.reason,
      uptimeSeconds: health.uptime_seconds,
      agentVersion: health.agent_version,
      nextPollMillis: next,
      failure,
      announce: full || failure !== null
    })
  })

  const missed = Effect.fnUntraced(function* (failure: AgentFailure) {
    const wait = settings.retryMillis[Math.min(host.snapshot.context.misses, settings.retryMillis.length - 1)]!
    // Who asks for patience is there, and our own certificate is not their silence; only silence counts as a miss.
    if (failure.kind !== "rate_limited" && failure.kind !== "manager_certificate_expired") {
      yield* supervisor.tell(host.id, { type: "poll.failed", kind: failure.kind, message: failure.message })
    }
    const next = Math.max(yield* jittered(wait), failure.retry_after_ms ?? 0)
    yield* comeAgain(next)
    yield* writer.missed({ hostId: host.id, kind: failure.kind, message: failure.message, nextPollMillis: next })
  })

  yield* client.health(host.target).pipe(Effect.matchEffect({ onSuccess: answered, onFailure: missed }))
})

/** Health, system information, patches and packages. */
const CALLS_OF_A_FULL_POLL = 4
const CALLS_AT_ONCE = 40

/** How many milliseconds too early so many calls would be; a few may come at once after a quiet moment. */
const makePace = (atOnce: number) => {
  let free = atOnce
  let last = 0
  return (now: number, calls: number, perSecond: number): number => {
    free = Math.min(atOnce, free + ((now - last) * perSecond) / 1000) - calls
    last = now
    return free < 0 ? (-free * 1000) / perSecond : 0
  }
}

/** Starts the polls of all hosts that the supervisor holds or loads later. */
export const makePoller = Effect.gen(function* () {
  const supervisor = yield* HostSupervisor
  const settings = yield* WorkerSettings
  const due = yield* makeDueQueue<HostId>()
  const turns = yield* Queue.bounded<HostHandle>(settings.pollers)
  const polling = new Set<HostId>()
  const compareClock = yield* makeAgentClocks
  const pace = makePace(CALLS_AT_ONCE)
  let overdue = 0

  supervisor.onLoaded((host, stored) =>
    Effect.gen(function* () {
      const remaining = stored.next_poll_ms
      // A host never polled goes first; after a long stop the overdue ones are spread, not all at once.
      // A host that is loaded again, since it was edited or got a certificate, keeps the look that somebody asked for.
      const wait =
        host.fullReadWanted || remaining === null
          ? 0
          : remaining > 0
            ? remaining
            : (1000 * overdue++) / settings.startPollsPerSecond
      yield* due.set(host.id, Math.min(wait, settings.retryMillis.at(-1)!))
    })
  )

  yield* Effect.gen(function* () {
    const host = supervisor.handles.get(yield* due.take)
    if (host === undefined) return
    const now = yield* monotonicMillis
    const all = host.fullReadWanted || isDue(host.patchesReadAt, now, settings.patchIntervalMillis)
    const ahead = pace(now, all ? CALLS_OF_A_FULL_POLL : 1, settings.pollCallsPerSecond)
    if (ahead > 0) yield* Effect.sleep(ahead)
    yield* Queue.offer(turns, host)
  }).pipe(Effect.forever, Effect.forkScoped)

  const turn = Effect.gen(function* () {
    const host = yield* Queue.take(turns)
    // The poll under way sees to what is asked for meanwhile, unless it is nearly over.
    if (polling.has(host.id)) return yield* due.set(host.id, 250)
    polling.add(host.id)
    yield* poll(host, due, compareClock).pipe(
      Effect.catchCause((cause) =>
        Effect.andThen(Effect.logError("A poll broke off", cause), due.set(host.id, settings.retryMillis[0]!))
      ),
      Effect.ensuring(Effect.sync(() => polling.delete(host.id))),
      Effect.annotateLogs({ module: "hosts", host_id: host.id })
    )
  })
  yield* Effect.forEach(Array.from({ length: settings.pollers }), () => turn.pipe(Effect.forever, Effect.forkScoped), {
    discard: true
  })

  const polls: Polls = {
    refresh: (id) =>
      Effect.suspend(() => {
        const host = supervisor.handles.get(id)
        if (host === undefined) return Effect.void
        host.fullReadWanted = true
        return due.set(id, 0)
      }),
    respread: Effect.suspend(() =>
      Effect.forEach(
        supervisor.handles.keys(),
        (id) => Effect.flatMap(Random.next, (spread) => due.set(id, spread * settings.healthIntervalMillis)),
        { discard: true }
      )
    )
  }
  return polls
})
