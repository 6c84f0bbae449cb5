/** Looking for agents in a network: a scan, what it found at each address, and what became of registering it. */
import { Schema } from "effect"
import { IpAddress, Port } from "./Host.ts"
import { DiscoveryId, GroupId, HostId } from "./Ids.ts"
import { Timestamp } from "./Timestamp.ts"

/** Most addresses of one scan: a /22. */
export const MAX_SCAN_ADDRESSES = 1024

/** Key in system_config: a JSON array of networks in CIDR notation. Absent or empty means that nothing may be scanned. */
export const DISCOVERY_NETWORKS = "discovery_networks"

/** `interrupted`: the worker ended in the middle; what was found until then stays. */
export const ScanState = Schema.Literals(["queued", "running", "done", "cancelled", "interrupted", "failed"]).annotate({
  identifier: "ScanState"
})
export type ScanState = typeof ScanState.Type

/**
 * What an address turned out to be, as far as a probe that shows no certificate of its own can know:
 * `agent` presents a host certificate of our authority; `agent_other_certificate` speaks TLS 1.3 and insists on a client
 * certificate, as agents do, but its own is not ours; `other_service` accepts connections and is neither; `closed` refuses;
 * `no_answer` is silent, or accepts and then says nothing.
 */
export const Verdict = Schema.Literals([
  "agent",
  "agent_other_certificate",
  "other_service",
  "closed",
  "no_answer"
]).annotate({ identifier: "Verdict" })
export type Verdict = typeof Verdict.Type

/** What can be registered from a scan. */
export const registrableVerdicts: ReadonlyArray<Verdict> = ["agent", "agent_other_certificate"]

export const NewScan = Schema.Struct({
  /** A network such as `10.1.2.0/24`, or one address. */
  cidr: Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(64)),
  port: Schema.optionalKey(Port)
}).annotate({ identifier: "NewScan" })
export type NewScan = typeof NewScan.Type

export const ScanCounts = Schema.Struct({
  agent: Schema.Int,
  agent_other_certificate: Schema.Int,
  other_service: Schema.Int,
  closed: Schema.Int,
  no_answer: Schema.Int
}).annotate({ identifier: "ScanCounts" })
export type ScanCounts = typeof ScanCounts.Type

export const DiscoveryScan = Schema.Struct({
  id: DiscoveryId,
  cidr: Schema.String,
  port: Schema.Int,
  state: ScanState,
  addresses_total: Schema.Int,
  addresses_probed: Schema.Int,
  /** Agents with a certificate of ours. */
  found: Schema.Int,
  /** Null for callers who may not scan: they see our own agents only. */
  counts: Schema.NullOr(ScanCounts),
  /** Why it failed or was interrupted. */
  message: Schema.NullOr(Schema.String),
  requested_by: Schema.String,
  cancel_requested_at: Schema.NullOr(Timestamp),
  created_at: Timestamp,
  started_at: Schema.NullOr(Timestamp),
  finished_at: Schema.NullOr(Timestamp)
}).annotate({ identifier: "DiscoveryScan" })
export type DiscoveryScan = typeof DiscoveryScan.Type

export const DiscoveryResult = Schema.Struct({
  address: Schema.String,
  verdict: Verdict,
  /** The name in a certificate that our authority issued; null for any other certificate. */
  fqdn: Schema.NullOr(Schema.String),
  /** The registered host whose certificate it presents, or else the one at this address and port. */
  registered: Schema.NullOr(
    Schema.Struct({
      host_id: HostId,
      display_name: Schema.String,
      address: Schema.String,
      by: Schema.Literals(["certificate", "address"])
    })
  )
}).annotate({ identifier: "DiscoveryResult" })
export type DiscoveryResult = typeof DiscoveryResult.Type

export const Registering = Schema.Struct({
  addresses: Schema.Array(IpAddress).check(Schema.isMinLength(1), Schema.isMaxLength(MAX_SCAN_ADDRESSES)),
  /** Groups that all of them go into; every operator sees a host in none. */
  group_ids: Schema.optionalKey(Schema.Array(GroupId).check(Schema.isMaxLength(20), Schema.isUnique()))
}).annotate({ identifier: "Registering" })
export type Registering = typeof Registering.Type

/** What became of one address. */
export const RegisterOutcome = Schema.Struct({
  address: Schema.String,
  outcome: Schema.Literals(["registered", "already_registered", "refused"]),
  host_id: Schema.NullOr(HostId),
  message: Schema.String
}).annotate({ identifier: "RegisterOutcome" })
export type RegisterOutcome = typeof RegisterOutcome.Type

export const RegisterOutcomes = Schema.Struct({
  items: Schema.Array(RegisterOutcome),
  registered: Schema.Int
}).annotate({ identifier: "RegisterOutcomes" })
export type RegisterOutcomes = typeof RegisterOutcomes.Type
