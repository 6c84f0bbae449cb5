/** The way through an identity provider and back: authorization code with PKCE, state and nonce. OpenID Connect Core 3.1, RFC 9700. */
import { Effect } from "effect"
import { HttpServerRequest, HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import type { SsoProviderId } from "#core/Ids.ts"
import { countsAsMfa, grantOf, localPage } from "#core/Sso.ts"
import { Api } from "#http/api/Api.ts"
import { type ErrorEnvelope, RequestId } from "#http/api/Errors.ts"
import { type SsoRefusalCode, ssoRefusals } from "#http/api/Sso.ts"
import { appendSignInFailure } from "#sql/AuditStore.ts"
import { factorsOf } from "#sql/FactorStore.ts"
import { openSession } from "#sql/SessionStore.ts"
import { arrive, beginSignIn, type IdentityKey, takeSignIn, withholdStepUp } from "#sql/SsoSignIn.ts"
import { findProvider, listChoices, noteFailure, type StoredProvider } from "#sql/SsoStore.ts"
import { ColumnCipher } from "./ColumnCipher.ts"
import { OidcClient, SsoRefused } from "./OidcClient.ts"
import { randomToken, tokenHash } from "./opaqueToken.ts"
import { setRefreshCookie } from "./refreshCookie.ts"
import { stageAfterPassword } from "./signIn.ts"
import { sourceAddress, userAgent } from "./sourceAddress.ts"
import { clearSsoCookie, readSsoCookie, secretsOf, setSsoCookie } from "./ssoCookie.ts"
import { redirectUri, secretPlace } from "./ssoPlaces.ts"
import { answered } from "./translate.ts"

/** An authentication at the provider that is not older than this counts as fresh proof. */
const FRESH_SECONDS = 300

const seeOther = (location: string) => HttpServerResponse.redirect(location, { status: 303 })

const unknown = new SsoRefused({ code: "provider_unknown", message: "The provider is unknown or switched off." })

/** An enabled provider with its secret opened. */
const accessTo = Effect.fnUntraced(function* (id: SsoProviderId) {
  const found = yield* findProvider(id)
  if (found === null || !found.provider.enabled) return yield* unknown
  const cipher = yield* ColumnCipher
  const secret =
    found.sealed_secret === null
      ? null
      : yield* Effect.mapError(
          cipher.open(secretPlace(id), found.sealed_secret),
          ({ message }) => new SsoRefused({ code: "provider_misconfigured", message, ours: true })
        )
  return { provider: found.provider, secret }
})

const origin = Effect.gen(function* () {
  const request = yield* HttpServerRequest.HttpServerRequest
  return { request_id: yield* RequestId, source_address: sourceAddress(request) }
})

/** Into the audit log, and to the sign-in page with words for the person. */
const refused = (id: SsoProviderId) =>
  Effect.fnUntraced(function* ({ code, message, ours = false }: SsoRefused) {
    if (ours) {
      yield* Effect.logWarning(`Sign-in through the identity provider ${id} failed: ${message}`)
      yield* noteFailure(id, message)
    }
    yield* appendSignInFailure(
      { actor: { kind: "anonymous", id: "-", name: "-" }, ...(yield* origin) },
      {
        action: "session.sso_refused",
        object_type: "sso_provider",
        object_id: id,
        before: null,
        after: { code, message }
      }
    )
    return seeOther(`/sign-in?sso_error=${code}`)
  })

const start = (
  id: SsoProviderId,
  query: { readonly return_to?: string | undefined; readonly fresh?: boolean | undefined }
) =>
  Effect.gen(function* () {
    const access = yield* accessTo(id)
    const client = yield* OidcClient
    const state = randomToken()
    const cookie = randomToken()
    const fresh = query.fresh === true
    const address = yield* client.departure(access, {
      redirect_uri: yield* redirectUri(id),
      state,
      fresh,
      ...secretsOf(cookie, state)
    })
    yield* beginSignIn({
      state_hash: tokenHash(state),
      browser_hash: tokenHash(cookie),
      provider_id: id,
      return_to: localPage(query.return_to),
      fresh
    })
    yield* setSsoCookie(cookie)
    return seeOther(address.href)
  }).pipe(Effect.catchTag("SsoRefused", refused(id)))

const text = (value: unknown): string => (typeof value === "string" ? value.trim().slice(0, 200) : "")

type Claims = Readonly<Record<string, unknown>> & { readonly sub: string }

/** In a tenant people are known by their object id, which is the same for every application. */
const identityOf = (provider: StoredProvider, claims: Claims): IdentityKey => {
  const oid = provider.tenant_id === null ? "" : text(claims["oid"])
  return {
    issuer: provider.issuer,
    tenant: provider.tenant_id ?? "",
    subject: oid === "" ? `sub:${claims.sub}` : `oid:${oid}`
  }
}

/** Only from the id token, which is signed for us; never from user info. */
const groupsOf = (provider: StoredProvider, claims: Claims) => {
  const given = claims[provider.group_claim]
  if (typeof given === "string") return Effect.succeed([given])
  if (Array.isArray(given)) {
    return Effect.succeed(given.filter((one): one is string => typeof one === "string"))
  }
  const elsewhere = claims["_claim_names"]
  const overage =
    claims["hasgroups"] === true ||
    (typeof elsewhere === "object" && elsewhere !== null && provider.group_claim in elsewhere)
  return Effect.fail(
    overage
      ? new SsoRefused({
          code: "groups_overage",
          message: `${claims.sub} is in more groups than a token holds. Let the provider send only groups assigned to the application.`
        })
      : new SsoRefused({
          code: "groups_missing",
          message: `The id token of ${claims.sub} has no claim ${provider.group_claim}. Let the provider send it.`
        })
  )
}

const isFresh = (claims: Claims): boolean => {
  const at = claims["auth_time"]
  return typeof at === "number" && Math.abs(Date.now() / 1000 - at) < FRESH_SECONDS
}

/** The account, its session and the cookie, from claims that were verified. */
const signIn = Effect.fnUntraced(function* (provider: StoredProvider, claims: Claims) {
  const granted = grantOf(provider.mappings, yield* groupsOf(provider, claims))
  if (granted === null) {
    return yield* new SsoRefused({ code: "no_role", message: `No mapping gives ${claims.sub} a role.` })
  }
  const request = yield* HttpServerRequest.HttpServerRequest
  const from = yield* origin
  const user = yield* arrive({
    origin: from,
    provider,
    key: identityOf(provider, claims),
    names: [text(claims["preferred_username"]), text(claims["email"]), text(claims["name"])],
    // oxlint-disable-next-line no-control-regex
    display_name: text(claims["name"]).replace(/[\u0000-\u001f\u007f-\u009f]/g, " "),
    granted
  }).pipe(
    Effect.catchTag("Conflict", ({ code, message }) =>
      Effect.fail(new SsoRefused({ code: code as SsoRefusalCode, message: `${claims.sub}: ${message}` }))
    )
  )
  const strong = countsAsMfa({ amr: claims["amr"], acr: claims["acr"] }, provider.accepted_acr)
  const refreshToken = randomToken()
  const session = yield* openSession(
    { ...from, actor: { kind: "user", id: user.id, name: user.username } },
    user.id,
    tokenHash(refreshToken),
    { source_address: from.source_address, user_agent: userAgent(request) },
    strong ? { stage: "full", factor: "sso" } : { stage: stageAfterPassword(yield* factorsOf(user.id)), factor: null }
  )
  if (strong && !isFresh(claims)) yield* withholdStepUp(session)
  yield* setRefreshCookie(refreshToken)
})

interface Return {
  readonly state?: string | undefined
  readonly [name: string]: string | undefined
}

/** 400, and for a browser a page that goes on to the sign-in page by itself. */
const expired = Effect.gen(function* () {
  const request = yield* HttpServerRequest.HttpServerRequest
  const message = ssoRefusals.sign_in_expired
  if (request.headers["accept"]?.includes("text/html") === true) {
    const next = "/sign-in?sso_error=sign_in_expired"
    return HttpServerResponse.text(
      `<!doctype html><html lang="en"><meta charset="utf-8"><title>Sign-in</title><meta http-equiv="refresh" content="0;url=${next}"><p>${message} <a href="${next}">Sign in</a></p></html>`,
      { status: 400, contentType: "text/html; charset=utf-8" }
    )
  }
  const body: ErrorEnvelope = {
    error: { code: "sign_in_expired", message, request_id: yield* RequestId, details: {} }
  }
  return HttpServerResponse.jsonUnsafe(body, { status: 400 })
})

const callback = (id: SsoProviderId, query: Return) =>
  Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest
    const cookie = readSsoCookie(request)
    const state = query.state ?? ""
    yield* clearSsoCookie
    const begun = cookie === null ? null : yield* takeSignIn(tokenHash(state), tokenHash(cookie), id)
    if (cookie === null || begun === null) {
      yield* refused(id)(
        new SsoRefused({
          code: "sign_in_expired",
          message: "The state is missing, used, too old or another browser's."
        })
      )
      return yield* expired
    }
    const access = yield* accessTo(id)
    const client = yield* OidcClient
    const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined)
    const claims = yield* client.redeem(
      access,
      { redirect_uri: yield* redirectUri(id), state, fresh: begun.fresh, ...secretsOf(cookie, state) },
      new URLSearchParams(given)
    )
    yield* signIn(access.provider, claims)
    yield* noteFailure(id, null)
    return seeOther(begun.return_to)
  }).pipe(Effect.catchTag("SsoRefused", refused(id)))

export const layer = HttpApiBuilder.group(Api, "ssoSignIn", (handlers) =>
  handlers.handleAll({
    providers: () => answered(Effect.map(listChoices, (items) => ({ items }))),
    start: ({ params, query }) => answered(start(params.provider, query)),
    callback: ({ params, query }) => answered(callback(params.provider, query))
  })
)
