/**
 * The worker as a whole: takes the lease, loads the hosts, polls, listens, and stops when it is fenced off.
 * Two workers never write at the same time: the session lock lets one in, and the epoch refuses what a frozen one still sends.
 */
import { Effect } from "effect"
import { beatForever } from "../housekeeping/Heartbeat.ts"
import { recordComplianceForever } from "../housekeeping/Compliance.ts"
import { pruneForever } from "../housekeeping/Pruner.ts"
import { HostSupervisor } from "../hosts/HostSupervisor.ts"
import { makePoller } from "../hosts/Poller.ts"
import { WorkerSettings } from "../hosts/WorkerSettings.ts"
import { JobSupervisor } from "../jobs/JobSupervisor.ts"
import { listenForWakes } from "./WakeListener.ts"

/** Runs until interrupted or fenced; `ready` is told once hosts are loaded and polled. */
export const runWorker = Effect.fnUntraced(function* (
  lease: { readonly id: string; readonly epoch: number },
  ready: Effect.Effect<void>
) {
  const supervisor = yield* HostSupervisor
  const jobs = yield* JobSupervisor
  const settings = yield* WorkerSettings
  yield* Effect.forkScoped(beatForever({ ...lease, pid: process.pid, programVersion: settings.programVersion }))
  const polls = yield* makePoller
  const count = yield* supervisor.hydrate
  yield* Effect.logInfo(`Worker took over with epoch ${lease.epoch} and ${count} hosts`)
  yield* listenForWakes(polls)
  yield* Effect.forkScoped(recordComplianceForever)
  yield* Effect.forkScoped(pruneForever)
  yield* ready
  return yield* Effect.raceFirst(supervisor.fenced, jobs.fenced)
})
