/** The plan of a job: what it would do on each host, by the rules that will carry it out. Pure. */
import { canAgent } from "../agentAbilities.ts"
import { changesOfOrder, namesOfOrder, type OrderedChanges } from "../changesOfOrder.ts"
import type { DispatchFacts } from "../Dispatch.ts"
import { isHeld } from "../Hold.ts"
import { type Change, expandSelection } from "../Package.ts"
import { momentWords } from "../momentWords.ts"
import type { HeldPackage, Plan, PlannedHost } from "../Plan.ts"
import { isReached } from "../Version.ts"
import { foretellStart } from "./foretellStart.ts"
import type { PlanHost, PlanJob } from "./PlanFacts.ts"
import { reverseAll, reverseChanges, undoAnswer, type UndoFacts } from "./undo.ts"
import { waveAt } from "./waves.ts"
import { makeWindowMoments } from "./windowMoment.ts"

const HOUR = 3_600_000
/** Patch lists are read every few hours; one that is older than this has missed readings. */
const OLD_LIST = 24 * HOUR

/** One host's planned share, with what the order carries beside what people are told. */
export interface HostPlan {
  readonly shown: PlannedHost
  /** For the order: names and versions; null where nothing is known. */
  readonly planned: ReadonlyArray<Change> | null
}

const undoFacts = (job: PlanJob, host: PlanHost, changes: ReadonlyArray<Change> | null): UndoFacts => ({
  kind: job.kind,
  changes,
  agent_version: host.agent_version,
  format: host.format,
  obtainable: host.obtainable,
  when: "plan"
})

/** The reverse of what the run changed on the host; null where that is not known. */
const reverse = (job: PlanJob, host: PlanHost): ReadonlyArray<Change> | null => {
  const effects = host.undone?.effects ?? null
  if (effects === null) return null
  if (job.method === "agent") return reverseAll(effects)
  const { planned, left } = reverseChanges(undoFacts(job, host, effects))
  const stays = left.filter(({ fate }) => fate === "stays").map(({ change }) => change)
  return [...planned, ...reverseAll(stays)]
}

/** A rollback says what of the run it undoes comes back. */
const undoOf = (job: PlanJob, host: PlanHost, changes: ReadonlyArray<Change> | null) =>
  job.kind === "rollback"
    ? undoAnswer({ ...undoFacts(job, host, host.undone?.effects ?? null), when: "after" })
    : undoAnswer(undoFacts(job, host, changes))

const candidatesOf = (order: OrderedChanges, host: PlanHost): ReadonlyArray<Change> => {
  // Without a prototype: a package may be called "constructor".
  const installed: Record<string, string> = Object.create(null)
  for (const [name, version] of Object.entries(host.installed ?? {})) if (version !== null) installed[name] = version
  return expandSelection(
    namesOfOrder(order),
    (host.patches ?? []).map((patch) => ({ ...patch, severity: "unknown", description: "", cve_ids: [] })),
    installed
  )
}

const needsPatches = (job: PlanJob): boolean => job.kind === "patch_apply" || job.kind === "package_update"
const needsPackages = (job: PlanJob): boolean => job.kind === "package_install" || job.kind === "package_remove"

/** What would be changed and what is left alone; `changes` null where the host's lists are not known. */
const changesOn = (job: PlanJob, host: PlanHost, held: ReadonlyArray<string>) => {
  if (job.kind === "reboot") return { changes: [], held: [] }
  const planned = job.kind === "rollback" ? reverse(job, host) : null
  if (job.kind === "rollback" && planned === null) return { changes: null, held: [] }
  if ((needsPatches(job) && host.patches === null) || (needsPackages(job) && host.installed === null)) {
    return { changes: null, held: [] }
  }
  const { kind, selection, packages, pin_versions, method } = job
  const order: OrderedChanges = { kind, selection, packages, pin_versions, method, planned, held }
  const candidates = candidatesOf(order, host)
  const found = changesOfOrder(order, { candidates, installed: host.installed ?? {}, format: host.format })
  // A package whose version is not known counts as one that changes.
  const open = found.changes.filter(
    (change) => host.installed === null || !isReached(change, host.installed[change.name] ?? null, host.format)
  )
  return { changes: open, held: found.held }
}

const rebootOf = (job: PlanJob, host: PlanHost, changes: ReadonlyArray<Change> | null): PlannedHost["reboot"] => {
  if (job.kind === "reboot" || job.reboot === "always") return "yes"
  if (job.reboot === "never") return "no"
  if (host.reboot_needed === true) return "yes"
  if (!canAgent(host.agent_version, "reboot_need") && host.reboot_needed === null) return "cannot_be_known"
  return changes !== null && changes.length === 0 ? "no" : "if_needed"
}

const skippedOf = (
  host: PlanHost,
  { changes, held }: { readonly changes: ReadonlyArray<Change> | null; readonly held: ReadonlyArray<unknown> },
  reboot: PlannedHost["reboot"]
): PlannedHost["skipped"] => {
  if (host.parked) return "parked"
  if (host.leaving) return "leaving"
  if (changes === null || changes.length > 0 || reboot === "yes") return null
  return held.length > 0 ? "all_held" : "nothing_to_do"
}

const stamp = (ms: number): string => new Date(ms).toISOString()

const warningsOf = (job: PlanJob, host: PlanHost, at: number, changes: ReadonlyArray<Change> | null): Array<string> => {
  const warnings: Array<string> = []
  const seen = host.last_seen_at === null ? "never seen" : `last seen ${momentWords(host.last_seen_at)}`
  if (host.link === "unreachable")
    warnings.push(`The agent does not answer (${seen}): the job will try it three times and then give up.`)
  if (host.link === "unknown") warnings.push("The agent has not answered yet since the host was registered.")
  if (host.link === "degraded") {
    warnings.push(
      job.pre_check.degraded === "stop"
        ? "The agent calls itself degraded: the pre-check will stop this host unless that ends."
        : "The agent calls itself degraded."
    )
  }
  if (changes === null) warnings.push("The host's lists have not been read yet, so what will change is not known.")
  else if (needsPatches(job) && host.patches_read_at !== null && at - host.patches_read_at > OLD_LIST) {
    warnings.push(`The patch list is of ${momentWords(host.patches_read_at)}; what the host offers may be newer.`)
  }
  if (host.services.length > 0 && !canAgent(host.agent_version, "services")) {
    warnings.push(
      `Services cannot be checked: the agent is too old.${job.pre_check.unknown === "stop" ? " The pre-check will stop this host." : ""}`
    )
  }
  if (job.pre_check.unknown === "stop" && !canAgent(host.agent_version, "database_state")) {
    warnings.push("The state of the package database cannot be checked: the pre-check will stop this host.")
  }
  if (job.kind === "rollback" && job.method === "agent" && !canAgent(host.agent_version, "rollback")) {
    warnings.push("Agents of this version take a rollback and never begin it: the job will say so after its deadline.")
  }
  return warnings
}

const heldOn = (host: PlanHost, names: ReadonlyArray<string>, at: number): Array<HeldPackage> =>
  names.flatMap((name) => {
    const hold = isHeld(host.holds, name, at)
    if (hold === undefined) return []
    const { hold_id, pattern, reason, until_ms } = hold
    return [{ name, hold_id, pattern, reason, until: until_ms === null ? null : stamp(until_ms) }]
  })

/** Holds that are in force at the moment, as the order carries them. */
export const patternsOf = (holds: PlanHost["holds"], at: number): Array<string> =>
  holds.filter(({ until_ms }) => until_ms === null || until_ms > at).map(({ pattern }) => pattern)

const dispatchFacts = (
  job: PlanJob,
  host: PlanHost,
  wave: number,
  at: number,
  skew_ms: number
): Omit<DispatchFacts, "windows"> => ({
  at,
  skew_ms,
  job: {
    when: job.when.kind === "at" ? { kind: "at", at: Date.parse(job.when.at) } : job.when,
    ignore_blackout: job.ignore_blackout,
    cancelled_by: null,
    paused_by: null,
    stopped_reason: null,
    expires_at: job.expires_at,
    current_wave: 1,
    max_concurrency: job.max_concurrency,
    open: 0
  },
  order: { wave, expected_seconds: host.expected_seconds },
  host: {
    lost: host.parked,
    leaving: host.leaving,
    link: host.link,
    busy_with: host.busy_with,
    unresolved: host.unresolved
  }
})

/** The same hosts, those on which something will be done first. */
export const workFirst = (hosts: ReadonlyArray<PlanHost>, plans: ReadonlyArray<HostPlan>): ReadonlyArray<PlanHost> => {
  const idle = (index: number): boolean => plans[index]?.shown.skipped !== null
  return [...hosts.filter((_, index) => !idle(index)), ...hosts.filter((_, index) => idle(index))]
}

/**
 * Plans one host after the other, in the order in which they will be started. `at` is database time, `skew_ms` what its clock is
 * ahead of the worker's.
 */
export const makePlanner = (job: PlanJob, at: number, skew_ms = 0): ((host: PlanHost) => HostPlan) => {
  const moments = makeWindowMoments()
  const starting = new Map<number, number>()
  let index = -1
  return (host) => {
    index++
    const wave = waveAt(job.waves, index)
    const found = changesOn(job, host, patternsOf(host.holds, at))
    const reboot = rebootOf(job, host, found.changes)
    const skipped = skippedOf(host, found, reboot)
    let { starts_at, waits_for } = foretellStart(dispatchFacts(job, host, wave, at, skew_ms), (moment) =>
      moments(host.windows, moment)
    )
    if (starts_at !== null) {
      const others = starting.get(starts_at) ?? 0
      if (others >= job.max_concurrency) {
        starts_at = null
        waits_for ??= { code: "concurrency_limit", max_concurrency: job.max_concurrency }
      } else starting.set(starts_at, others + 1)
    }
    const changes =
      found.changes?.filter(
        ({ goal }) => !(job.kind === "rollback" && job.method === "versions" && goal === "absent")
      ) ?? null
    const shown: PlannedHost = {
      host_id: host.host_id,
      host_name: host.host_name,
      wave,
      changes,
      held: heldOn(host, found.held, at),
      reboot,
      link: host.link,
      starts_at: starts_at === null ? null : stamp(starts_at),
      waits_for,
      skipped,
      expected_seconds: host.expected_seconds,
      undo: undoOf(job, host, changes),
      warnings: warningsOf(job, host, at, changes)
    }
    return { shown, planned: job.kind === "rollback" ? reverse(job, host) : changes }
  }
}

export const makePlan = (
  job: PlanJob,
  hosts: ReadonlyArray<PlanHost>,
  at: number,
  skew_ms = 0
): ReadonlyArray<HostPlan> => {
  const planner = makePlanner(job, at, skew_ms)
  return hosts.map((host) => planner(host))
}

/** As it is answered; the hash is made of `planText` where there is a hash function. */
export const toPlan = (job: PlanJob, plans: ReadonlyArray<HostPlan>, at: number, hash: string): Plan => ({
  hash,
  made_at: stamp(at),
  hosts_total: plans.length,
  changes_total: plans.reduce((sum, { shown }) => sum + (shown.changes?.length ?? 0), 0),
  waves: job.waves,
  max_failed: job.max_failed,
  hosts: plans.map(({ shown }) => shown)
})
