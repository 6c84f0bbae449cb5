/** Hosts as the API shows them. */
import { Schema } from "effect"
import { HostSummary, LinkState, WorkState } from "./HostState.ts"
import { CertificateId, GroupId, HostId, JobId, OrderId } from "./Ids.ts"
import { JobHostState } from "./JobState.ts"
import { JobKind, Outcome } from "./Order.ts"
import { PackageFormat, Patch } from "./Package.ts"
import { Timestamp } from "./Timestamp.ts"

/** Lower case, at least two labels, as DNS allows them. */
export const Fqdn = Schema.String.check(
  Schema.isPattern(/^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, {
    expected: "a fully qualified host name in small letters, such as web-01.example.org"
  }),
  Schema.isPattern(/[a-z]/, { expected: "a host name, not an address" })
)

const octet = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
const ipv4 = `${octet}(\\.${octet}){3}`

/** IPv4 in dotted decimal, or IPv6; no zone, no prefix length. */
export const IpAddress = Schema.String.check(
  Schema.isMaxLength(45),
  Schema.isPattern(new RegExp(`^(${ipv4}|[0-9a-fA-F]*:[0-9a-fA-F:]*:[0-9a-fA-F:.]*)$`), {
    expected: "an IP address, such as 192.0.2.17 or 2001:db8::17"
  })
)

export const Port = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 65535 }))
export const DisplayName = Schema.String.check(Schema.isTrimmed(), Schema.isMinLength(1), Schema.isMaxLength(200))

/** SHA-256 of an agent's own certificate, for agents whose certificate carries no host id. */
export const Fingerprint = Schema.String.check(
  Schema.isPattern(/^[0-9a-f]{64}$/, { expected: "a SHA-256 fingerprint of 64 small hexadecimal digits" })
)

/** At least one of `fqdn` and `address`; a name alone is resolved once, now. */
export const NewHost = Schema.Struct({
  fqdn: Schema.optionalKey(Fqdn),
  address: Schema.optionalKey(IpAddress),
  agent_port: Schema.optionalKey(Port),
  display_name: Schema.optionalKey(DisplayName),
  bound_fingerprint: Schema.optionalKey(Fingerprint),
  /** An operator with several groups has to name some of them; one with a single group may leave it out. */
  group_ids: Schema.optionalKey(Schema.Array(GroupId).check(Schema.isMaxLength(50), Schema.isUnique()))
}).annotate({ identifier: "NewHost" })
export type NewHost = typeof NewHost.Type

/** Keys left out stay as they are. */
export const HostChange = Schema.Struct({
  fqdn: Schema.optionalKey(Schema.NullOr(Fqdn)),
  address: Schema.optionalKey(IpAddress),
  agent_port: Schema.optionalKey(Port),
  display_name: Schema.optionalKey(DisplayName),
  bound_fingerprint: Schema.optionalKey(Schema.NullOr(Fingerprint))
}).annotate({ identifier: "HostChange" })
export type HostChange = typeof HostChange.Type

const item = {
  id: HostId,
  display_name: Schema.String,
  fqdn: Schema.NullOr(Schema.String),
  address: Schema.String,
  agent_port: Schema.Int,
  os: Schema.NullOr(Schema.String),
  os_version: Schema.NullOr(Schema.String),
  agent_version: Schema.NullOr(Schema.String),
  link: LinkState,
  work: WorkState,
  summary: HostSummary,
  /** Since when the host is in this state. */
  since: Timestamp,
  /** Grows with each transition of the host's machine. */
  state_version: Schema.Int,
  /** Null before the first patch list was read. */
  pending: Schema.NullOr(Schema.Int),
  security: Schema.NullOr(Schema.Int),
  patches_read_at: Schema.NullOr(Timestamp),
  /** Null where the agent cannot tell. */
  reboot_needed: Schema.NullOr(Schema.Boolean),
  last_seen_at: Schema.NullOr(Timestamp),
  /** Grows with each edit; the ETag. */
  version: Schema.Int
}

/** One row of the host list. */
export const HostItem = Schema.Struct(item).annotate({ identifier: "HostItem" })
export type HostItem = typeof HostItem.Type

/** Metadata of a certificate; the private key is kept nowhere. */
export const Certificate = Schema.Struct({
  id: CertificateId,
  subject: Schema.String,
  serial: Schema.String,
  fingerprint_sha256: Schema.String,
  not_before: Timestamp,
  not_after: Timestamp,
  issued_at: Timestamp,
  issued_by: Schema.String,
  revoked_at: Schema.NullOr(Timestamp)
}).annotate({ identifier: "Certificate" })
export type Certificate = typeof Certificate.Type

export const HostHealth = Schema.Struct({
  health: Schema.NullOr(Schema.Literals(["healthy", "degraded"])),
  reason: Schema.NullOr(Schema.String),
  uptime_seconds: Schema.NullOr(Schema.Number),
  polled_at: Schema.NullOr(Timestamp),
  /** The last poll that failed, with the words for the host's page. */
  failure_kind: Schema.NullOr(Schema.String),
  failure_message: Schema.NullOr(Schema.String),
  failed_at: Schema.NullOr(Timestamp),
  next_poll_at: Schema.NullOr(Timestamp)
}).annotate({ identifier: "HostHealth" })
export type HostHealth = typeof HostHealth.Type

export const HostDetail = Schema.Struct({
  ...item,
  kernel: Schema.NullOr(Schema.String),
  architecture: Schema.NullOr(Schema.String),
  package_format: PackageFormat,
  bound_fingerprint: Schema.NullOr(Schema.String),
  groups: Schema.Array(Schema.Struct({ id: Schema.String, name: Schema.String })),
  registered_at: Timestamp,
  registered_by: Schema.String,
  removal_requested_at: Schema.NullOr(Timestamp),
  /** Why the worker set this host aside; null when it is looked after. */
  parked_reason: Schema.NullOr(Schema.String),
  health: HostHealth,
  /** Deadlines of the states the host is in, by timer id. */
  deadlines: Schema.Array(Schema.Struct({ id: Schema.String, due_at: Timestamp })),
  /** The order the host works on, or null. */
  order: Schema.NullOr(
    Schema.Struct({
      id: OrderId,
      job_id: JobId,
      job_number: Schema.Int,
      state: JobHostState,
      progress_percent: Schema.Int
    })
  ),
  certificate: Schema.NullOr(Certificate)
}).annotate({ identifier: "HostDetail" })
export type HostDetail = typeof HostDetail.Type

export const HostPatches = Schema.Struct({
  items: Schema.Array(Patch),
  total: Schema.Int,
  next_cursor: Schema.Null,
  security: Schema.Int,
  /** Null before the list was read for the first time. */
  read_at: Schema.NullOr(Timestamp),
  changed_at: Schema.NullOr(Timestamp)
}).annotate({ identifier: "HostPatches" })
export type HostPatches = typeof HostPatches.Type

export const HostPackages = Schema.Struct({
  items: Schema.Array(Schema.Struct({ name: Schema.String, version: Schema.String })),
  /** Matches of the filter; all installed packages without one. */
  total: Schema.Int,
  next_cursor: Schema.Null,
  read_at: Schema.NullOr(Timestamp)
}).annotate({ identifier: "HostPackages" })
export type HostPackages = typeof HostPackages.Type

/** One line of a host's timeline. */
export const HostTransition = Schema.Struct({
  host_id: HostId,
  version: Schema.Int,
  at: Timestamp,
  event_type: Schema.String,
  from_link: LinkState,
  to_link: LinkState,
  from_work: WorkState,
  to_work: WorkState,
  order_id: Schema.NullOr(OrderId),
  /** The person or policy behind it, where there is one. */
  by: Schema.NullOr(Schema.String),
  /** What happened, in one sentence. */
  words: Schema.String
}).annotate({ identifier: "HostTransition" })
export type HostTransition = typeof HostTransition.Type

/** A job's share of one host, seen from the host. */
export const HostJob = Schema.Struct({
  order_id: OrderId,
  job_id: JobId,
  job_number: Schema.Int,
  kind: JobKind,
  state: JobHostState,
  outcome: Schema.NullOr(Outcome),
  requested_by: Schema.String,
  created_at: Timestamp,
  started_at: Schema.NullOr(Timestamp),
  finished_at: Schema.NullOr(Timestamp)
}).annotate({ identifier: "HostJob" })
export type HostJob = typeof HostJob.Type

/** Answered once; the manager keeps everything but the private key. */
export const IssuedCertificate = Schema.Struct({
  certificate: Certificate,
  certificate_pem: Schema.String,
  private_key_pem: Schema.String,
  ca_pem: Schema.String,
  /** What to type in a root shell on the host, one command a line. */
  install_commands: Schema.String
}).annotate({ identifier: "IssuedCertificate" })
export type IssuedCertificate = typeof IssuedCertificate.Type
