/** One host as the worker holds it in memory: where its agent is, its state, and the mailbox of its fiber. */
import { Queue } from "effect"
import type { HostEvent } from "#core/HostEvent.ts"
import type { HostId } from "#core/Ids.ts"
import type { HostSnapshot } from "#machines/step.ts"
import type { StoredHost } from "#sql/HostSnapshotStore.ts"
import type { AgentTarget } from "../agent/AgentTarget.ts"

/** A host's event; a deadline names its timer's arming, since a timer armed anew has the same type. */
export interface Mail {
  readonly event: HostEvent
  readonly armed?: ArmedTimer
  /** Told once the event has been dealt with, whatever came of it; never where the actor ended before. */
  readonly handled?: () => void
}

export interface ArmedTimer {
  readonly host: HostHandle
  readonly id: string
  readonly version: number
}

export interface HostHandle {
  readonly id: HostId
  target: AgentTarget
  snapshot: HostSnapshot
  version: number
  readonly mailbox: Queue.Queue<Mail>
  /** Monotonic milliseconds of the last reads; null when never read. */
  patchesReadAt: number | null
  packagesReadAt: number | null
  /** A refresh asks for everything at the next poll. */
  fullReadWanted: boolean
}

export const targetOf = (stored: StoredHost): AgentTarget => ({
  host_id: stored.id,
  name: stored.fqdn,
  address: stored.address,
  port: stored.agent_port,
  bound_fingerprint: stored.bound_fingerprint,
  revoked_fingerprints: stored.revoked_fingerprints,
  trust_generation: stored.trust_generation
})
