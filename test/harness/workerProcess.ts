/** A worker as a process of its own, for tests that kill it. Options come as JSON in WORKER_OPTIONS. */
import { Effect, Layer, Logger, Redacted } from "effect"
import { Failpoint, type FailpointName, killAt } from "#actors/hosts/Failpoint.ts"
import { DisabledGuards, type GuardName } from "#actors/hosts/Guards.ts"
import { HostSteps } from "#actors/hosts/HostSteps.ts"
import type { WorkerSettingsShape } from "#actors/hosts/WorkerSettings.ts"
import type { AgentClientOptions } from "#actors/agent/AgentClient.ts"
import { worker } from "#deploy/layers.ts"
import { makeHostMachine } from "#machines/hostMachine.ts"
import { makeHostStep } from "#machines/step.ts"
import type { Tuning } from "#machines/Tuning.ts"
import { type Mutation, mutations } from "#test/machines/mutations.ts"

export interface WorkerProcessOptions {
  readonly url: string
  readonly secretsDir: string
  readonly settings: Partial<WorkerSettingsShape>
  readonly client: Partial<AgentClientOptions>
  readonly tuning: Partial<Tuning>
  readonly failpoint?: FailpointName
  /** A machine with one of its safeguards taken out. */
  readonly mutation?: Mutation
  readonly withoutGuards: ReadonlyArray<GuardName>
}

const options: WorkerProcessOptions = JSON.parse(process.env["WORKER_OPTIONS"] ?? "{}")
const { failpoint } = options

process.on("disconnect", () => process.exit(1))

const main = worker(
  {
    databaseUrl: Redacted.make(options.url),
    secretsDir: options.secretsDir,
    agentConcurrency: 64,
    settings: options.settings,
    client: options.client
  },
  Effect.sync(() => void process.send?.({ type: "ready" }))
).pipe(
  Effect.provideService(
    HostSteps,
    options.mutation === undefined
      ? makeHostStep(makeHostMachine({ tuning: options.tuning }))
      : mutations[options.mutation](options.tuning)
  ),
  Effect.provideService(DisabledGuards, new Set(options.withoutGuards)),
  failpoint === undefined ? (self) => self : Effect.provideService(Failpoint, killAt(failpoint)),
  Effect.provide(process.env["TEST_LOG"] ? Layer.empty : Logger.layer([]))
)

Effect.runFork(main).addObserver((exit) => {
  process.exit(exit._tag === "Success" ? 0 : 1)
})
