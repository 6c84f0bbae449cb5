/** What a plan is made of: the job as everything about it is decided, and its hosts as they were last read. */
import type { When } from "../Dispatch.ts"
import type { HeldPattern } from "../Hold.ts"
import type { LinkState } from "../HostState.ts"
import type { AgentJobId, HostId, OrderId } from "../Ids.ts"
import type { JobKind, OnChange, PreCheck, RebootPolicy, RollbackMethod } from "../Order.ts"
import type { Change, PackageFormat, PackageRequest, Patch, Selection } from "../Package.ts"
import type { EffectiveWindows } from "../window/effective.ts"

/** The job's part of a plan. */
export interface PlanJob {
  readonly kind: JobKind
  readonly when: When
  readonly selection: Selection
  readonly packages: ReadonlyArray<PackageRequest>
  readonly method: RollbackMethod | null
  readonly reboot: RebootPolicy
  readonly max_concurrency: number
  /** Hosts in each wave. */
  readonly waves: ReadonlyArray<number>
  readonly max_failed: number | null
  readonly on_change: OnChange
  readonly pin_versions: boolean
  readonly pre_check: PreCheck
  readonly ignore_blackout: boolean
  /** Epoch milliseconds. */
  readonly expires_at: number | null
}

/** A pending patch without what only people read. */
export type PlanPatch = Pick<Patch, "name" | "current_version" | "available_version" | "security" | "requires_reboot">

/** The run that a rollback undoes, on one host. */
export interface UndoneRun {
  readonly order_id: OrderId
  readonly agent_job_id: AgentJobId | null
  /** What it really changed; null where that was never read. */
  readonly effects: ReadonlyArray<Change> | null
}

/** One host, as it was last read. Times are epoch milliseconds. */
export interface PlanHost {
  readonly host_id: HostId
  readonly host_name: string
  readonly link: LinkState
  readonly last_seen_at: number | null
  readonly leaving: boolean
  readonly parked: boolean
  readonly agent_version: string | null
  readonly format: PackageFormat
  /** Null where the agent cannot tell. */
  readonly reboot_needed: boolean | null
  /** Null before the list was read for the first time. */
  readonly patches: ReadonlyArray<PlanPatch> | null
  readonly patches_read_at: number | null
  /** Versions of the packages that matter here, null for those that are not installed; null before the list was read. */
  readonly installed: Readonly<Record<string, string | null>> | null
  /** Versions that the host's repositories still have, by package, where its agent tells. */
  readonly obtainable: Readonly<Record<string, ReadonlyArray<string>>>
  readonly holds: ReadonlyArray<HeldPattern>
  readonly services: ReadonlyArray<string>
  readonly windows: EffectiveWindows
  /** Number of the job that works on the host now. */
  readonly busy_with: number | null
  /** An earlier outcome is unknown and waits for a person. */
  readonly unresolved: boolean
  readonly expected_seconds: number
  /** For a rollback. */
  readonly undone: UndoneRun | null
}
