/**
 * The web process' one way out to other people's servers: HTTPS only, no redirects, an address that was checked is the one that is
 * connected to, and every answer has a deadline and a size.
 */
import { lookup } from "node:dns"
import { isIP, type LookupFunction } from "node:net"
import { networkInterfaces } from "node:os"
import { Agent, fetch } from "undici"
import { egressRefusal, type EgressRules } from "#core/egress.ts"

/** For connecting and for the whole answer. */
export const EGRESS_DEADLINE_MS = 5000
const MAX_ANSWER_BYTES = 262_144

/** Not called, whoever asks. Its message says why. */
export class EgressRefused extends Error {
  override readonly name = "EgressRefused"
}

const ownAddresses = (): ReadonlySet<string> =>
  new Set(Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address)))

const refusalOf = (address: string, rules: EgressRules): string | null => {
  if (!rules.loopback && ownAddresses().has(address)) return "This is the manager's own machine."
  return egressRefusal(address, rules)
}

const bare = (hostname: string): string => hostname.replace(/^\[|\]$/g, "")

/** Resolves once, and refuses the name where any of its addresses may not be called. */
export const guardedLookup =
  (rules: EgressRules): LookupFunction =>
  (hostname, options, callback) => {
    lookup(hostname, { all: true, verbatim: true }, (error, addresses) => {
      const first = addresses?.[0]
      if (error !== null || first === undefined) {
        callback(error ?? new Error(`${hostname} has no address`), "", 0)
        return
      }
      const refusal = addresses.map(({ address }) => refusalOf(address, rules)).find((words) => words !== null)
      if (refusal !== undefined) callback(new EgressRefused(refusal), "", 0)
      else if (options.all === true) callback(null, addresses)
      else callback(null, first.address, first.family)
    })
  }

/** Null where the address in this URL may be called, or is a name, which is checked when it is resolved. */
export const literalRefusal = (url: URL, rules: EgressRules): string | null => {
  const host = bare(url.hostname)
  return isIP(host) === 0 ? null : refusalOf(host, rules)
}

export interface Egress {
  readonly fetch: (url: string, options?: RequestInit) => Promise<Response>
  readonly close: () => Promise<void>
}

/** `ca` is trusted instead of the public authorities. */
export const makeEgress = (rules: EgressRules, ca: string | null): Egress => {
  const agent = new Agent({
    allowH2: false,
    connections: 4,
    connect: { timeout: EGRESS_DEADLINE_MS, lookup: guardedLookup(rules), ...(ca === null ? {} : { ca }) },
    headersTimeout: EGRESS_DEADLINE_MS,
    bodyTimeout: EGRESS_DEADLINE_MS,
    keepAliveTimeout: 1000,
    maxHeaderSize: 16_384,
    maxResponseSize: MAX_ANSWER_BYTES
  })
  const call = async (address: string, options: RequestInit = {}): Promise<Response> => {
    const url = new URL(address)
    if (url.protocol !== "https:") throw new EgressRefused(`${url.origin} is not called: only https:// is.`)
    const refusal = literalRefusal(url, rules)
    if (refusal !== null) throw new EgressRefused(refusal)
    const deadline = AbortSignal.timeout(EGRESS_DEADLINE_MS)
    const { body, headers, method = "GET", signal } = options
    // undici's own types of a body and of headers differ from the DOM's by name only.
    const sent = { body, headers, method } as Parameters<typeof fetch>[1]
    const answer = await fetch(url, {
      ...sent,
      redirect: "manual",
      dispatcher: agent,
      signal: signal ? AbortSignal.any([signal, deadline]) : deadline
    })
    return answer as unknown as Response
  }
  return { fetch: call, close: () => agent.destroy() }
}

/** The codes of an error and of what caused it, outermost first. */
export const codesOf = (error: unknown): ReadonlyArray<string> => {
  const codes: Array<string> = []
  for (let at = error; at instanceof Error && codes.length < 8; at = at.cause) {
    if ("code" in at && typeof at.code === "string") codes.push(at.code)
    if (at instanceof EgressRefused) codes.push("EGRESS_REFUSED")
  }
  return codes
}

/** What Node says of a certificate that it does not trust. */
const certificateCodes = /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_CERT_|INVALID_CA|HOSTNAME_MISMATCH)/

export const isCertificateError = (error: unknown): boolean =>
  codesOf(error).some((code) => certificateCodes.test(code))

/** The sentence of a refused address; null for any other error. */
export const egressWords = (error: unknown): string | null => {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++) {
    if (at instanceof EgressRefused) return at.message
  }
  return null
}
