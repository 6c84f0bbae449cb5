/** The one place where layers are closed: what each process consists of. */
import { randomUUID } from "node:crypto"
import { hostname } from "node:os"
import { join } from "node:path"
import { Effect, Layer, Redacted, References } from "effect"
import { AgentClient, type AgentClientOptions } from "#actors/agent/AgentClient.ts"
import { AgentSlots, slotLimits } from "#actors/agent/AgentSlots.ts"
import { AgentTrust } from "#actors/agent/AgentTrust.ts"
import { AuditGuard } from "#actors/audit/AuditGuard.ts"
import { Committer } from "#actors/hosts/Committer.ts"
import { DatabaseClock } from "#actors/hosts/DatabaseClock.ts"
import { Scanner } from "#actors/discovery/Scanner.ts"
import { HostSupervisor } from "#actors/hosts/HostSupervisor.ts"
import { LeaseHeld } from "#actors/hosts/LeaseHeld.ts"
import { PollWriter } from "#actors/hosts/PollWriter.ts"
import { defaultWorkerSettings, WorkerSettings, type WorkerSettingsShape } from "#actors/hosts/WorkerSettings.ts"
import { JobSupervisor } from "#actors/jobs/JobSupervisor.ts"
import { Authority } from "#actors/pki/Authority.ts"
import { acquireLease, keepLease } from "#actors/wake/Lease.ts"
import { renewForever } from "#actors/pki/renewForever.ts"
import { readAgentNetworks, watchNetworks } from "#actors/agent/watchNetworks.ts"
import { watchTrust } from "#actors/agent/watchTrust.ts"
import { runWorker } from "#actors/wake/Worker.ts"
import { layer as webServerLayer } from "#http/server/WebServer.ts"
import type { WebSettings } from "#http/server/WebSettings.ts"
import { layer as databaseLayer, operatorsLayer } from "#sql/Database.ts"
import { type DatabaseRoles, noteSingleRole, requireSeparateRole } from "#sql/databaseRights.ts"
import { requireSchema, runMigrations } from "#sql/migrate.ts"
import { pingWatchdog, tellReady } from "./systemd.ts"

export interface WorkerOptions {
  readonly databaseUrl: Redacted.Redacted
  /** `separate` refuses a role that may do more than it needs; a role that owns everything is taken unless this is said. */
  readonly databaseRoles?: DatabaseRoles
  /** Folder with ca.pem, manager.pem and manager.key.pem. */
  readonly secretsDir: string
  readonly agentConcurrency: number
  /** Whether agents on this machine's loopback are called, as a stand-in fleet's are; they are unless this says no. */
  readonly loopbackAgents?: boolean
  /** Where the checkpoints of the audit log are kept outside of the database; in \`secretsDir\` unless said. */
  readonly checkpointFile?: string
  readonly settings?: Partial<WorkerSettingsShape>
  readonly client?: Partial<AgentClientOptions>
}

/** Nobody collects spans yet, and making them costs a fifth of a request. */
const untraced = Effect.provideService(References.TracerEnabled, false)

const slots = ({ agentConcurrency: total, client }: WorkerOptions) => ({
  ...slotLimits(total),
  perHost: client?.guardsOff?.has("per_host_limit") !== true
})

/** The whole worker, until it is interrupted or another worker takes over. */
export const worker = (options: WorkerOptions, ready: Effect.Effect<void>) =>
  Effect.gen(function* () {
    yield* requireSchema
    if (options.databaseRoles !== undefined) yield* requireSeparateRole(options.databaseRoles === "single")
    const settings = { ...defaultWorkerSettings, ...options.settings }
    const { programVersion } = settings
    // Random beside the process id: a cloned machine may have the same of everything else.
    const id = `${hostname()}/${process.pid}/${randomUUID().slice(0, 8)}`
    const identity = { id, pid: process.pid, programVersion }
    const acquired = yield* acquireLease(identity)
    const { epoch } = acquired
    const { lease, fenced } = yield* keepLease(acquired)
    yield* Effect.forkScoped(pingWatchdog)
    const callSlots = AgentSlots.layer(slots(options))
    const egress = { loopback: options.loopbackAgents ?? true, networks: yield* readAgentNetworks }
    const client = AgentClient.layer({ egress, ...options.client }).pipe(
      Layer.provide([AgentTrust.layer(options.secretsDir), callSlots])
    )
    const base = Layer.mergeAll(
      client,
      callSlots,
      DatabaseClock.layer,
      PollWriter.layer,
      Committer.layer(epoch),
      Scanner.layer(epoch, options.secretsDir),
      AuditGuard.layer({
        secretsDir: options.secretsDir,
        outsideFile: options.checkpointFile ?? join(options.secretsDir, "audit-checkpoints.ndjson"),
        databaseUrl: Redacted.value(options.databaseUrl)
      }),
      Layer.succeed(WorkerSettings, settings)
    )
    const supervisors = JobSupervisor.layer(epoch).pipe(
      Layer.provideMerge(HostSupervisor.layer),
      Layer.provideMerge(base)
    )
    return yield* Effect.forkScoped(watchTrust(options.secretsDir, settings.trustIntervalMillis)).pipe(
      Effect.andThen(Effect.forkScoped(watchNetworks)),
      Effect.andThen(Effect.raceFirst(runWorker({ ...identity, epoch }, Effect.andThen(ready, tellReady)), fenced)),
      Effect.scoped,
      Effect.provide(supervisors),
      Effect.provideService(LeaseHeld, lease)
    )
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
  /** `separate`: the role has only what it needs, the schema is there, and operators' requests stand before a second wall. */
  readonly databaseRoles?: DatabaseRoles
  readonly secretsDir: string
  readonly settings: WebSettings
}

const webDatabase = ({ databaseRoles, databaseUrl }: WebOptions) => {
  const settings = { url: Redacted.value(databaseUrl), applicationName: "patch-manager web", maxConnections: 16 }
  const own = databaseLayer(settings)
  if (databaseRoles !== "separate") return own
  return Layer.merge(
    own,
    operatorsLayer({ ...settings, applicationName: "patch-manager operators", maxConnections: 8 })
  )
}

const schemaFor = (roles: DatabaseRoles | undefined) => {
  if (roles === "separate") return Effect.andThen(requireSchema, requireSeparateRole(false))
  return roles === "single" ? Effect.andThen(runMigrations, noteSingleRole) : runMigrations
}

/** The whole web process, until it is interrupted. Where it owns the database it migrates before it listens. */
export const web = (options: WebOptions, ready: Effect.Effect<void>) =>
  Effect.gen(function* () {
    yield* schemaFor(options.databaseRoles)
    yield* Effect.scoped(
      Layer.build(webServerLayer(options.settings)).pipe(
        Effect.tap(Effect.forkScoped(renewForever(options.secretsDir))),
        Effect.andThen(ready),
        Effect.andThen(Effect.never),
        Effect.provide(Authority.layer(options.secretsDir))
      )
    )
  }).pipe(Effect.provide(webDatabase(options)), untraced)
