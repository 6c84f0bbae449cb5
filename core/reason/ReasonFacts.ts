/** What the reasons of one host are made of. Times are epoch milliseconds. */
import type { DispatchFacts } from "../Dispatch.ts"
import type { HeldPattern } from "../Hold.ts"
import type { HostId, JobId, OrderId } from "../Ids.ts"
import type { JobHostState } from "../JobState.ts"
import type { JobKind, Verdict } from "../Order.ts"
import type { Change, PackageFormat, PackageRequest, Selection } from "../Package.ts"
import type { PlanPatch } from "../plan/PlanFacts.ts"
import type { EffectiveWindows } from "../window/effective.ts"

/** A share of a job on this host that has not ended. */
export interface OpenShare {
  readonly order_id: OrderId
  readonly job_id: JobId
  readonly job_number: number
  readonly kind: JobKind
  readonly selection: Selection
  readonly packages: ReadonlyArray<PackageRequest>
  readonly planned: ReadonlyArray<Change> | null
  readonly state: JobHostState
  readonly job: DispatchFacts["job"]
  readonly order: DispatchFacts["order"]
  /** The dispatcher's own word for which job is in this one's way. */
  readonly busy_with: number | null
}

/** A share that has ended, newest first. */
export interface EndedShare {
  readonly order_id: OrderId
  readonly job_id: JobId
  readonly job_number: number
  readonly kind: JobKind
  readonly finished_at: number
  readonly verdict: Verdict
  readonly message: string
  /** What it set out to do. */
  readonly changes: ReadonlyArray<Change>
}

export interface ReasonHost {
  readonly host_id: HostId
  /** As the worker last measured it. */
  readonly skew_ms: number
  readonly lost: boolean
  readonly parked_reason: string | null
  readonly leaving: boolean
  readonly link: DispatchFacts["host"]["link"]
  readonly link_since: number | null
  /** The words of the last poll that failed. */
  readonly link_reason: string | null
  readonly unresolved: boolean
  readonly format: PackageFormat
  /** Null before the list was read for the first time. */
  readonly patches: ReadonlyArray<PlanPatch> | null
  readonly patches_read_at: number | null
  readonly holds: ReadonlyArray<HeldPattern>
  readonly windows: EffectiveWindows
  readonly open: ReadonlyArray<OpenShare>
  readonly ended: ReadonlyArray<EndedShare>
}
