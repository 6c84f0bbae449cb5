/**
 * The worker as a whole: takes the lease, loads the hosts, polls, listens, and stops when it is fenced off.
 * Two workers never write at the same time: the session lock lets one in, and the epoch refuses what a frozen one still sends.
 */
import { Effect } from "effect"
import { SKEW_BLOCKS_MILLIS } from "#core/ClockSkew.ts"
import { AgentSlots } from "../agent/AgentSlots.ts"
import { AuditGuard } from "../audit/AuditGuard.ts"
import { beatForever } from "../housekeeping/Heartbeat.ts"
import { recordComplianceForever } from "../housekeeping/Compliance.ts"
import { pruneForever } from "../housekeeping/Pruner.ts"
import { retainForever } from "../housekeeping/Retention.ts"
import { followSettings } from "../housekeeping/RuntimeSettings.ts"
import { Scanner } from "../discovery/Scanner.ts"
import { DatabaseClock } from "../hosts/DatabaseClock.ts"
import { HostSupervisor } from "../hosts/HostSupervisor.ts"
import { makePoller } from "../hosts/Poller.ts"
import { WorkerSettings } from "../hosts/WorkerSettings.ts"
import { JobSupervisor } from "../jobs/JobSupervisor.ts"
import { recordMissed } from "../schedule/recordMissed.ts"
import { makeScheduler } from "../schedule/Scheduler.ts"
import type { WorkerIdentity } from "./Lease.ts"
import { listenForWakes } from "./WakeListener.ts"

/** Runs until interrupted or fenced; `ready` is told once hosts are loaded and polled. */
export const runWorker = Effect.fnUntraced(function* (
  lease: WorkerIdentity & { readonly epoch: number },
  ready: Effect.Effect<void>
) {
  const supervisor = yield* HostSupervisor
  const jobs = yield* JobSupervisor
  const scanner = yield* Scanner
  const worker = yield* WorkerSettings
  const slots = yield* AgentSlots
  const audit = yield* AuditGuard
  const clock = yield* DatabaseClock
  // Before the first look at a job, 5 s after the start.
  if (Math.abs(yield* clock.skew) < SKEW_BLOCKS_MILLIS) {
    yield* Effect.flatMap(clock.now, (now) => recordMissed(lease.epoch, now)).pipe(
      Effect.catch((error) => Effect.logWarning("Missed windows could not be written down", error))
    )
  }
  yield* Effect.forkScoped(beatForever({ ...lease, role: "active" }, clock.skew))
  const polls = yield* makePoller
  const count = yield* supervisor.hydrate
  yield* Effect.logInfo(`Worker took over with epoch ${lease.epoch} and ${count} hosts`)
  const settings = yield* followSettings({
    beneath: {
      health_interval_seconds: worker.healthIntervalMillis / 1000,
      patch_interval_seconds: worker.patchIntervalMillis / 1000,
      agent_concurrency: slots.limits.total
    },
    apply: (now, before) =>
      Effect.gen(function* () {
        worker.healthIntervalMillis = now.health_interval_seconds * 1000
        worker.patchIntervalMillis = now.patch_interval_seconds * 1000
        if (now.agent_concurrency !== before.agent_concurrency) slots.resize(now.agent_concurrency)
        if (now.health_interval_seconds < before.health_interval_seconds) yield* polls.respread
      })
  })
  const scheduler = yield* makeScheduler(lease.epoch)
  yield* listenForWakes(polls, {
    settings_changed: () => settings.changed,
    discovery_enqueued: () => scanner.wake,
    audit_verification: () => audit.wake,
    window_changed: () => scheduler.wake
  })
  yield* Effect.forkScoped(recordComplianceForever)
  yield* Effect.forkScoped(pruneForever)
  yield* Effect.forkScoped(retainForever(settings.current))
  yield* audit.start(settings.current)
  yield* ready
  return yield* Effect.raceFirst(supervisor.fenced, jobs.fenced)
})
