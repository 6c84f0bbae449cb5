/**
 * A worker as a process of its own, for tests that kill, freeze or break it. Options come as JSON in WORKER_OPTIONS.
 * It runs as deploy/worker.ts does, with the test's failpoint and switches; its log goes to standard output, one JSON line each.
 */
import { Effect, Redacted } from "effect"
import type { AgentClientOptions } from "#actors/agent/AgentClient.ts"
import type { AgentGuard } from "#actors/agent/AgentGuard.ts"
import { Failpoint } from "#actors/hosts/Failpoint.ts"
import { DisabledGuards, type GuardName } from "#actors/hosts/Guards.ts"
import { HostSteps } from "#actors/hosts/HostSteps.ts"
import type { WorkerSettingsShape } from "#actors/hosts/WorkerSettings.ts"
import { worker } from "#deploy/layers.ts"
import { logLayer } from "#deploy/Log.ts"
import { runProcess } from "#deploy/runProcess.ts"
import { announceReady, superviseMe } from "#deploy/supervised.ts"
import type { Tuning } from "#machines/Tuning.ts"
import type { Mutation } from "#test/machines/mutations.ts"
import { type Breakage, breakAt } from "./failpoints.ts"
import { stepOf } from "./World.ts"

export interface WorkerProcessOptions {
  readonly url: string
  readonly secretsDir: string
  readonly settings: Partial<WorkerSettingsShape>
  readonly client: Partial<Omit<AgentClientOptions, "guardsOff">>
  readonly guardsOff: ReadonlyArray<AgentGuard>
  readonly tuning: Partial<Tuning>
  readonly failpoint?: Breakage
  /** A machine with one of its safeguards taken out. */
  readonly mutation?: Mutation
  readonly withoutGuards: ReadonlyArray<GuardName>
}

const options: WorkerProcessOptions = JSON.parse(process.env["WORKER_OPTIONS"] ?? "{}")
const { failpoint } = options
const log = { level: "info", format: "json" } as const

superviseMe()

runProcess(
  "worker",
  log,
  worker(
    {
      databaseUrl: Redacted.make(options.url),
      secretsDir: options.secretsDir,
      agentConcurrency: 64,
      settings: options.settings,
      client: { ...options.client, guardsOff: new Set(options.guardsOff) }
    },
    Effect.sync(announceReady)
  ).pipe(
    Effect.provideService(HostSteps, stepOf(options.tuning, options.mutation)),
    Effect.provideService(DisabledGuards, new Set(options.withoutGuards)),
    failpoint === undefined ? (self) => self : Effect.provideService(Failpoint, breakAt(failpoint)),
    Effect.provide(logLayer("worker", log))
  )
)
