/** The readings of a host: before anything is sent, after it ran, and now and then between. */
import { Clock, Effect } from "effect"
import { type AgentJobEntry, isActive } from "#core/AgentJob.ts"
import { canAgent } from "#core/agentAbilities.ts"
import type { Baseline, Evidence } from "#core/HostEvent.ts"
import {
  expandSelection,
  type InstalledPackage,
  type PackageFormat,
  type Patch,
  type Selection
} from "#core/Package.ts"
import type { ServiceState } from "#core/ServiceState.ts"
import type { AgentClientService } from "./AgentClient.ts"
import type { AgentTarget } from "./AgentTarget.ts"
import type { AgentHealth } from "./decode/health.ts"
import { installedVersions } from "./decode/packages.ts"
import { packageFormat, rebootNeeded, type SystemInfo } from "./decode/systemInfo.ts"

/** What the host said about itself, as it is stored. */
export interface HostFacts {
  readonly os: string | null
  readonly osVersion: string | null
  readonly kernel: string | null
  readonly architecture: string | null
  readonly packageFormat: PackageFormat
  readonly rebootNeeded: boolean | null
}

/** Everything that was read on the way, for the caller to store; null where it was not read. */
export interface HostReading {
  readonly health: AgentHealth | null
  readonly facts: HostFacts
  readonly patches: ReadonlyArray<Patch> | null
  readonly packages: ReadonlyArray<InstalledPackage> | null
}

/** The agent's version decides what its word on a pending reboot is worth. */
export const hostFacts = (system: SystemInfo, agentVersion: string | null): HostFacts => ({
  os: system.os,
  osVersion: system.os_version,
  kernel: system.kernel,
  architecture: system.architecture,
  packageFormat: packageFormat(system.os),
  rebootNeeded: rebootNeeded(system, agentVersion)
})

/** Evaluated at the moment the uptime was read: two readings are compared by both. Epoch milliseconds of the database. */
export type Now = Effect.Effect<number>
const localNow: Now = Clock.currentTimeMillis

/** After a run the patch list is only refreshed for the operator's eyes; proof does not wait for it. */
const EXTRA_PATCHES_MS = 15_000

/** A rollback that waits on an agent that never begins one is not at work, or it would keep every later order away. */
const activeJob = (jobs: ReadonlyArray<AgentJobEntry>, agentVersion: string | null) =>
  jobs.find(
    ({ operation, status }) =>
      isActive(status) && !(operation === "rollback" && status === "pending" && !canAgent(agentVersion, "rollback"))
  )?.id ?? null

/** One after the other: agents limit their readers. */
const readServices = Effect.fnUntraced(function* (
  client: AgentClientService,
  target: AgentTarget,
  units: ReadonlyArray<string>
) {
  const states: Record<string, ServiceState> = {}
  for (const unit of units) states[unit] = yield* client.service(target, unit)
  return states
})

const pick = (names: Iterable<string>, versions: ReadonlyMap<string, string>): Record<string, string | null> => {
  return Object.fromEntries(Array.from(names, (name) => [name, versions.get(name) ?? null]))
}

/** Job list first: a job that starts while the rest is read is then one we do not know, and not one that we count as old. */
export const readBaseline = Effect.fnUntraced(function* (
  client: AgentClientService,
  target: AgentTarget,
  selection: Selection,
  now: Now = localNow,
  units: ReadonlyArray<string> = []
) {
  const jobs = yield* client.jobs(target)
  const health = yield* client.health(target)
  const at = yield* now
  const system = yield* client.systemInfo(target)
  const patches = yield* client.patches(target)
  const packages = yield* client.packages(target)
  const services = yield* readServices(client, target, units)
  const facts = hostFacts(system, health.agent_version)
  const versions = installedVersions(packages, facts.packageFormat)
  // Without a prototype: a package may be called "constructor".
  const installed: Record<string, string> = Object.assign(Object.create(null), Object.fromEntries(versions))
  const changes = expandSelection(selection, patches.patches, installed)
  const names = selection.kind === "packages" ? selection.names : changes.map((change) => change.name)
  const baseline: Baseline = {
    at,
    job_ids: jobs.map((job) => job.id),
    active_job_id: activeJob(jobs, health.agent_version),
    changes,
    installed: pick(names, versions),
    format: facts.packageFormat,
    uptime_seconds: health.uptime_seconds,
    database_clean: system.package_db_clean,
    reboot_needed: facts.rebootNeeded,
    degraded: health.health === "degraded" ? (health.reason ?? "no reason given") : null,
    services
  }
  const reading: HostReading = { health, facts, patches: patches.patches, packages }
  return { baseline, reading }
})

export const readEvidence = Effect.fnUntraced(function* (
  client: AgentClientService,
  target: AgentTarget,
  names: ReadonlyArray<string>,
  now: Now = localNow,
  units: ReadonlyArray<string> = []
) {
  const jobs = yield* client.jobs(target)
  const health = yield* client.health(target)
  const at = yield* now
  const system = yield* client.systemInfo(target)
  const packages = yield* client.packages(target)
  const services = yield* readServices(client, target, units)
  const facts = hostFacts(system, health.agent_version)
  const patches = yield* client.patches(target).pipe(
    Effect.map((list) => list.patches),
    Effect.timeoutOrElse({ duration: EXTRA_PATCHES_MS, orElse: () => Effect.succeed(null) }),
    Effect.catch(() => Effect.succeed(null))
  )
  const evidence: Evidence = {
    at,
    installed: pick(names, installedVersions(packages, facts.packageFormat)),
    uptime_seconds: health.uptime_seconds,
    reboot_needed: facts.rebootNeeded,
    database_clean: system.package_db_clean,
    active_job_id: activeJob(jobs, health.agent_version),
    services
  }
  const reading: HostReading = { health, facts, patches, packages }
  return { evidence, reading }
})

/** What a patch poll reads; the long package list only where it is asked for. */
export const readInventory = Effect.fnUntraced(function* (
  client: AgentClientService,
  target: AgentTarget,
  agentVersion: string | null,
  withPackages: boolean
) {
  const system = yield* client.systemInfo(target)
  const { patches } = yield* client.patches(target)
  const packages = withPackages ? yield* client.packages(target) : null
  const reading: HostReading = { health: null, facts: hostFacts(system, agentVersion), patches, packages }
  return reading
})
