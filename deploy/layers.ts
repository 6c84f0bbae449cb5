/** The one place where layers are closed: what each process consists of. */
import { hostname } from "node:os"
import { Effect, Layer, Redacted, References } from "effect"
import { AgentClient, type AgentClientOptions } from "#actors/agent/AgentClient.ts"
import { AgentSlots } from "#actors/agent/AgentSlots.ts"
import { AgentTrust } from "#actors/agent/AgentTrust.ts"
import { Committer } from "#actors/hosts/Committer.ts"
import { DatabaseClock } from "#actors/hosts/DatabaseClock.ts"
import { HostSupervisor } from "#actors/hosts/HostSupervisor.ts"
import { PollWriter } from "#actors/hosts/PollWriter.ts"
import { defaultWorkerSettings, WorkerSettings, type WorkerSettingsShape } from "#actors/hosts/WorkerSettings.ts"
import { JobSupervisor } from "#actors/jobs/JobSupervisor.ts"
import { Authority } from "#actors/pki/Authority.ts"
import { runWorker } from "#actors/wake/Worker.ts"
import { layer as webServerLayer } from "#http/server/WebServer.ts"
import type { WebSettings } from "#http/server/WebSettings.ts"
import { layer as databaseLayer } from "#sql/Database.ts"
import { requireSchema, runMigrations } from "#sql/migrate.ts"
import { takeLease, waitForWorkerLock } from "#sql/WorkerStore.ts"

export interface WorkerOptions {
  readonly databaseUrl: Redacted.Redacted
  /** Folder with ca.pem, manager.pem and manager.key.pem. */
  readonly secretsDir: string
  readonly agentConcurrency: number
  readonly settings?: Partial<WorkerSettingsShape>
  readonly client?: Partial<AgentClientOptions>
}

/** Nobody collects spans yet, and making them costs a fifth of a request. */
const untraced = Effect.provideService(References.TracerEnabled, false)

/** A quarter of the slots stays free of polls, for what an operator waits for. */
const slots = (total: number) => ({ total, polls: Math.max(1, Math.floor((total * 3) / 4)) })

/** The whole worker, until it is interrupted or another worker takes over. */
export const worker = (options: WorkerOptions, ready: Effect.Effect<void>) =>
  Effect.gen(function* () {
    yield* requireSchema
    yield* waitForWorkerLock
    const id = `${hostname()}/${process.pid}`
    const epoch = yield* takeLease(id)
    const client = AgentClient.layer(options.client ?? {}).pipe(
      Layer.provide([AgentTrust.layer(options.secretsDir), AgentSlots.layer(slots(options.agentConcurrency))])
    )
    const base = Layer.mergeAll(
      client,
      DatabaseClock.layer,
      PollWriter.layer,
      Committer.layer(epoch),
      Layer.succeed(WorkerSettings, { ...defaultWorkerSettings, ...options.settings })
    )
    const supervisors = JobSupervisor.layer(epoch).pipe(
      Layer.provideMerge(HostSupervisor.layer),
      Layer.provideMerge(base)
    )
    return yield* runWorker({ id, epoch }, ready).pipe(Effect.scoped, Effect.provide(supervisors))
  }).pipe(
    Effect.scoped,
    Effect.provide(
      databaseLayer({
        url: Redacted.value(options.databaseUrl),
        applicationName: "patch-manager worker",
        maxConnections: 8
      })
    ),
    untraced
  )

export interface WebOptions {
  readonly databaseUrl: Redacted.Redacted
  readonly secretsDir: string
  readonly settings: WebSettings
}

/** The whole web process, until it is interrupted. It migrates before it listens. */
export const web = (options: WebOptions, ready: Effect.Effect<void>) =>
  Effect.gen(function* () {
    yield* runMigrations
    yield* Effect.scoped(
      Layer.build(webServerLayer(options.settings)).pipe(
        Effect.andThen(ready),
        Effect.andThen(Effect.never),
        Effect.provide(Authority.layer(options.secretsDir))
      )
    )
  }).pipe(
    Effect.provide(
      databaseLayer({
        url: Redacted.value(options.databaseUrl),
        applicationName: "patch-manager web",
        maxConnections: 16
      })
    ),
    untraced
  )
