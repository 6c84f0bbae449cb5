/**
 * "Test connection": tries a provider step by step. Whatever keeps a connection from coming about looks the same and takes the
 * same time, so that the button tells nobody which ports are open.
 */
import { randomBytes } from "node:crypto"
import { isIP } from "node:net"
import { connect } from "node:tls"
import { setTimeout as wait } from "node:timers/promises"
import * as oidc from "openid-client"
import type { EgressRules } from "#core/egress.ts"
import type { SsoTestResult, SsoTestStep } from "#core/Sso.ts"
import {
  EGRESS_DEADLINE_MS,
  egressWords,
  guardedLookup,
  isCertificateError,
  literalRefusal,
  makeEgress
} from "./egressFetch.ts"
import { type Connected, discover, type ProviderAccess, SsoRefused, wordsOf } from "./OidcClient.ts"
import { ALGORITHMS } from "./verifyIdToken.ts"

const steps: ReadonlyArray<SsoTestStep> = [
  "address",
  "connection",
  "certificate",
  "discovery",
  "issuer",
  "keys",
  "pkce",
  "client"
]

const unanswered = `No TLS server answered there within ${EGRESS_DEADLINE_MS / 1000} seconds. Check the address, the port and the firewalls between.`

interface Found {
  readonly result: SsoTestResult["result"]
  readonly message: string
}

const passed = (message: string): Found => ({ result: "passed", message })
const failed = (message: string): Found => ({ result: "failed", message })

/** Names are told apart from numbers only as far as what is refused goes. */
const tryAddress = async (url: URL, rules: EgressRules): Promise<Found> => {
  const literal = literalRefusal(url, rules)
  if (literal !== null) return failed(literal)
  if (isIP(url.hostname.replace(/^\[|\]$/g, "")) !== 0) return passed(`${url.hostname} may be called.`)
  const resolved = await new Promise<unknown>((resolve) => {
    guardedLookup(rules)(url.hostname, { all: true }, (error) => resolve(error))
  })
  const refusal = egressWords(resolved)
  if (refusal !== null) return failed(refusal)
  if (resolved instanceof Error) return failed(`The name ${url.hostname} has no address in the DNS.`)
  return passed(`${url.hostname} has an address that may be called.`)
}

type Handshake = { readonly up: false } | { readonly up: true; readonly distrust: Error | null }

const shake = (url: URL, rules: EgressRules, ca: string | null): Promise<Handshake> =>
  new Promise((resolve) => {
    const host = url.hostname.replace(/^\[|\]$/g, "")
    const socket = connect({
      host,
      port: url.port === "" ? 443 : Number(url.port),
      lookup: guardedLookup(rules),
      rejectUnauthorized: false,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(ca === null ? {} : { ca })
    })
    const end = (handshake: Handshake): void => {
      socket.destroy()
      resolve(handshake)
    }
    socket.setTimeout(EGRESS_DEADLINE_MS - 500, () => end({ up: false }))
    socket.on("error", () => end({ up: false }))
    socket.on("secureConnect", () => {
      const distrust = socket.authorized ? null : socket.authorizationError
      end({ up: true, distrust: distrust === null ? null : new Error(String(distrust)) })
    })
  })

/** A failure takes the whole deadline, whether a port was closed, filtered, or something else answered on it. */
const tryConnection = (url: URL, rules: EgressRules, ca: string | null): Promise<Handshake> => {
  const overdue = wait<Handshake>(EGRESS_DEADLINE_MS, { up: false }, { ref: false })
  return Promise.race([shake(url, rules, ca).then((found) => (found.up ? found : overdue)), overdue])
}

const discoveryWords = (cause: unknown): string => `The discovery document could not be read: ${wordsOf(cause)}.`

const tryKeys = async ({ configuration, egress }: Connected): Promise<Found> => {
  const answer = await egress.fetch(configuration.serverMetadata().jwks_uri ?? "")
  const body: unknown = answer.status === 200 ? await answer.json() : null
  const keys: ReadonlyArray<unknown> =
    typeof body === "object" && body !== null && "keys" in body && Array.isArray(body.keys) ? body.keys : []
  const usable = keys.filter(
    (key) => typeof key === "object" && key !== null && "kty" in key && key.kty !== "oct" && "kid" in key
  )
  return usable.length > 0
    ? passed(`The provider publishes ${usable.length} ${usable.length === 1 ? "key" : "keys"} for signatures.`)
    : failed(`The provider publishes no key with an id (kid) at ${configuration.serverMetadata().jwks_uri ?? "-"}.`)
}

const tryPkce = ({ configuration, signs }: Connected): Found => {
  const methods = configuration.serverMetadata().code_challenge_methods_supported
  if (signs !== undefined && !signs.some((name) => ALGORITHMS.includes(name))) {
    return failed(`The provider signs with ${signs.join(", ")}; accepted are ${ALGORITHMS.join(", ")}.`)
  }
  if (methods === undefined)
    return { result: "unsure", message: "The provider does not say whether it knows PKCE; it is sent anyway." }
  return methods.includes("S256")
    ? passed("PKCE with S256 is supported.")
    : failed(`The provider knows PKCE only with ${methods.join(", ")}; S256 is needed.`)
}

/** Asks for a token with a code that nobody was given: a provider that knows the client refuses the code, not the client. */
const tryClient = async ({ configuration }: Connected, redirect_uri: string): Promise<Found> => {
  try {
    await oidc.genericGrantRequest(configuration, "authorization_code", {
      code: randomBytes(24).toString("base64url"),
      redirect_uri,
      code_verifier: randomBytes(32).toString("base64url")
    })
    return failed("The provider gave a token for a code that nobody was given. Do not use it.")
  } catch (cause) {
    const error =
      cause instanceof oidc.ResponseBodyError
        ? cause.error
        : cause instanceof oidc.WWWAuthenticateChallengeError
          ? "invalid_client"
          : null
    if (error === "invalid_grant") return passed("The provider knows the client id and takes its secret.")
    if (error === "invalid_client" || error === "unauthorized_client") {
      return failed(
        "The provider does not take the client id or its secret. Copy both again; a secret may have run out."
      )
    }
    return {
      result: "unsure",
      message: `The provider's answer does not say whether it takes the client (${error ?? wordsOf(cause)}).`
    }
  }
}

/** All steps in their order; those after a failed one are skipped. Rejects never. */
export const testProvider = async (
  access: ProviderAccess,
  redirect_uri: string,
  rules: EgressRules
): Promise<ReadonlyArray<SsoTestResult>> => {
  const found = new Map<SsoTestStep, Found>()
  const { provider } = access
  const url = new URL(provider.issuer)
  const egress = makeEgress(rules, provider.ca_certificate)
  const note = (step: SsoTestStep, one: Found): boolean => {
    found.set(step, one)
    return one.result !== "failed"
  }
  const run = async (): Promise<void> => {
    if (!note("address", await tryAddress(url, rules))) return
    const handshake = await tryConnection(url, rules, provider.ca_certificate)
    if (!note("connection", handshake.up ? passed("A TLS server answers.") : failed(unanswered)) || !handshake.up)
      return
    const { distrust } = handshake
    const trust =
      distrust === null
        ? passed("Its certificate is trusted.")
        : failed(`Its certificate is not trusted (${distrust.message}). Give the certificate of its authority.`)
    if (!note("certificate", trust)) return
    const connected = await discover(access, egress).catch((cause: unknown) => cause as Error)
    if (connected instanceof Error) {
      if (isCertificateError(connected))
        note("certificate", failed(`Its certificate is not trusted: ${wordsOf(connected)}.`))
      else if (connected instanceof SsoRefused && connected.at === "issuer") {
        note("discovery", passed("The discovery document was read."))
        note("issuer", failed(connected.message))
      } else note("discovery", failed(connected instanceof SsoRefused ? connected.message : discoveryWords(connected)))
      return
    }
    note("discovery", passed("The discovery document was read."))
    note("issuer", passed(`The issuer is ${provider.issuer}.`))
    if (
      !note(
        "keys",
        await tryKeys(connected).catch((cause: unknown) => failed(`The keys could not be read: ${wordsOf(cause)}.`))
      )
    )
      return
    if (!note("pkce", tryPkce(connected))) return
    note("client", await tryClient(connected, redirect_uri))
  }
  await run().finally(() => egress.close())
  return steps.map((step) => ({
    step,
    ...(found.get(step) ?? { result: "skipped" as const, message: "Not tried, because a step before it failed." })
  }))
}
