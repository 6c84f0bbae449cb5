/** Carries out what a host's machine asks for and brings the answer back as an event. */
import { Effect, Latch, Stream } from "effect"
import { isActive } from "#core/AgentJob.ts"
import type { HostCall, HostChangeCall } from "#core/HostCommand.ts"
import type { HostFact } from "#core/HostEvent.ts"
import type { AgentJobId, OrderId } from "#core/Ids.ts"
import { sendableUntil } from "#machines/hostFacts.ts"
import {
  keepPackagesBefore,
  writeEffects,
  writePackages,
  writePatches,
  writeProgress,
  writeSystemFacts
} from "#sql/ObservationStore.ts"
import { AgentClient } from "../agent/AgentClient.ts"
import type { AgentFailure } from "../agent/AgentFailure.ts"
import { AgentLane } from "../agent/AgentSlots.ts"
import { RequestSent } from "../agent/RequestSent.ts"
import { SendCheck } from "../agent/SendCheck.ts"
import { type HostReading, readBaseline, readEvidence } from "../agent/readHost.ts"
import { raiseAlarm } from "#sql/AlarmStore.ts"
import { DatabaseClock } from "./DatabaseClock.ts"
import { monotonicMillis } from "./DueQueue.ts"
import { reach } from "./Failpoint.ts"
import type { HostHandle } from "./HostHandle.ts"
import { LeaseHeld } from "./LeaseHeld.ts"
import { WorkerSettings } from "./WorkerSettings.ts"

type Unstamped<E> = E extends { readonly at: number } ? Omit<E, "at"> : never
/** Hands an event to the host's mailbox; the time is added here. */
export type Tell = (fact: Unstamped<HostFact>) => Effect.Effect<void>

/** Everything read on the way to an answer is kept, so the host's page is never behind what decided. */
export const keepReading = Effect.fnUntraced(function* (host: HostHandle, reading: HostReading) {
  yield* writeSystemFacts(host.id, reading.facts)
  const changed = reading.patches === null ? false : yield* writePatches(host.id, reading.patches)
  if (reading.packages !== null) yield* writePackages(host.id, reading.packages)
  const now = yield* monotonicMillis
  if (reading.patches !== null) host.patchesReadAt = now
  if (reading.packages !== null) host.packagesReadAt = now
  return { patchesChanged: changed }
})

/** Before anything is sent the order's list of packages is kept; after each look what it changed so far. */
const keep = (host: HostHandle, reading: HostReading, when: "before" | "after") =>
  Effect.gen(function* () {
    yield* keepReading(host, reading)
    const { order, sends } = host.snapshot.context
    if (order === null || reading.packages === null) return
    yield* when === "before"
      ? keepPackagesBefore(order.id, reading.packages, sends)
      : writeEffects(order.id, reading.packages)
  }).pipe(
    Effect.catch((error) => Effect.logWarning("What the host answered could not be stored; it is read again", error))
  )

const unavailable = (call: number, failure: AgentFailure) =>
  ({
    type: "unavailable",
    call,
    kind: failure.kind,
    message: failure.message,
    retry_after_ms: failure.retry_after_ms
  }) as const

/** The call may have waited for its turn until the window closed: looked at once more right before the first byte. */
const windowWatch = Effect.fnUntraced(function* (host: HostHandle) {
  const until = sendableUntil(host.snapshot.context)
  if (until === null) return () => false
  const clock = yield* DatabaseClock
  const left = until - (yield* clock.now)
  const from = performance.now()
  return () => performance.now() - from > left
})

const mutate = Effect.fnUntraced(function* (
  host: HostHandle,
  intent: HostChangeCall["intent"],
  request: Effect.Effect<{ readonly job_id: AgentJobId }, AgentFailure>,
  tell: Tell
) {
  const sent = yield* Latch.make()
  const lease = yield* LeaseHeld
  const tooLate = yield* windowWatch(host)
  const watched = Effect.raceFirst(
    request.pipe(
      Effect.provideService(RequestSent, () => void sent.openUnsafe()),
      Effect.provideService(SendCheck, () => {
        if (!lease.isHeld()) return "This worker is not sure to be the only one; nothing was sent."
        return tooLate() ? "The maintenance window ran out while the call waited for its turn; nothing was sent." : null
      })
    ),
    sent.await.pipe(Effect.andThen(reach("call_sent")), Effect.andThen(Effect.never))
  )
  const answer = yield* watched.pipe(
    Effect.map(({ job_id }) => ({ type: "accepted", intent, job_id }) as const),
    Effect.catch((failure) =>
      Effect.succeed(
        failure.delivery === "refused"
          ? ({
              type: "refused",
              intent,
              code: failure.code ?? failure.kind,
              message: failure.message,
              retryable: failure.retryable,
              retry_after_ms: failure.retry_after_ms
            } as const)
          : ({ type: failure.delivery, intent, kind: failure.kind, message: failure.message } as const)
      )
    )
  )
  yield* reach("call_answered")
  yield* tell(answer)
})

const FLOOD =
  "The agent sent more than 100 events a second, so its event socket was closed and its job is asked about instead. Look at the agent's log on the host."

const watch = Effect.fnUntraced(function* (
  host: HostHandle,
  command: Extract<HostCall, { kind: "Watch" }>,
  orderId: OrderId | null,
  tell: Tell
) {
  const client = yield* AgentClient
  yield* client.watchJob(host.target, command.job_id).pipe(
    Stream.runForEach((seen) =>
      seen._tag === "Flooded"
        ? raiseAlarm("event_flood", FLOOD, host.id).pipe(
            Effect.catch((error) => Effect.logWarning("An alarm could not be stored", error))
          )
        : seen._tag === "Gone"
          ? tell({ type: "job.gone", call: command.call, job_id: command.job_id })
          : // The log has its own place; the transition keeps what decided.
            Effect.andThen(
              orderId === null
                ? Effect.void
                : writeProgress(orderId, { percent: seen.job.progress_percent, log: seen.job.logs }).pipe(
                    Effect.catch((error) => Effect.logWarning("The agent's log could not be stored", error))
                  ),
              (isActive(seen.job.status) ? Effect.void : reach("result_received")).pipe(
                Effect.andThen(tell({ type: "job", call: command.call, job: { ...seen.job, logs: [] } }))
              )
            )
    )
  )
})

const probe = Effect.fnUntraced(function* (host: HostHandle, tell: Tell) {
  const client = yield* AgentClient
  const settings = yield* WorkerSettings
  yield* client.health(host.target).pipe(
    Effect.map((health) => ({
      type: "poll.ok" as const,
      health: health.health,
      reason: health.reason,
      uptime_seconds: health.uptime_seconds
    })),
    Effect.catch((failure) =>
      Effect.succeed({ type: "poll.failed" as const, kind: failure.kind, message: failure.message })
    ),
    Effect.flatMap(tell),
    Effect.delay(settings.probeIntervalMillis),
    Effect.forever
  )
})

/** One command of the machine; ends with its answer, or runs until interrupted where it is a standing one. */
export const interpret = Effect.fnUntraced(
  function* (host: HostHandle, command: HostCall, tell: Tell) {
    const client = yield* AgentClient
    const clock = yield* DatabaseClock
    switch (command.kind) {
      case "ReadBaseline":
        return yield* readBaseline(client, host.target, command.selection, clock.now, command.services).pipe(
          Effect.tap(({ reading }) => keep(host, reading, "before")),
          Effect.flatMap(({ baseline }) => tell({ type: "baseline", call: command.call, baseline })),
          Effect.catch((failure) => tell(unavailable(command.call, failure)))
        )
      case "ReadEvidence": {
        const once = readEvidence(client, host.target, command.names, clock.now, command.services).pipe(
          Effect.tap(({ reading }) => keep(host, reading, "after")),
          Effect.flatMap(({ evidence }) => tell({ type: "evidence", call: command.call, evidence })),
          Effect.catch((failure) => tell(unavailable(command.call, failure)))
        )
        const { evidencePauseMillis } = yield* WorkerSettings
        return yield* command.standing ? Effect.forever(Effect.andThen(once, Effect.sleep(evidencePauseMillis))) : once
      }
      case "ReadJobs":
        return yield* client.jobs(host.target).pipe(
          Effect.flatMap((jobs) => tell({ type: "jobs", call: command.call, jobs })),
          Effect.catch((failure) => tell(unavailable(command.call, failure)))
        )
      case "Apply":
        return yield* mutate(host, command.intent, client.apply(host.target, { names: command.names }), tell)
      case "Install":
        return yield* mutate(host, command.intent, client.install(host.target, { packages: command.packages }), tell)
      case "Update":
        return yield* mutate(host, command.intent, client.update(host.target, command.name), tell)
      case "Remove":
        return yield* mutate(host, command.intent, client.remove(host.target, command.name), tell)
      case "Rollback":
        return yield* mutate(host, command.intent, client.rollback(host.target, command.job_id), tell)
      case "Reboot":
        return yield* mutate(
          host,
          command.intent,
          client.reboot(host.target, { delay_seconds: command.delay_seconds }),
          tell
        )
      case "Watch":
        return yield* watch(host, command, host.snapshot.context.order?.id ?? null, tell)
      case "Probe":
        return yield* probe(host, tell)
    }
  },
  Effect.provideService(AgentLane, "command")
)
