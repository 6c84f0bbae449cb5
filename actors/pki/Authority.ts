/** The certificate authority, as the web process holds it: issues host certificates with the key in its directory. */
import { Context, Effect, Layer } from "effect"
import { isIP } from "node:net"
import { type HostId, hostUri } from "#core/Ids.ts"
import { AuthorityError } from "./AuthorityError.ts"
import { fingerprint } from "./fingerprint.ts"
import { belongTogether, certificatePath, readPair } from "./keyFiles.ts"
import { type KeyPair, makeIssuer, type SubjectName } from "./mint.ts"
import { mintCrl } from "./mintCrl.ts"

export interface HostCertificateRequest {
  readonly hostId: HostId
  readonly fqdn: string | null
  /** IPv4 or IPv6, without a prefix length. */
  readonly address: string
}

/** The private key exists only here: it is answered once and stored nowhere. */
export interface HostCertificate extends KeyPair {
  readonly ca_pem: string
  readonly serial: string
  readonly fingerprint_sha256: string
  readonly not_before: Date
  readonly not_after: Date
}

const HOST_NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?)*$/

const hostNames = (request: HostCertificateRequest): Array<SubjectName> | AuthorityError => {
  const names: Array<SubjectName> = []
  if (request.fqdn !== null) {
    const value = request.fqdn.toLowerCase().replace(/\.$/, "")
    if (!HOST_NAME.test(value) || isIP(value)) {
      return new AuthorityError({ message: `No certificate for "${request.fqdn}": it is not a host name.` })
    }
    names.push({ type: "dns", value })
  }
  if (isIP(request.address) === 0) {
    return new AuthorityError({ message: `No certificate for "${request.address}": it is not an IP address.` })
  }
  names.push({ type: "ip", value: request.address }, { type: "url", value: hostUri(request.hostId) })
  return names
}

/** A list is signed anew each day, long before the one handed out last ends. */
const CRL_RENEWED_AFTER = 24 * 3600_000

/** One signature a day, however often the list is asked for. */
const makeCrlCache = (ca: KeyPair) => {
  let made: { readonly at: number; readonly pem: Promise<string> } | undefined
  return (now: number): Promise<string> => {
    if (made === undefined || now - made.at > CRL_RENEWED_AFTER || now < made.at) {
      const pem = mintCrl(ca, now)
      made = { at: now, pem }
      pem.catch(() => (made = undefined))
    }
    return made.pem
  }
}

const make = async (ca: KeyPair, hostDays: number) => {
  const issue = await makeIssuer(ca)
  const crl = makeCrlCache(ca)
  return {
    ca_pem: ca.certificate_pem,
    ca_fingerprint_sha256: fingerprint(ca.certificate_pem),
    /** The revocation list in force, PEM. */
    crl: Effect.tryPromise({
      try: () => crl(Date.now()),
      catch: (cause) => new AuthorityError({ message: `The revocation list cannot be signed: ${String(cause)}`, cause })
    }),
    /** A server certificate for one host: DNS name, address and host id as subject alternative names. */
    issueHost: Effect.fnUntraced(function* (request: HostCertificateRequest) {
      const names = hostNames(request)
      if (names instanceof AuthorityError) return yield* names
      const minted = yield* Effect.tryPromise({
        try: () => issue({ commonName: request.hostId, names, purpose: "server", days: hostDays }),
        catch: (cause) => new AuthorityError({ message: `The certificate cannot be signed: ${String(cause)}`, cause })
      })
      const certificate: HostCertificate = {
        ...minted,
        ca_pem: ca.certificate_pem,
        fingerprint_sha256: fingerprint(minted.certificate_pem)
      }
      return certificate
    })
  }
}

const load = (directory: string, hostDays: number) =>
  Effect.tryPromise({
    try: async () => {
      const { certificate_pem, private_key_pem } = await readPair(directory, "ca")
      if (
        certificate_pem === null ||
        private_key_pem === null ||
        !belongTogether({ certificate_pem, private_key_pem })
      ) {
        throw new AuthorityError({
          message: `${certificatePath(directory, "ca")} and its key are missing or do not belong together. The first start makes them; in an existing installation restore them from a backup.`
        })
      }
      return await make({ certificate_pem, private_key_pem }, hostDays)
    },
    catch: (cause) =>
      cause instanceof AuthorityError
        ? cause
        : new AuthorityError({ message: `The CA in ${directory} cannot be read: ${String(cause)}`, cause })
  })

export class Authority extends Context.Service<Authority, Awaited<ReturnType<typeof make>>>()(
  "patch-manager/pki/Authority"
) {
  /** Reads the CA from the directory that `ensureAuthority` filled. */
  static readonly layer = (
    directory: string,
    options: { readonly hostDays?: number } = {}
  ): Layer.Layer<Authority, AuthorityError> => Layer.effect(Authority, load(directory, options.hostDays ?? 365))
}
