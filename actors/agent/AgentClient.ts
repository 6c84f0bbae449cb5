/** The agents' API as the worker uses it: typed answers, typed failures, one short-lived connection for each call. */
import { Context, Effect, Layer, Stream } from "effect"
import type { EgressRules } from "#core/egress.ts"
import type { AgentJob, AgentJobEntry } from "#core/AgentJob.ts"
import type { AgentJobId } from "#core/Ids.ts"
import type { InstalledPackage, PackageRequest } from "#core/Package.ts"
import type { ServiceState } from "#core/ServiceState.ts"
import { agentFailureWords } from "#core/AgentFailure.ts"
import { type AgentFailure, agentFailure } from "./AgentFailure.ts"
import type { AgentGuard } from "./AgentGuard.ts"
import { AgentLane, AgentSlots } from "./AgentSlots.ts"
import type { AgentTarget } from "./AgentTarget.ts"
import { AgentTrust, expiryOf, secureContextOf, TrustError, type TrustMaterial } from "./AgentTrust.ts"
import { answerFailure, unreadable } from "./answerFailure.ts"
import { type AgentAnswer, type AgentRequest, call, type Wiring } from "./call.ts"
import { type AgentHealth, decodeHealth } from "./decode/health.ts"
import { type AcceptedJob, decodeAccepted, decodeJob, decodeJobs } from "./decode/jobs.ts"
import { parseJson } from "./decode/json.ts"
import { decodeOnePackage, decodePackages } from "./decode/packages.ts"
import { decodePatches, type PatchList } from "./decode/patches.ts"
import { decodeService } from "./decode/services.ts"
import { decodeSystemInfo, type SystemInfo } from "./decode/systemInfo.ts"
import { makeTlsSessions } from "./TlsSessions.ts"
import { type JobSighting, watchJob } from "./watchJob.ts"

export interface AgentClientOptions {
  /** TCP and TLS together. */
  readonly connectMs: number
  readonly healthMs: number
  /** System info, jobs, one package. */
  readonly readMs: number
  /** Package and patch lists: the agent may ask its package manager. */
  readonly listMs: number
  readonly commandMs: number
  /** Open WebSockets to agents, beside the call slots. */
  readonly maxWebSockets: number
  /** Pause between two looks at a watched job without WebSocket, at first and at most. */
  readonly pollMs: readonly [first: number, most: number]
  /** How long after a full handshake its session may be resumed. */
  readonly sessionMaxAgeMs: number
  /** Addresses that may be called until `allow` says otherwise. */
  readonly egress: EgressRules
  /** For tests alone. */
  readonly guardsOff: ReadonlySet<AgentGuard>
}

export const agentClientDefaults: AgentClientOptions = {
  connectMs: 5000,
  healthMs: 10_000,
  readMs: 15_000,
  listMs: 45_000,
  commandMs: 30_000,
  maxWebSockets: 500,
  pollMs: [2000, 10_000],
  sessionMaxAgeMs: 3600_000,
  egress: { loopback: true, networks: [] },
  guardsOff: new Set()
}

const KiB = 1024
const MiB = 1024 * KiB

export interface AgentClientService {
  readonly health: (target: AgentTarget) => Effect.Effect<AgentHealth, AgentFailure>
  readonly systemInfo: (target: AgentTarget) => Effect.Effect<SystemInfo, AgentFailure>
  readonly packages: (target: AgentTarget) => Effect.Effect<ReadonlyArray<InstalledPackage>, AgentFailure>
  /** Null when it is not installed or the agent does not know it. */
  readonly packageByName: (target: AgentTarget, name: string) => Effect.Effect<InstalledPackage | null, AgentFailure>
  readonly patches: (target: AgentTarget) => Effect.Effect<PatchList, AgentFailure>
  readonly jobs: (
    target: AgentTarget,
    filter?: { readonly status?: string; readonly limit?: number }
  ) => Effect.Effect<ReadonlyArray<AgentJobEntry>, AgentFailure>
  readonly job: (target: AgentTarget, id: AgentJobId) => Effect.Effect<AgentJob, AgentFailure>
  /** `down` also for a unit that the host does not have, `unknown` where the agent cannot tell. */
  readonly service: (target: AgentTarget, name: string) => Effect.Effect<ServiceState, AgentFailure>
  /** Starts an update of exactly these packages. No names is a defect: to an agent it would mean nothing, no list everything. */
  readonly apply: (
    target: AgentTarget,
    order: { readonly names: ReadonlyArray<string> }
  ) => Effect.Effect<AcceptedJob, AgentFailure>
  /** Without options: the agent's `force` would take packages that nobody signed. No packages is a defect. */
  readonly install: (
    target: AgentTarget,
    order: { readonly packages: ReadonlyArray<PackageRequest> }
  ) => Effect.Effect<AcceptedJob, AgentFailure>
  readonly update: (target: AgentTarget, name: string) => Effect.Effect<AcceptedJob, AgentFailure>
  readonly remove: (target: AgentTarget, name: string) => Effect.Effect<AcceptedJob, AgentFailure>
  /** Asks for the rollback of a job of the agent; agents up to 2.7 accept it and never begin. */
  readonly rollback: (target: AgentTarget, id: AgentJobId) => Effect.Effect<AcceptedJob, AgentFailure>
  readonly reboot: (
    target: AgentTarget,
    order: { readonly delay_seconds: number }
  ) => Effect.Effect<AcceptedJob, AgentFailure>
  /** Follows one job to its end: the stream ends after a terminal job or after `Gone`. */
  readonly watchJob: (target: AgentTarget, id: AgentJobId) => Stream.Stream<JobSighting>
  /** Forgets every TLS session: the next call to each host verifies it anew. */
  readonly flush: Effect.Effect<void>
  /** Takes new certificates into use for the next call. */
  readonly reload: (trust: TrustMaterial) => Effect.Effect<void, TrustError>
  /** Takes other networks into use for the next call. */
  readonly allow: (networks: EgressRules["networks"]) => Effect.Effect<void>
}

export const makeAgentClient = (
  trust: TrustMaterial,
  slots: AgentSlots["Service"],
  given: Partial<AgentClientOptions> = {}
): AgentClientService => {
  const options = { ...agentClientDefaults, ...given }
  let secureContext = secureContextOf(trust)
  let expiresAt = expiryOf(trust)
  let egress = options.egress
  const sessions = makeTlsSessions({ maxAgeMs: options.sessionMaxAgeMs, maxCount: 20_000 }, options.guardsOff)
  const wiring: Wiring = {
    get secureContext() {
      return secureContext
    },
    get egress() {
      return egress
    },
    sessions,
    slots,
    guardsOff: options.guardsOff
  }

  /** With an ended certificate of ours no host is called: it is not their failure, and all would fail alike. */
  const ours = (target: AgentTarget, request: AgentRequest): Effect.Effect<AgentAnswer, AgentFailure> =>
    Effect.suspend(() =>
      Date.now() < expiresAt
        ? call(wiring, target, request)
        : Effect.fail(
            agentFailure("manager_certificate_expired", {
              message: agentFailureWords.manager_certificate_expired,
              delivery: "unsent"
            })
          )
    )

  const ask = <A>(
    target: AgentTarget,
    request: Omit<AgentRequest, "connectMs">,
    decode: (body: unknown) => A | undefined,
    expected: string
  ): Effect.Effect<A, AgentFailure> =>
    Effect.flatMap(ours(target, { ...request, connectMs: options.connectMs }), (answer: AgentAnswer) => {
      if (answer.status < 200 || answer.status > 299) return Effect.fail(answerFailure(target, answer))
      const decoded = decode(parseJson(answer.text))
      return decoded === undefined ? Effect.fail(unreadable(target, answer, expected)) : Effect.succeed(decoded)
    })

  const get = <A>(
    target: AgentTarget,
    path: string,
    deadlineMs: number,
    limitBytes: number,
    decode: (body: unknown) => A | undefined,
    expected: string
  ) => ask(target, { method: "GET", path, deadlineMs, limitBytes }, decode, expected)

  const order = (target: AgentTarget, path: string, body: unknown, method: AgentRequest["method"] = "POST") =>
    ask(
      target,
      {
        method,
        path,
        deadlineMs: options.commandMs,
        limitBytes: MiB,
        ...(body === undefined ? {} : { body: JSON.stringify(body) })
      },
      decodeAccepted,
      "the job it should have started"
    ).pipe(Effect.provideService(AgentLane, "command"))

  const job: AgentClientService["job"] = (target, id) =>
    get(target, `/jobs/${encodeURIComponent(id)}`, options.readMs, 4 * MiB, decodeJob, "a job")

  const watching = { wiring, job, options, sockets: { open: 0 } }

  return {
    health: (target) => get(target, "/health", options.healthMs, 64 * KiB, decodeHealth, "a health report"),
    systemInfo: (target) =>
      get(target, "/system/info", options.readMs, 64 * KiB, decodeSystemInfo, "system information"),
    packages: (target) => get(target, "/packages", options.listMs, 16 * MiB, decodePackages, "a package list"),
    packageByName: (target, name) =>
      get(target, `/packages/${encodeURIComponent(name)}`, options.readMs, MiB, decodeOnePackage, "a package").pipe(
        Effect.catchTag("AgentNotFound", (failure) =>
          failure.code === "PKG_NOT_FOUND" ? Effect.succeed(null) : Effect.fail(failure)
        )
      ),
    service: (target, name) =>
      get(
        target,
        `/system/services/${encodeURIComponent(name)}`,
        options.readMs,
        64 * KiB,
        decodeService,
        "the state of a service"
      ).pipe(
        Effect.catch((failure) => {
          if (failure.code === "SERVICE_NOT_FOUND") return Effect.succeed<ServiceState>("down")
          // Old agents have no such path, and some cannot ask their init system.
          return failure.status !== null && failure.kind !== "rate_limited" && failure.kind !== "busy"
            ? Effect.succeed<ServiceState>("unknown")
            : Effect.fail(failure)
        })
      ),
    patches: (target) =>
      get(target, "/patches", options.listMs, 8 * MiB, decodePatches, "a list of patches with package names"),
    jobs: (target, filter = {}) => {
      const query = new URLSearchParams()
      if (filter.status !== undefined) query.set("status", filter.status)
      if (filter.limit !== undefined) query.set("limit", String(filter.limit))
      const path = query.size === 0 ? "/jobs" : `/jobs?${query}`
      return get(target, path, options.readMs, MiB, decodeJobs, "a job list")
    },
    job,
    apply: (target, { names }) =>
      names.length === 0
        ? Effect.die(new Error("An update without package names must never be sent."))
        : order(target, "/patches/apply", { packages: names }),
    install: (target, { packages }) =>
      packages.length === 0
        ? Effect.die(new Error("An installation of no packages must never be sent."))
        : order(target, "/packages", { packages: packages.map(({ name, version }) => ({ name, version })) }),
    update: (target, name) => order(target, `/packages/${encodeURIComponent(name)}`, undefined, "PUT"),
    remove: (target, name) => order(target, `/packages/${encodeURIComponent(name)}`, undefined, "DELETE"),
    rollback: (target, id) => order(target, `/jobs/${encodeURIComponent(id)}/rollback`, undefined),
    reboot: (target, { delay_seconds }) => order(target, "/system/reboot", { delay_seconds, force: false }),
    watchJob: (target, id) => watchJob(watching, target, id),
    flush: Effect.sync(sessions.clear),
    allow: (networks) =>
      Effect.sync(() => {
        egress = { ...egress, networks }
      }),
    reload: (next) =>
      Effect.try({
        try: () => {
          secureContext = secureContextOf(next)
          expiresAt = expiryOf(next)
          sessions.clear()
        },
        catch: (cause) => new TrustError({ message: `The new certificates cannot be used: ${String(cause)}` })
      })
  }
}

export class AgentClient extends Context.Service<AgentClient, AgentClientService>()("patch-manager/agent/AgentClient") {
  static readonly layer = (
    options: Partial<AgentClientOptions> = {}
  ): Layer.Layer<AgentClient, never, AgentTrust | AgentSlots> =>
    Layer.effect(
      AgentClient,
      Effect.gen(function* () {
        return makeAgentClient(yield* AgentTrust, yield* AgentSlots, options)
      })
    )
}
