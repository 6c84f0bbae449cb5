/** Branded identifiers. All are UUIDv7 text, so they sort by creation and reveal nothing about their neighbours. */
import { Schema } from "effect"

const Uuid = Schema.String.check(Schema.isUUID())

/** A registered host; stands in its certificate as `urn:patch-manager:host:<id>`. */
export const HostId = Uuid.pipe(Schema.brand("HostId"))
export type HostId = typeof HostId.Type

/** A job as the operator sees it. */
export const JobId = Uuid.pipe(Schema.brand("JobId"))
export type JobId = typeof JobId.Type

/** One host's share of one job: the row in patch_job_hosts and the order its machine carries. */
export const OrderId = Uuid.pipe(Schema.brand("OrderId"))
export type OrderId = typeof OrderId.Type

/** One mutating call, `<order id>/<n>`: deterministic, so that a replay names the same intent. */
export const IntentId = Schema.NonEmptyString.pipe(Schema.brand("IntentId"))
export type IntentId = typeof IntentId.Type

export const UserId = Uuid.pipe(Schema.brand("UserId"))
export type UserId = typeof UserId.Type

export const GroupId = Uuid.pipe(Schema.brand("GroupId"))
export type GroupId = typeof GroupId.Type

export const TokenId = Uuid.pipe(Schema.brand("TokenId"))
export type TokenId = typeof TokenId.Type

/** A sign-in with all its refreshes; the family of its refresh tokens. */
export const SessionId = Uuid.pipe(Schema.brand("SessionId"))
export type SessionId = typeof SessionId.Type

export const PasskeyId = Uuid.pipe(Schema.brand("PasskeyId"))
export type PasskeyId = typeof PasskeyId.Type

export const CertificateId = Uuid.pipe(Schema.brand("CertificateId"))
export type CertificateId = typeof CertificateId.Type

export const WindowId = Uuid.pipe(Schema.brand("WindowId"))
export type WindowId = typeof WindowId.Type

export const HoldId = Uuid.pipe(Schema.brand("HoldId"))
export type HoldId = typeof HoldId.Type

export const DiscoveryId = Uuid.pipe(Schema.brand("DiscoveryId"))
export type DiscoveryId = typeof DiscoveryId.Type

export const EnrolmentId = Uuid.pipe(Schema.brand("EnrolmentId"))
export type EnrolmentId = typeof EnrolmentId.Type

export const AuditVerificationId = Uuid.pipe(Schema.brand("AuditVerificationId"))
export type AuditVerificationId = typeof AuditVerificationId.Type

export const SsoProviderId = Uuid.pipe(Schema.brand("SsoProviderId"))
export type SsoProviderId = typeof SsoProviderId.Type

/** The agent's own job id; foreign text, only ever compared. */
export const AgentJobId = Schema.NonEmptyString.check(Schema.isMaxLength(200)).pipe(Schema.brand("AgentJobId"))
export type AgentJobId = typeof AgentJobId.Type

/** Identity written into a host's certificate. */
export const hostUri = (id: HostId): string => `urn:patch-manager:host:${id}`
