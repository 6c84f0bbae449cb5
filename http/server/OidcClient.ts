/**
 * Talks to identity providers. What a provider says about itself is kept for ten minutes, its keys too; a key id that is not among
 * them makes the keys be fetched again, at most once a minute.
 */
import { Context, Data, Effect, Layer, Predicate } from "effect"
import * as jose from "jose"
import * as oidc from "openid-client"
import type { EgressRules } from "#core/egress.ts"
import type { SsoTestStep } from "#core/Sso.ts"
import type { SsoRefusalCode } from "#http/api/Sso.ts"
import type { StoredProvider } from "#sql/SsoStore.ts"
import { type Egress, egressWords, isCertificateError, makeEgress } from "./egressFetch.ts"
import { ALGORITHMS, IdTokenRefused, verifyIdToken } from "./verifyIdToken.ts"
import { WebConfig } from "./WebSettings.ts"

const KEPT_MS = 600_000
const KEPT_PROVIDERS = 20
const KEYS_COOLDOWN_MS = 60_000
const DEADLINE_SECONDS = 5
/** Somebody may be in the middle of a sign-in with what is forgotten. */
const LINGER_MS = 30_000

/** A sign-in that goes no further. `message` is for administrators; the person is told what the code stands for. */
export class SsoRefused extends Data.TaggedError("SsoRefused")<{
  readonly code: SsoRefusalCode
  readonly message: string
  /** The fault lies between the manager and the provider, and not with this person. */
  readonly ours?: boolean
  /** The step of "Test connection" that would find it. */
  readonly at?: SsoTestStep
}> {}

export interface Connected {
  readonly configuration: oidc.Configuration
  readonly keys: jose.JWTVerifyGetKey
  readonly egress: Egress
  /** What the provider says it signs id tokens with. */
  readonly signs: ReadonlyArray<string> | undefined
}

export interface ProviderAccess {
  readonly provider: StoredProvider
  readonly secret: string | null
}

/** The public client has no secret; Basic where the provider takes it, as RFC 6749 wants. */
const clientAuthentication = (secret: string | null, methods: ReadonlyArray<string> | undefined): oidc.ClientAuth => {
  if (secret === null) return oidc.None()
  return methods === undefined || methods.includes("client_secret_basic")
    ? oidc.ClientSecretBasic(secret)
    : oidc.ClientSecretPost(secret)
}

/** An error's words and its cause's, printable and short. */
export const wordsOf = (cause: unknown): string => {
  if (!(cause instanceof Error)) return String(cause)
  const inner = cause.cause instanceof Error ? `: ${cause.cause.message}` : ""
  return `${cause.message}${inner}`.replace(/[^\x20-\x7e]/g, "?").slice(0, 400)
}

const unreachable = (cause: unknown): SsoRefused =>
  new SsoRefused({
    code: "provider_unreachable",
    ours: true,
    message: isCertificateError(cause)
      ? `The certificate of the provider is not trusted: ${wordsOf(cause)}. Give its CA certificate.`
      : (egressWords(cause) ?? `The provider did not answer as it should: ${wordsOf(cause)}.`)
  })

const misconfigured = (message: string, at?: SsoTestStep): SsoRefused =>
  new SsoRefused({ code: "provider_misconfigured", message, ours: true, ...(at === undefined ? {} : { at }) })

const readMetadata = async (issuer: string, egress: Egress): Promise<oidc.ServerMetadata> => {
  const answer = await egress.fetch(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`, {
    headers: { accept: "application/json" }
  })
  const nothing = (why: string) =>
    misconfigured(
      `There is no discovery document at ${issuer.replace(/\/$/, "")}/.well-known/openid-configuration: ${why}.`,
      "discovery"
    )
  if (answer.status !== 200) throw nothing(`it is answered ${answer.status}`)
  const metadata: unknown = await answer.json().catch(() => null)
  if (!isMetadata(metadata)) throw nothing("what is there is something else")
  if (metadata.issuer !== issuer) {
    throw misconfigured(
      `The provider calls itself ${metadata.issuer.slice(0, 300)}; here its issuer is ${issuer}.`,
      "issuer"
    )
  }
  for (const name of ["authorization_endpoint", "token_endpoint", "jwks_uri"] as const) {
    const value: unknown = metadata[name]
    if (typeof value !== "string" || !URL.canParse(value) || new URL(value).protocol !== "https:") {
      throw misconfigured(`The provider names no ${name} that begins with https://.`, "discovery")
    }
  }
  return metadata
}

const isMetadata = (value: unknown): value is oidc.ServerMetadata =>
  Predicate.hasProperty(value, "issuer") && typeof value.issuer === "string"

/** Discovery and the checks that make a provider usable at all. Rejects with SsoRefused, or with what the network gave. */
export const discover = async ({ provider, secret }: ProviderAccess, egress: Egress): Promise<Connected> => {
  const metadata = await readMetadata(provider.issuer, egress)
  const configuration = new oidc.Configuration(
    // The library checks the algorithm too, against what the provider says of itself; what counts is our own list.
    { ...metadata, id_token_signing_alg_values_supported: [...ALGORITHMS] },
    provider.client_id,
    undefined,
    clientAuthentication(secret, metadata.token_endpoint_auth_methods_supported)
  )
  configuration[oidc.customFetch] = (url, options) => egress.fetch(url, options as RequestInit)
  configuration.timeout = DEADLINE_SECONDS
  const keys = jose.createRemoteJWKSet(new URL(metadata.jwks_uri ?? ""), {
    [jose.customFetch]: (url, options) => egress.fetch(url, options),
    timeoutDuration: DEADLINE_SECONDS * 1000,
    cooldownDuration: KEYS_COOLDOWN_MS,
    cacheMaxAge: KEPT_MS
  })
  return { configuration, keys, egress, signs: metadata.id_token_signing_alg_values_supported }
}

interface Kept {
  readonly connected: Promise<Connected>
  readonly until: number
}

export interface Departure {
  readonly redirect_uri: string
  readonly state: string
  readonly nonce: string
  readonly verifier: string
  readonly fresh: boolean
}

const address = async ({ configuration }: Connected, provider: StoredProvider, departure: Departure): Promise<URL> =>
  oidc.buildAuthorizationUrl(configuration, {
    response_type: "code",
    redirect_uri: departure.redirect_uri,
    scope: [...new Set(["openid", ...provider.scopes])].join(" "),
    state: departure.state,
    nonce: departure.nonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(departure.verifier),
    code_challenge_method: "S256",
    ...(departure.fresh ? { prompt: "login", max_age: "0" } : {})
  })

const refusalOf = (cause: unknown): SsoRefused => {
  if (cause instanceof SsoRefused) return cause
  if (cause instanceof IdTokenRefused) {
    return new SsoRefused({ code: "token_refused", message: `The id token is refused. ${cause.message}` })
  }
  if (cause instanceof oidc.AuthorizationResponseError) {
    return cause.error === "access_denied"
      ? new SsoRefused({ code: "access_denied", message: "The provider says that the person was not let in." })
      : new SsoRefused({
          code: "provider_refused",
          message: `The provider answered ${wordsOf(cause)} (${cause.error}).`
        })
  }
  if (cause instanceof oidc.ResponseBodyError) {
    return cause.error === "invalid_client" || cause.error === "unauthorized_client"
      ? misconfigured(`The provider does not take the client id or its secret (${cause.error}).`)
      : new SsoRefused({ code: "token_refused", message: `The provider did not take the code (${cause.error}).` })
  }
  if (cause instanceof oidc.WWWAuthenticateChallengeError) {
    return misconfigured("The provider does not take the client id or its secret.")
  }
  const code = cause instanceof oidc.ClientError ? cause.code : undefined
  if (
    code === "OAUTH_INVALID_RESPONSE" ||
    code === "OAUTH_JWT_CLAIM_COMPARISON_FAILED" ||
    code === "OAUTH_JWT_TIMESTAMP_CHECK_FAILED"
  ) {
    return new SsoRefused({ code: "token_refused", message: `The provider's answer is refused: ${wordsOf(cause)}.` })
  }
  return unreachable(cause)
}

const make = (rules: EgressRules) => {
  const kept = new Map<string, Kept>()
  const forget = (key: string, after_ms = LINGER_MS): void => {
    const found = kept.get(key)
    kept.delete(key)
    const close = (): void => void found?.connected.then(({ egress }) => egress.close()).catch(() => undefined)
    if (after_ms === 0) close()
    else setTimeout(close, after_ms).unref()
  }
  const connect = (access: ProviderAccess): Promise<Connected> => {
    const key = `${access.provider.id}/${access.provider.version}`
    const now = performance.now()
    for (const [other, { until }] of kept) if (until <= now) forget(other)
    const found = kept.get(key)
    if (found !== undefined) return found.connected
    const [oldest] = kept.keys()
    if (kept.size >= KEPT_PROVIDERS && oldest !== undefined) forget(oldest)
    const egress = makeEgress(rules, access.provider.ca_certificate)
    const connected = discover(access, egress)
    kept.set(key, { connected, until: now + KEPT_MS })
    connected.catch(() => {
      kept.delete(key)
      void egress.close()
    })
    return connected
  }
  const attempt = <A>(run: () => Promise<A>): Effect.Effect<A, SsoRefused> =>
    Effect.tryPromise({ try: run, catch: refusalOf })
  return {
    rules,
    /** Where to send the browser. */
    departure: (access: ProviderAccess, departure: Departure) =>
      attempt(async () => address(await connect(access), access.provider, departure)),
    /** The id token's claims, in exchange for the code in the address the browser came back to. */
    redeem: (access: ProviderAccess, departure: Departure, query: URLSearchParams) =>
      attempt(async () => {
        const { configuration, keys } = await connect(access)
        const tokens = await oidc.authorizationCodeGrant(
          configuration,
          new URL(`${departure.redirect_uri}?${query.toString()}`),
          {
            pkceCodeVerifier: departure.verifier,
            expectedState: departure.state,
            expectedNonce: departure.nonce,
            idTokenExpected: true
          }
        )
        return verifyIdToken(tokens.id_token ?? "", keys, {
          issuer: access.provider.issuer,
          client_id: access.provider.client_id,
          nonce: departure.nonce,
          tenant_id: access.provider.tenant_id
        })
      }),
    close: async () => {
      for (const key of kept.keys()) forget(key, 0)
    }
  }
}

/** Sends nothing anywhere the egress rules do not allow. */
export class OidcClient extends Context.Service<OidcClient, ReturnType<typeof make>>()(
  "patch-manager/http/OidcClient"
) {
  static readonly layer = Layer.effect(
    OidcClient,
    Effect.gen(function* () {
      const { standInFleet } = yield* WebConfig
      const made = make({ loopback: standInFleet === true, networks: [] })
      yield* Effect.addFinalizer(() => Effect.promise(made.close))
      return made
    })
  )
}
