/** The identity providers of the contract, over sql/SsoStore.ts. */
import { X509Certificate } from "node:crypto"
import { Effect } from "effect"
import { HttpApiBuilder, HttpApiSchema } from "effect/http-api"
import { refuseField } from "#core/Errors.ts"
import type { SsoProviderId } from "#core/Ids.ts"
import { entraIssuer, type NewSsoProvider, type SsoProvider, type SsoProviderChange } from "#core/Sso.ts"
import { Api } from "#http/api/Api.ts"
import { CurrentCaller } from "#http/api/Authentication.ts"
import { appendAudit, originOf } from "#sql/AuditStore.ts"
import { once } from "#sql/IdempotencyStore.ts"
import {
  deleteProvider,
  findProvider,
  getProvider,
  insertProvider,
  listProviders,
  newProviderId,
  providerNotFound,
  type ProviderValues,
  refuseProviderName,
  type StoredProvider,
  updateProvider
} from "#sql/SsoStore.ts"
import { ColumnCipher } from "./ColumnCipher.ts"
import { readIfMatch } from "./ifMatch.ts"
import { OidcClient } from "./OidcClient.ts"
import { redirectUri, secretPlace } from "./ssoPlaces.ts"
import { testProvider } from "./testProvider.ts"
import { answered } from "./translate.ts"

const shown = (stored: StoredProvider) =>
  Effect.map(redirectUri(stored.id), (redirect_uri): SsoProvider => ({ ...stored, redirect_uri }))

const tagged = (provider: SsoProvider) =>
  HttpApiSchema.withHeaders({ body: provider, headers: { etag: `"${provider.version}"` } })

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g

/** The certificates alone, whatever stood around them. */
const readCertificates = (text: string | null) => {
  if (text === null || text.trim() === "") return Effect.succeed(null)
  const refusal = refuseField(
    "payload.ca_certificate",
    "This is no certificate in PEM form (-----BEGIN CERTIFICATE-----). Give the certificate of the authority that signed the provider's."
  )
  const blocks = text.match(CERTIFICATE)
  if (blocks === null || text.includes("PRIVATE KEY")) return Effect.fail(refusal)
  return Effect.try({
    try: () => blocks.map((block) => new X509Certificate(block).toString()).join(""),
    catch: () => refusal
  })
}

const issuerOf = Effect.fnUntraced(function* (kind: SsoProvider["kind"], tenantId: string | null, issuer: string) {
  if (kind === "entra") {
    if (tenantId === null) {
      return yield* refuseField(
        "payload.tenant_id",
        "Give the directory (tenant) id that Entra shows for the application."
      )
    }
    return entraIssuer(tenantId)
  }
  if (issuer === "") return yield* refuseField("payload.issuer", "Give the provider's issuer address.")
  return issuer
})

const defaultScopes = { entra: ["openid", "profile", "email"], oidc: ["openid", "profile", "email"] } as const

const create = Effect.fnUntraced(function* (key: string, payload: NewSsoProvider) {
  const caller = yield* CurrentCaller
  const cipher = yield* ColumnCipher
  const { kind, name, client_id } = payload
  const tenant_id = payload.tenant_id?.toLowerCase() ?? null
  const values: ProviderValues = {
    name,
    kind,
    issuer: yield* issuerOf(kind, tenant_id, payload.issuer ?? ""),
    tenant_id,
    client_id,
    scopes: payload.scopes ?? defaultScopes[kind],
    group_claim: payload.group_claim ?? "groups",
    mappings: payload.mappings ?? [],
    accepted_acr: payload.accepted_acr ?? [],
    ca_certificate: yield* readCertificates(payload.ca_certificate ?? null),
    enabled: false
  }
  const id = newProviderId()
  const secret = payload.client_secret ?? null
  const sealed = secret === null ? null : yield* Effect.orDie(cipher.seal(secretPlace(id), secret))
  const request = { caller, key, operation: "sso.create", request: payload, status: 201 }
  const { answer } = yield* refuseProviderName(once(request, insertProvider(caller, id, values, sealed)))
  return yield* shown(answer)
})

/** A stored secret goes only to the provider it was given for: whoever names another one gives its secret too. */
const mustRenewSecret = (before: StoredProvider, after: ProviderValues, change: SsoProviderChange) =>
  before.has_client_secret &&
  change.client_secret === undefined &&
  (after.issuer !== before.issuer || after.ca_certificate !== before.ca_certificate)
    ? Effect.fail(
        refuseField(
          "payload.client_secret",
          "Give the client secret again: the one stored is only for the provider and the CA certificate it was given with."
        )
      )
    : Effect.void

const changed = (id: SsoProviderId, change: SsoProviderChange) =>
  Effect.fnUntraced(function* (before: StoredProvider) {
    const { client_secret, ...given } = change
    const tenant_id = given.tenant_id === undefined ? before.tenant_id : (given.tenant_id?.toLowerCase() ?? null)
    const values: ProviderValues = {
      ...before,
      ...given,
      tenant_id,
      issuer: yield* issuerOf(before.kind, tenant_id, given.issuer ?? before.issuer),
      ca_certificate:
        given.ca_certificate === undefined ? before.ca_certificate : yield* readCertificates(given.ca_certificate)
    }
    yield* mustRenewSecret(before, values, change)
    if (client_secret === undefined || client_secret === null) return { values, secret: client_secret }
    const cipher = yield* ColumnCipher
    return { values, secret: yield* Effect.orDie(cipher.seal(secretPlace(id), client_secret)) }
  })

const update = Effect.fnUntraced(function* (id: SsoProviderId, ifMatch: string | undefined, change: SsoProviderChange) {
  const caller = yield* CurrentCaller
  const version = yield* readIfMatch(ifMatch, "identity provider")
  const stored = yield* refuseProviderName(updateProvider(caller, id, version, changed(id, change)))
  return tagged(yield* shown(stored))
})

const test = Effect.fnUntraced(function* (id: SsoProviderId) {
  const caller = yield* CurrentCaller
  const cipher = yield* ColumnCipher
  const { rules } = yield* OidcClient
  const found = yield* findProvider(id)
  if (found === null) return yield* providerNotFound
  const { provider, sealed_secret } = found
  const secret = sealed_secret === null ? null : yield* Effect.orDie(cipher.open(secretPlace(id), sealed_secret))
  const redirect_uri = yield* redirectUri(id)
  const steps = yield* Effect.promise(() => testProvider({ provider, secret }, redirect_uri, rules))
  const passed = steps.every(({ result }) => result === "passed" || result === "unsure")
  yield* appendAudit(originOf(caller), {
    action: "sso_provider.test",
    object_type: "sso_provider",
    object_id: id,
    before: null,
    after: { passed, steps: Object.fromEntries(steps.map(({ step, result }) => [step, result])) }
  })
  return { passed, steps, redirect_uri }
})

export const layer = HttpApiBuilder.group(Api, "ssoProviders", (handlers) =>
  handlers.handleAll({
    list: ({ query }) =>
      answered(
        Effect.flatMap(listProviders(query), (page) =>
          Effect.map(Effect.forEach(page.items, shown), (items) => ({ ...page, items }))
        )
      ),
    create: ({ headers, payload }) => answered(create(headers["idempotency-key"], payload)),
    get: ({ params }) => answered(Effect.map(Effect.flatMap(getProvider(params.id), shown), tagged)),
    update: ({ params, headers, payload }) => answered(update(params.id, headers["if-match"], payload)),
    delete: ({ params }) => answered(Effect.flatMap(CurrentCaller, (caller) => deleteProvider(caller, params.id))),
    test: ({ params }) => answered(test(params.id))
  })
)
