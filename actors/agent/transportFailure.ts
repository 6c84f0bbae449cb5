/** Turns what happened on a connection into the failure an operator understands. */
import type { AgentFailureKind } from "#core/AgentFailure.ts"
import { agentFailure, type AgentFailure, type Delivery } from "./AgentFailure.ts"
import { type AgentTarget, describeTarget } from "./AgentTarget.ts"
import { IdentityMismatch } from "./checkIdentity.ts"
import type { Link } from "./dial.ts"

type Seen = Pick<Link, "secure" | "resumed" | "ticketSeen" | "firstError">

type Found = readonly [kind: AgentFailureKind, what: string]

const codeOf = (error: Error): string => (error as NodeJS.ErrnoException).code ?? ""

const AUTHORITY =
  "certificate was not issued by this manager's CA. Issue a host certificate here and install it on the host."
const NO_ROUTE = "There is no route to it. Check the address and the network between."

const byCode: Readonly<Record<string, Found>> = {
  ECONNREFUSED: [
    "refused",
    "It refused the connection: nothing listens there. Start linux-patch-api on the host or correct the port."
  ],
  ETIMEDOUT: ["connect_timeout", "No connection came about. Check that the host is up and no firewall drops the port."],
  EHOSTUNREACH: ["unreachable_network", NO_ROUTE],
  ENETUNREACH: ["unreachable_network", NO_ROUTE],
  EHOSTDOWN: ["unreachable_network", NO_ROUTE],
  ENETDOWN: ["unreachable_network", NO_ROUTE],
  EADDRNOTAVAIL: ["unreachable_network", NO_ROUTE],
  EINVAL: ["unreachable_network", NO_ROUTE],
  EACCES: ["unreachable_network", "A local firewall rule forbids the connection."],
  EPERM: ["unreachable_network", "A local firewall rule forbids the connection."],
  ENOTFOUND: ["name_not_found", "The name cannot be resolved. Correct it or register the host by address."],
  EAI_AGAIN: [
    "name_not_found",
    "The name server does not answer. Register the host by address or repair name resolution."
  ],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ["wrong_authority", `Its ${AUTHORITY}`],
  SELF_SIGNED_CERT_IN_CHAIN: ["wrong_authority", `Its ${AUTHORITY}`],
  DEPTH_ZERO_SELF_SIGNED_CERT: ["wrong_authority", `Its self-signed ${AUTHORITY}`],
  UNABLE_TO_GET_ISSUER_CERT: ["wrong_authority", `Its ${AUTHORITY}`],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ["wrong_authority", `Its ${AUTHORITY}`],
  CERT_SIGNATURE_FAILURE: ["wrong_authority", `Its ${AUTHORITY}`],
  CERT_UNTRUSTED: ["wrong_authority", `Its ${AUTHORITY}`],
  INVALID_CA: ["wrong_authority", `Its ${AUTHORITY}`],
  CERT_CHAIN_TOO_LONG: ["wrong_authority", `Its ${AUTHORITY}`],
  PATH_LENGTH_EXCEEDED: ["wrong_authority", `Its ${AUTHORITY}`],
  CERT_HAS_EXPIRED: [
    "certificate_expired",
    "Its certificate has expired. Issue a new host certificate and install it on the host."
  ],
  CERT_NOT_YET_VALID: [
    "certificate_not_yet_valid",
    "Its certificate is not valid yet. Check the clocks of host and manager."
  ],
  CERT_REVOKED: [
    "wrong_authority",
    "Its certificate has been revoked. Issue a new host certificate and install it on the host."
  ],
  // Node's word for what OpenSSL refuses in a certificate and Node has no code for: a digest or a key that is too weak.
  UNSPECIFIED: [
    "certificate_unusable",
    "Its certificate is signed or keyed too weakly. Issue a host certificate here and install it."
  ],
  INVALID_PURPOSE: [
    "certificate_unusable",
    "Its certificate is not made for a server (extended key usage serverAuth is missing). Issue a host certificate here and install it."
  ],
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: [
    "protocol_error",
    "It does not speak TLS 1.3, which the manager requires. Update the agent."
  ],
  ERR_SSL_UNSUPPORTED_PROTOCOL: [
    "protocol_error",
    "It does not speak TLS 1.3, which the manager requires. Update the agent."
  ],
  ERR_SSL_WRONG_VERSION_NUMBER: [
    "not_tls",
    "What answers there does not speak TLS: expected the agent's HTTPS port. Check the port."
  ],
  ERR_SSL_PACKET_LENGTH_TOO_LONG: [
    "not_tls",
    "What answers there does not speak TLS: expected the agent's HTTPS port. Check the port."
  ],
  ERR_SSL_HTTP_REQUEST: [
    "not_tls",
    "What answers there speaks plain HTTP: expected the agent's HTTPS port. Check the port."
  ],
  UND_ERR_HEADERS_OVERFLOW: [
    "too_large",
    "The headers of its answer exceed 16 KiB. Look at the agent's log on the host."
  ]
}

/** TLS alerts by which an agent says that it does not accept our certificate. */
const CERTIFICATE_ALERT =
  /ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_|UNSUPPORTED_CERTIFICATE|NO_CERTIFICATE|ACCESS_DENIED|HANDSHAKE_FAILURE|DECRYPT_ERROR)/

const INSTALL_CA =
  "Install this manager's CA certificate on the host as /etc/linux_patch_api/certs/ca.pem and restart linux-patch-api."

const ourCertificate = (code: string): Found => [
  "client_certificate_refused",
  code === ""
    ? `It closed the connection instead of accepting the manager's certificate. ${INSTALL_CA}`
    : `It refuses the manager's certificate (${code.replace(/^ERR_SSL_/, "").toLowerCase()}). ${INSTALL_CA}`
]

const beforeHandshake = (error: Error): Found => {
  if (error instanceof IdentityMismatch) return [error.kind, `It ${error.message}`]
  const code = codeOf(error)
  const known = byCode[code]
  if (known) return known
  if (CERTIFICATE_ALERT.test(code)) return ourCertificate(code)
  if (code.startsWith("ERR_SSL_") || code === "EPROTO") {
    return [
      "protocol_error",
      `The TLS handshake failed (${code.replace(/^ERR_SSL_/, "").toLowerCase()}); expected TLS 1.3.`
    ]
  }
  return ["connection_lost", "The connection broke during the TLS handshake. Look at the agent's log on the host."]
}

const afterHandshake = (link: Seen, error: Error, answerBegan: boolean, limitBytes: number): Found => {
  const code = codeOf(error)
  if (code === "UND_ERR_RES_EXCEEDED_MAX_SIZE") {
    return [
      "too_large",
      `Its answer exceeds the limit of ${limitBytes / 1024} KiB. Look at the agent's log on the host.`
    ]
  }
  const known = byCode[code]
  if (known?.[0] === "too_large") return known
  if (error.name === "HTTPParserError") {
    return ["unreadable_answer", "Its answer is not HTTP. Check the port and the agent's version."]
  }
  const first = codeOf(link.firstError ?? error)
  if (CERTIFICATE_ALERT.test(first)) return ourCertificate(first)
  // Agents send a session ticket once they accept our certificate; one that closes before that has not accepted it.
  if (!answerBegan && !link.ticketSeen && !link.resumed) return ourCertificate("")
  return answerBegan
    ? ["connection_lost", "The connection broke in the middle of the answer. The manager asks again."]
    : [
        "connection_lost",
        "It closed the connection without an answer. If it always does, the manager's address is missing in /etc/linux_patch_api/whitelist.yaml."
      ]
}

export const transportFailure = (
  target: AgentTarget,
  link: Seen,
  error: Error,
  call: { readonly delivery: Delivery; readonly answerBegan: boolean; readonly limitBytes: number }
): AgentFailure => {
  const [kind, what] = link.secure
    ? afterHandshake(link, error, call.answerBegan, call.limitBytes)
    : beforeHandshake(error)
  return agentFailure(kind, { message: `${describeTarget(target)}: ${what}`, delivery: call.delivery })
}
