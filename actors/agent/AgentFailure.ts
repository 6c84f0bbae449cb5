/** The errors of a call to an agent: one class for each kind, all with the same facts. */
import { Data } from "effect"
import type { AgentFailureKind } from "#core/AgentFailure.ts"

/**
 * What is known about a mutating request that failed. `unsent`: not one byte of it left; `refused`: the agent said no;
 * `unclear`: anything else, it may have had its effect.
 */
export type Delivery = "unsent" | "refused" | "unclear"

export interface FailureFacts {
  /** For the operator: where, what was found, what to do. */
  readonly message: string
  readonly delivery: Delivery
  readonly retryable: boolean
  /** The agent's Retry-After. */
  readonly retry_after_ms: number | null
  /** The agent's own error code. */
  readonly code: string | null
  /** HTTP status, null where there was no answer. */
  readonly status: number | null
}

const failure = <Tag extends string, Kind extends AgentFailureKind>(tag: Tag, kind: Kind) => {
  abstract class Failure extends Data.TaggedError(tag)<FailureFacts> {
    readonly kind: Kind = kind
  }
  return Failure
}

export class AgentRefusedConnection extends failure("AgentRefusedConnection", "refused") {}
export class AgentConnectTimeout extends failure("AgentConnectTimeout", "connect_timeout") {}
export class AgentTimedOut extends failure("AgentTimedOut", "timed_out") {}
export class AgentConnectionLost extends failure("AgentConnectionLost", "connection_lost") {}
export class AgentNetworkUnreachable extends failure("AgentNetworkUnreachable", "unreachable_network") {}
export class AgentNameNotFound extends failure("AgentNameNotFound", "name_not_found") {}
export class AgentWrongAuthority extends failure("AgentWrongAuthority", "wrong_authority") {}
export class AgentCertificateExpired extends failure("AgentCertificateExpired", "certificate_expired") {}
export class AgentCertificateNotYetValid extends failure("AgentCertificateNotYetValid", "certificate_not_yet_valid") {}
export class AgentWrongName extends failure("AgentWrongName", "wrong_name") {}
export class AgentWrongIdentity extends failure("AgentWrongIdentity", "wrong_identity") {}
export class AgentCertificateUnusable extends failure("AgentCertificateUnusable", "certificate_unusable") {}
export class AgentCertificateRevoked extends failure("AgentCertificateRevoked", "certificate_revoked") {}
export class ManagerCertificateExpired extends failure("ManagerCertificateExpired", "manager_certificate_expired") {}
export class AgentProtocolError extends failure("AgentProtocolError", "protocol_error") {}
export class AgentNotTls extends failure("AgentNotTls", "not_tls") {}
export class AgentRefusedOurCertificate extends failure("AgentRefusedOurCertificate", "client_certificate_refused") {}
export class AgentAnswerTooLarge extends failure("AgentAnswerTooLarge", "too_large") {}
export class AgentRateLimited extends failure("AgentRateLimited", "rate_limited") {}
export class AgentRejected extends failure("AgentRejected", "rejected") {}
export class AgentErrored extends failure("AgentErrored", "agent_error") {}
export class AgentNotFound extends failure("AgentNotFound", "not_found") {}
export class AgentAnswerUnreadable extends failure("AgentAnswerUnreadable", "unreadable_answer") {}
export class AgentBusy extends failure("AgentBusy", "busy") {}

const classes = {
  refused: AgentRefusedConnection,
  connect_timeout: AgentConnectTimeout,
  timed_out: AgentTimedOut,
  connection_lost: AgentConnectionLost,
  unreachable_network: AgentNetworkUnreachable,
  name_not_found: AgentNameNotFound,
  wrong_authority: AgentWrongAuthority,
  certificate_expired: AgentCertificateExpired,
  certificate_not_yet_valid: AgentCertificateNotYetValid,
  wrong_name: AgentWrongName,
  wrong_identity: AgentWrongIdentity,
  certificate_unusable: AgentCertificateUnusable,
  certificate_revoked: AgentCertificateRevoked,
  manager_certificate_expired: ManagerCertificateExpired,
  protocol_error: AgentProtocolError,
  not_tls: AgentNotTls,
  client_certificate_refused: AgentRefusedOurCertificate,
  too_large: AgentAnswerTooLarge,
  rate_limited: AgentRateLimited,
  rejected: AgentRejected,
  agent_error: AgentErrored,
  not_found: AgentNotFound,
  unreadable_answer: AgentAnswerUnreadable,
  busy: AgentBusy
} satisfies Record<AgentFailureKind, unknown>

export type AgentFailure = InstanceType<(typeof classes)[AgentFailureKind]>

/** Kinds that may go away by themselves. */
const transient: ReadonlySet<AgentFailureKind> = new Set<AgentFailureKind>([
  "refused",
  "connect_timeout",
  "timed_out",
  "connection_lost",
  "unreachable_network",
  "name_not_found",
  "rate_limited",
  "agent_error",
  "busy"
])

/** Builds the class that belongs to the kind; what is not given is unknown. */
export const agentFailure = (
  kind: AgentFailureKind,
  facts: Pick<FailureFacts, "message" | "delivery"> & Partial<FailureFacts>
): AgentFailure =>
  new classes[kind]({ retryable: transient.has(kind), retry_after_ms: null, code: null, status: null, ...facts })
