/**
 * A whole small installation in one process: a database of its own, a fleet on loopback with certificates of our authority,
 * hosts registered by the ordinary store, and a worker that can be stopped and started again.
 */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Fiber, Layer, Logger, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import type pg from "pg"
import type { AgentClientOptions } from "#actors/agent/AgentClient.ts"
import { DisabledGuards, type GuardName } from "#actors/hosts/Guards.ts"
import { HostSteps } from "#actors/hosts/HostSteps.ts"
import type { WorkerSettingsShape } from "#actors/hosts/WorkerSettings.ts"
import { Authority } from "#actors/pki/Authority.ts"
import { ensureAuthority } from "#actors/pki/ensureAuthority.ts"
import { type HostId, type JobId, UserId } from "#core/Ids.ts"
import { newId } from "#core/newId.ts"
import { rolePermissions } from "#core/Permission.ts"
import type { Caller } from "#core/User.ts"
import { worker } from "#deploy/layers.ts"
import { makeHostMachine } from "#machines/hostMachine.ts"
import { type HostStep, makeHostStep } from "#machines/step.ts"
import type { Tuning } from "#machines/Tuning.ts"
import { appendAudit, originOf } from "#sql/AuditStore.ts"
import { layer as databaseLayer } from "#sql/Database.ts"
import { insertHost } from "#sql/HostStore.ts"
import { insertJob, makeJobOrder, type JobOrder } from "#sql/insertJob.ts"
import { insertHostCertificate } from "#sql/CertificateStore.ts"
import type { Fleet, FleetOptions, HostView } from "#test/fleet/Fleet.ts"
import { startFleet } from "#test/fleet/Fleet.ts"
import { type Mutation, mutations } from "#test/machines/mutations.ts"
import { makeTestDatabase, type TestDatabase } from "#test/setup/Database.ts"
import { roleUrls } from "#test/setup/roleUrls.ts"
import { testClient } from "#test/setup/testClient.ts"

/** Minutes become a fraction of a second; the order of the times stays. */
export const quickTuning: Tuning = {
  call_ms: 4_000,
  send_ms: 3_000,
  run_ms: 15_000,
  rollback_ms: 3_000,
  verify_ms: 8_000,
  leave_ms: 6_000,
  away_ms: 6_000,
  calm_ms: 100,
  settle_ms: 30_000,
  quiet_ms: 300,
  quiet_max_ms: 1_000,
  backoff_ms: [200, 400, 800],
  second_try_ms: 300,
  retry_after_max_ms: 5_000
}

export const quickSettings: Partial<WorkerSettingsShape> = {
  healthIntervalMillis: 60_000,
  patchIntervalMillis: 600_000,
  retryMillis: [150, 200, 1_000],
  overdueGraceMillis: 500,
  probeIntervalMillis: 100,
  evidencePauseMillis: 200
}

export const quickClient: Partial<AgentClientOptions> = {
  connectMs: 1_000,
  healthMs: 1_500,
  readMs: 2_000,
  listMs: 3_000,
  commandMs: 2_000,
  pollMs: [100, 300]
}

export interface WorldHost {
  readonly id: HostId
  readonly address: string
  readonly view: HostView
}

export interface WorkerStart {
  readonly settings?: Partial<WorkerSettingsShape>
  readonly client?: Partial<AgentClientOptions>
  readonly tuning?: Partial<Tuning>
  readonly withoutGuards?: ReadonlyArray<GuardName>
  readonly mutation?: Mutation
  /** With the worker's own database role, as `npm start` runs it, and not as the owner. */
  readonly ownRole?: boolean
}

/** Something the product said yes to: it must be found in this table from then on. */
export interface Acknowledged {
  readonly table: string
  readonly id: string
}

export interface World {
  readonly url: string
  readonly secretsDir: string
  readonly fleet: Fleet
  readonly hosts: ReadonlyArray<WorldHost>
  readonly query: <Row extends pg.QueryResultRow>(text: string, values?: ReadonlyArray<unknown>) => Promise<Array<Row>>
  readonly run: <A, E>(effect: Effect.Effect<A, E, SqlClient.SqlClient>) => Promise<A>
  readonly caller: Caller
  /** What `apply` and the web process answered with success. */
  readonly acknowledged: Array<Acknowledged>
  readonly startWorker: (options?: WorkerStart) => Promise<{ readonly stop: () => Promise<void> }>
  readonly apply: (hosts: ReadonlyArray<WorldHost>, order?: Partial<JobOrder>) => Promise<JobId>
  readonly stop: () => Promise<void>
}

const operator: Caller = {
  principal: {
    kind: "user",
    user_id: newId(UserId),
    username: "tester",
    role: "admin",
    permissions: new Set(rolePermissions.admin),
    group_ids: [],
    session_id: null,
    token: null
  },
  request_id: "test",
  source_address: "127.0.0.1"
}

const silent = Logger.layer([])

/** The host machine with these times, whole or with one of its safeguards taken out. */
export const stepOf = (tuning: Partial<Tuning>, mutation: Mutation | undefined): HostStep =>
  mutation === undefined ? makeHostStep(makeHostMachine({ tuning })) : mutations[mutation](tuning)

const workerEffect = (url: string, secretsDir: string, options: WorkerStart, ready: () => void) =>
  worker(
    {
      databaseUrl: Redacted.make(options.ownRole === true ? roleUrls(url).worker : url),
      ...(options.ownRole === true ? { databaseRoles: "separate" as const } : {}),
      secretsDir,
      agentConcurrency: 64,
      settings: { ...quickSettings, ...options.settings },
      client: { ...quickClient, ...options.client }
    },
    Effect.sync(ready)
  ).pipe(
    Effect.provideService(HostSteps, stepOf({ ...quickTuning, ...options.tuning }, options.mutation)),
    Effect.provideService(DisabledGuards, new Set(options.withoutGuards ?? [])),
    Effect.provide(process.env["TEST_LOG"] ? Layer.empty : silent)
  )

/** Hosts are registered and have certificates; no worker runs yet. */
export const makeWorld = async (
  { certificates = true, ...options }: Omit<FleetOptions, "dir"> & { readonly certificates?: boolean },
  ownDatabase?: TestDatabase
): Promise<World> => {
  const database = ownDatabase ?? (await makeTestDatabase())
  const folder = await mkdtemp(join(tmpdir(), "world-"))
  const secretsDir = join(folder, "secrets")
  const authority = await Effect.runPromise(ensureAuthority(secretsDir))
  const fleet = await startFleet({ port: 0, rateLimit: false, ...options, dir: join(folder, "fleet") })
  fleet.setCa(authority.ca.certificate_pem)
  let client = testClient(database.url)
  client.on("error", () => undefined)
  await client.connect()
  const query: World["query"] = async (text, values = []) => {
    try {
      return (await client.query(text, [...values])).rows
    } catch (error) {
      // A test may have taken the database away for a while; one new connection, then the error counts.
      if (!(error instanceof Error) || !/terminat|ECONN|closed|not queryable|Connection/.test(error.message))
        throw error
      await client.end().catch(() => undefined)
      client = testClient(database.url)
      client.on("error", () => undefined)
      await client.connect()
      return (await client.query(text, [...values])).rows
    }
  }
  const layer = databaseLayer({ url: database.url, applicationName: "world", maxConnections: 2 })
  const run = <A, E>(effect: Effect.Effect<A, E, SqlClient.SqlClient>) =>
    Effect.runPromise(effect.pipe(Effect.provide(layer)))

  const hosts = await run(
    Effect.gen(function* () {
      const { issueHost } = yield* Authority
      return yield* Effect.forEach(fleet.hosts(), (view) =>
        Effect.gen(function* () {
          const { answer } = yield* insertHost(operator, {
            fqdn: view.fqdn,
            address: view.address,
            agent_port: fleet.port,
            display_name: view.fqdn,
            bound_fingerprint: null
          })
          if (!certificates) return { id: answer.id, address: view.address, view }
          const identity = yield* issueHost({ hostId: answer.id, fqdn: view.fqdn, address: view.address })
          yield* insertHostCertificate(operator, answer.id, identity)
          fleet.setIdentity(view.address, identity, { persist: false })
          return { id: answer.id, address: view.address, view }
        })
      )
    }).pipe(Effect.provide(Authority.layer(secretsDir)))
  )

  const running = new Set<() => Promise<void>>()
  const acknowledged: Array<Acknowledged> = []
  return {
    url: database.url,
    secretsDir,
    fleet,
    hosts,
    run,
    caller: operator,
    acknowledged,
    query,
    startWorker: async (start = {}) => {
      let fiber: Fiber.Fiber<unknown, unknown> | undefined
      await new Promise<void>((resolve, reject) => {
        fiber = Effect.runFork(workerEffect(database.url, secretsDir, start, resolve))
        fiber.addObserver((exit) => {
          if (exit._tag === "Failure") reject(new Error(String(exit.cause)))
        })
      })
      const stop = async () => {
        running.delete(stop)
        if (fiber !== undefined) await Effect.runPromise(Fiber.interrupt(fiber))
      }
      running.add(stop)
      return { stop }
    },
    apply: async (targets, order = {}) => {
      const wanted = makeJobOrder({
        kind: "patch_apply",
        host_ids: targets.map((host) => host.id),
        max_concurrency: 100,
        ...order
      })
      const answer = await run(
        Effect.flatMap(SqlClient.SqlClient, (sql) =>
          sql.withTransaction(
            Effect.gen(function* () {
              const made = yield* insertJob(operator, wanted)
              yield* appendAudit(originOf(operator), made.audit)
              return made.answer
            })
          )
        )
      )
      acknowledged.push({ table: "patch_jobs", id: answer.id })
      return answer.id
    },
    stop: async () => {
      for (const stop of running) await stop()
      await client.end().catch(() => undefined)
      await fleet.stop()
      await database.drop()
      await rm(folder, { recursive: true, force: true })
    }
  }
}
