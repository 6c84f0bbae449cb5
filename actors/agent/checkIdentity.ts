/** Whether the certificate of a full handshake belongs to the registered host. The chain has been verified before. */
import type { PeerCertificate } from "node:tls"
import { isIP, SocketAddress } from "node:net"
import type { AgentFailureKind } from "#core/AgentFailure.ts"
import { hostUri } from "#core/Ids.ts"
import type { AgentTarget } from "./AgentTarget.ts"

const HOST_URI = "urn:patch-manager:host:"

export class IdentityMismatch extends Error {
  readonly kind: AgentFailureKind
  constructor(kind: AgentFailureKind, message: string) {
    super(message)
    this.kind = kind
  }
}

interface Names {
  readonly dns: ReadonlyArray<string>
  readonly ip: ReadonlyArray<string>
  readonly uri: ReadonlyArray<string>
}

/** Node quotes a name that contains a separator; such a name is none that we issue and stays unmatched. */
const parseNames = (text: string | undefined): Names => {
  const names = { dns: new Array<string>(), ip: new Array<string>(), uri: new Array<string>() }
  if (!text) return names
  for (const part of text.split(", ")) {
    if (part.startsWith("DNS:")) names.dns.push(part.slice(4).toLowerCase())
    else if (part.startsWith("IP Address:")) names.ip.push(part.slice(11))
    else if (part.startsWith("URI:")) names.uri.push(part.slice(4))
  }
  return names
}

const canonicalAddress = (text: string): string =>
  isIP(text) === 6 ? new SocketAddress({ address: text, family: "ipv6" }).address : text

const plainFingerprint = (text: string): string => text.replaceAll(":", "").toLowerCase()

const list = (names: Names): string => [...names.dns, ...names.ip].join(", ") || "nothing"

/** Below it an RSA key counts for less than 128 bits (NIST SP 800-57 part 1, revision 5, table 2). */
const RSA_BITS = 3072

/** What no certificate of ours has, whoever had it signed with our CA. */
const unusable = ({ bits, ca, modulus }: PeerCertificate): string | null => {
  if (ca) return "presents a certificate that may sign others"
  if (modulus !== undefined && (bits ?? 0) < RSA_BITS)
    return `presents a certificate with an RSA key of ${bits ?? 0} bits`
  return null
}

export const checkIdentity = (target: AgentTarget, certificate: PeerCertificate): IdentityMismatch | undefined => {
  const fault = unusable(certificate)
  if (fault !== null) {
    return new IdentityMismatch("certificate_unusable", `${fault}. Issue a host certificate here and install it.`)
  }
  const names = parseNames(certificate.subjectaltname)
  const hostUris = names.uri.filter((uri) => uri.startsWith(HOST_URI))
  const foreign = hostUris.find((uri) => uri !== hostUri(target.host_id))
  if (foreign !== undefined) {
    return new IdentityMismatch(
      "wrong_identity",
      `presents the certificate of host ${foreign.slice(HOST_URI.length)} (it names ${list(names)}), not that of host ${target.host_id}. Find out which machine answers at this address.`
    )
  }
  if (names.dns.some((name) => name.includes("*"))) {
    return new IdentityMismatch(
      "wrong_name",
      `presents a wildcard certificate (${list(names)}); one certificate must name one host. Issue a host certificate here and install it.`
    )
  }
  const wanted = target.name?.toLowerCase().replace(/\.$/, "") ?? canonicalAddress(target.address)
  const found =
    target.name === null ? names.ip.some((ip) => canonicalAddress(ip) === wanted) : names.dns.includes(wanted)
  if (!found) {
    return new IdentityMismatch(
      "wrong_name",
      `presents a certificate for ${list(names)}, but is registered as ${wanted}. Issue a certificate for the registered ${target.name === null ? "address" : "name"} or correct the registration.`
    )
  }
  const presented = plainFingerprint(certificate.fingerprint256)
  if (target.revoked_fingerprints?.some((revoked) => plainFingerprint(revoked) === presented)) {
    return new IdentityMismatch(
      "certificate_revoked",
      `presents a certificate that was revoked when a newer one was issued (SHA-256 ${presented}). Install the host's newest certificate and restart the agent.`
    )
  }
  if (hostUris.length > 0) return undefined
  if (target.bound_fingerprint !== null && plainFingerprint(target.bound_fingerprint) === presented) return undefined
  return new IdentityMismatch(
    "wrong_identity",
    target.bound_fingerprint === null
      ? `presents a certificate without a host id (SHA-256 ${presented}). Issue a host certificate here, or bind this fingerprint to the host if you know it.`
      : `presents a certificate without a host id whose fingerprint ${presented} is not the one bound to this host. Find out who changed it.`
  )
}
