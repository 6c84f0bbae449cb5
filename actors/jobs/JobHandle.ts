/** One job as the worker holds it in memory: its state, and what was found about each order that has not started. */
import { Queue } from "effect"
import type { WaitReason } from "#core/Dispatch.ts"
import type { HostId } from "#core/Ids.ts"
import type { JobEvent } from "#core/JobEvent.ts"
import type { JobSnapshot } from "#machines/jobStep.ts"
import type { StoredJob } from "#sql/JobSnapshotStore.ts"

/** How an order stood when it was last judged; null for one that may start. */
export interface Standing {
  readonly reason: WaitReason["code"] | null
  /** Epoch milliseconds at which it has to be judged again whatever happens; null for not before something happens. */
  readonly until: number | null
}

export interface JobHandle {
  readonly job: StoredJob
  snapshot: JobSnapshot
  version: number
  readonly mailbox: Queue.Queue<JobEvent | "look">
  /** In the order in which hosts are served. A job has a host once, so the host names the order. */
  readonly standings: Map<HostId, Standing>
  /** Hosts that are being handed their order just now. */
  readonly handing: Set<HostId>
  /** Hosts about which something may have changed since they were judged; null for all. */
  changed: Set<HostId> | null
  /** What held for the whole job when its orders were judged. */
  judgedUnder: string
}

/** Makes the job look at these hosts again, at all of them, or only at its counts. */
export const touch = (handle: JobHandle, hosts: ReadonlyArray<HostId> | "all" = []): void => {
  if (hosts === "all") handle.changed = null
  else if (handle.changed !== null) for (const host of hosts) handle.changed.add(host)
  Queue.offerUnsafe(handle.mailbox, "look")
}
