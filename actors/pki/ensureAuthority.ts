/**
 * Makes what is missing in the authority's directory and leaves alone what is there.
 * One CA signs host, manager and web certificates; the web certificate carries no host id, so no agent can pass for a host with it.
 */
import { Effect } from "effect"
import { X509Certificate } from "node:crypto"
import { isIP } from "node:net"
import { AuthorityError } from "./AuthorityError.ts"
import { belongTogether, certificatePath, type KeyFileName, keyPath, readPair, writePair } from "./keyFiles.ts"
import { type KeyPair, type LeafRequest, makeIssuer, mintAuthority, type SubjectName } from "./mint.ts"

export interface AuthorityOptions {
  /** Names and addresses the console is reached under, beside localhost. */
  readonly publicNames?: ReadonlyArray<string>
  /** Validity of the manager's own two certificates. */
  readonly leafDays?: number
  readonly authorityYears?: number
}

/** The three pairs as they stand on disk after the call, and which of them were made by it. */
export interface AuthorityFiles {
  readonly ca: KeyPair
  readonly manager: KeyPair
  readonly web: KeyPair
  readonly made: ReadonlyArray<KeyFileName>
}

const LEAF_DAYS = 365
const AUTHORITY_YEARS = 10
const DAY = 24 * 3600_000
/** Renewed once less than this share of its life is left. */
const RENEW_AT = 1 / 3

const pairOf = ({ certificate_pem, private_key_pem }: KeyPair): KeyPair => ({ certificate_pem, private_key_pem })

const complete = (pair: { certificate_pem: string | null; private_key_pem: string | null }): KeyPair | null =>
  pair.certificate_pem !== null && pair.private_key_pem !== null
    ? { certificate_pem: pair.certificate_pem, private_key_pem: pair.private_key_pem }
    : null

const ensureCa = async (directory: string, years: number, made: Array<KeyFileName>): Promise<KeyPair> => {
  const found = await readPair(directory, "ca")
  const pair = complete(found)
  if (pair && belongTogether(pair)) return pair
  // A CA that hosts already trust is never replaced silently: a new one would cut off the whole fleet.
  if (found.certificate_pem !== null) {
    throw new AuthorityError({
      message: `${keyPath(directory, "ca")} is missing or does not belong to ${certificatePath(directory, "ca")}. Restore both from a backup; a new CA would be unknown to every host.`
    })
  }
  const fresh = await mintAuthority(years)
  await writePair(directory, "ca", fresh)
  made.push("ca")
  return pairOf(fresh)
}

const webNames = (publicNames: ReadonlyArray<string>): Array<SubjectName> => {
  const all = [...new Set(["localhost", "127.0.0.1", "::1", ...publicNames.map((name) => name.toLowerCase())])]
  return all.map((value) => ({ type: isIP(value) ? "ip" : "dns", value }))
}

const covers = (certificate: X509Certificate, names: ReadonlyArray<SubjectName>): boolean =>
  names.every(({ type, value }) =>
    type === "ip" ? certificate.checkIP(value) : certificate.checkHost(value, { subject: "never", wildcards: false })
  )

const ensureLeaf = async (
  directory: string,
  name: "manager" | "web",
  ca: KeyPair,
  request: LeafRequest,
  made: Array<KeyFileName>
): Promise<KeyPair> => {
  const pair = complete(await readPair(directory, name))
  if (pair && belongTogether(pair)) {
    const certificate = new X509Certificate(pair.certificate_pem)
    const signedHere = certificate.verify(new X509Certificate(ca.certificate_pem).publicKey)
    const lasts = certificate.validToDate.getTime() - Date.now() > request.days * RENEW_AT * DAY
    if (signedHere && lasts && covers(certificate, request.names)) return pair
  }
  const issue = await makeIssuer(ca)
  const fresh = await issue(request)
  await writePair(directory, name, fresh)
  made.push(name)
  return pairOf(fresh)
}

const managerRequest = (days: number): LeafRequest => ({
  commonName: "Patch Manager",
  names: [],
  purpose: "client",
  days
})

/** Renews the manager's client certificate in a running installation; true where there is a new one. */
export const renewManager = (directory: string, days = LEAF_DAYS): Effect.Effect<boolean, AuthorityError> =>
  Effect.tryPromise({
    try: async () => {
      const made: Array<KeyFileName> = []
      const ca = await ensureCa(directory, AUTHORITY_YEARS, made)
      await ensureLeaf(directory, "manager", ca, managerRequest(days), made)
      return made.includes("manager")
    },
    catch: (cause) =>
      new AuthorityError({
        message: `The manager's certificate in ${directory} cannot be renewed: ${String(cause)}`,
        cause
      })
  })

/** Idempotent; renews the manager's and the web certificate after two thirds of their life or when the public names grow. */
export const ensureAuthority = (
  directory: string,
  options: AuthorityOptions = {}
): Effect.Effect<AuthorityFiles, AuthorityError> =>
  Effect.tryPromise({
    try: async () => {
      const made: Array<KeyFileName> = []
      const days = options.leafDays ?? LEAF_DAYS
      const ca = await ensureCa(directory, options.authorityYears ?? AUTHORITY_YEARS, made)
      const manager = await ensureLeaf(directory, "manager", ca, managerRequest(days), made)
      const web = await ensureLeaf(
        directory,
        "web",
        ca,
        { commonName: "Patch Manager console", names: webNames(options.publicNames ?? []), purpose: "server", days },
        made
      )
      return { ca, manager, web, made }
    },
    catch: (cause) =>
      cause instanceof AuthorityError
        ? cause
        : new AuthorityError({ message: `The certificates in ${directory} cannot be made: ${String(cause)}`, cause })
  })
