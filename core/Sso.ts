/** Sign-in through identity providers (OpenID Connect): what a provider is here, and what its claims come to. */
import { Schema } from "effect"
import { GroupId, SsoProviderId } from "./Ids.ts"
import { Role } from "./Permission.ts"
import { Timestamp } from "./Timestamp.ts"

/** A provider more than this is refused: each is tried, cached and shown. */
export const PROVIDERS_MAXIMUM = 20

/** Everybody's personal account is in this one. */
const CONSUMERS_TENANT = "9188040d-6c67-4c5b-b112-36a304b66dad"
const tenantPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

const isOneTenant = (text: string): boolean => tenantPattern.test(text) && text.toLowerCase() !== CONSUMERS_TENANT

const TenantId = Schema.String.check(
  Schema.makeFilter(
    (text) => isOneTenant(text) || "must be the id of one tenant, such as 8f2c1a34-5b6d-4e7f-8a9b-0c1d2e3f4a5b"
  )
)

/** Where Microsoft signs people in; the first part of the path names the tenant, or several at once. */
const microsoftHosts = [
  "login.microsoftonline.com",
  "login.microsoftonline.us",
  "login.partner.microsoftonline.cn",
  "login.windows.net",
  "sts.windows.net"
]

export const entraIssuer = (tenantId: string): string => `https://login.microsoftonline.com/${tenantId}/v2.0`

const refuseIssuer = (text: string): string | undefined => {
  if (!URL.canParse(text)) return "must be an address such as https://id.example.org/realms/staff"
  const url = new URL(text)
  if (url.protocol !== "https:") return "must begin with https://"
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    return "must be an address without a user name, a question mark or a #"
  }
  if (text.endsWith("/.well-known/openid-configuration")) return "leave out /.well-known/openid-configuration"
  const tenant = url.pathname.split("/")[1] ?? ""
  if (microsoftHosts.includes(url.hostname) && !isOneTenant(tenant)) {
    return "must name one tenant by its id: common, organizations and consumers let in people of any company"
  }
  return undefined
}

/** As the provider's discovery document says it, to the letter (RFC 8414, section 3.3). */
export const Issuer = Schema.String.check(
  Schema.isMaxLength(500),
  Schema.makeFilter((text) => refuseIssuer(text) ?? true)
)

const word = (maximum: number) =>
  Schema.String.check(
    Schema.isTrimmed(),
    Schema.isMinLength(1),
    Schema.isMaxLength(maximum),
    // oxlint-disable-next-line no-control-regex
    Schema.isPattern(/^[^\u0000-\u001f\u007f-\u009f]*$/, { expected: "no control characters" })
  )

export const SsoKind = Schema.Literals(["entra", "oidc"]).annotate({ identifier: "SsoKind" })
export type SsoKind = typeof SsoKind.Type

/** What a group at the provider means here: a role, groups of hosts, or both. */
export const SsoMapping = Schema.Struct({
  /** The value in the group claim, to the letter; for Entra the group's object id. */
  provider_group: word(256),
  role: Schema.NullOr(Role),
  group_ids: Schema.Array(GroupId).check(Schema.isMaxLength(100), Schema.isUnique())
}).annotate({ identifier: "SsoMapping" })
export type SsoMapping = typeof SsoMapping.Type

const SsoMappings = Schema.Array(SsoMapping).check(
  Schema.isMaxLength(200),
  Schema.makeFilter(
    (mappings) =>
      new Set(mappings.map(({ provider_group }) => provider_group)).size === mappings.length ||
      "must name each group of the provider once"
  )
)

const Scope = Schema.String.check(
  Schema.isPattern(/^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/, { expected: "a scope such as profile" })
)

const fields = {
  name: word(80),
  client_id: word(300),
  /** `openid` is always asked for. */
  scopes: Schema.Array(Scope).check(Schema.isMaxLength(20), Schema.isUnique()),
  /** The claim of the id token that lists groups. */
  group_claim: Schema.String.check(
    Schema.isPattern(/^[^\s"]{1,200}$/, { expected: "the name of a claim, such as groups" })
  ),
  mappings: SsoMappings,
  /** Values of the `acr` claim that count as a second factor, besides an `amr` that says so. */
  accepted_acr: Schema.Array(word(300)).check(Schema.isMaxLength(20), Schema.isUnique()),
  enabled: Schema.Boolean
}

const Secret = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(2000))
const CaCertificate = Schema.String.check(Schema.isMaxLength(30_000))

/** One of `tenant_id` (Entra) and `issuer` says who the provider is; with both, the tenant has to be in the token. */
export const NewSsoProvider = Schema.Struct({
  name: fields.name,
  kind: SsoKind,
  tenant_id: Schema.optionalKey(Schema.NullOr(TenantId)),
  issuer: Schema.optionalKey(Issuer),
  client_id: fields.client_id,
  /** Left out or null for a public client. */
  client_secret: Schema.optionalKey(Schema.NullOr(Secret)),
  scopes: Schema.optionalKey(fields.scopes),
  group_claim: Schema.optionalKey(fields.group_claim),
  mappings: Schema.optionalKey(SsoMappings),
  accepted_acr: Schema.optionalKey(fields.accepted_acr),
  /** PEM; trusted instead of the public authorities. */
  ca_certificate: Schema.optionalKey(Schema.NullOr(CaCertificate))
}).annotate({ identifier: "NewSsoProvider" })
export type NewSsoProvider = typeof NewSsoProvider.Type

/** Keys left out stay as they are. Who the provider is changes only together with its client secret. */
export const SsoProviderChange = Schema.Struct({
  name: Schema.optionalKey(fields.name),
  tenant_id: Schema.optionalKey(Schema.NullOr(TenantId)),
  issuer: Schema.optionalKey(Issuer),
  client_id: Schema.optionalKey(fields.client_id),
  client_secret: Schema.optionalKey(Schema.NullOr(Secret)),
  scopes: Schema.optionalKey(fields.scopes),
  group_claim: Schema.optionalKey(fields.group_claim),
  mappings: Schema.optionalKey(SsoMappings),
  accepted_acr: Schema.optionalKey(fields.accepted_acr),
  ca_certificate: Schema.optionalKey(Schema.NullOr(CaCertificate)),
  enabled: Schema.optionalKey(fields.enabled)
}).annotate({ identifier: "SsoProviderChange" })
export type SsoProviderChange = typeof SsoProviderChange.Type

/** What went wrong between the manager and the provider last. */
export const SsoFailure = Schema.Struct({ at: Timestamp, message: Schema.String }).annotate({
  identifier: "SsoFailure"
})
export type SsoFailure = typeof SsoFailure.Type

export const SsoProvider = Schema.Struct({
  id: SsoProviderId,
  name: Schema.String,
  kind: SsoKind,
  issuer: Schema.String,
  tenant_id: Schema.NullOr(Schema.String),
  client_id: Schema.String,
  /** The secret itself is never given out. */
  has_client_secret: Schema.Boolean,
  scopes: Schema.Array(Schema.String),
  group_claim: Schema.String,
  mappings: Schema.Array(SsoMapping),
  accepted_acr: Schema.Array(Schema.String),
  ca_certificate: Schema.NullOr(Schema.String),
  enabled: Schema.Boolean,
  /** To be registered at the provider, to the letter. */
  redirect_uri: Schema.String,
  /** Accounts that were made for people of this provider or linked to it. */
  identities_total: Schema.Int,
  last_failure: Schema.NullOr(SsoFailure),
  created_at: Timestamp,
  created_by: Schema.String,
  /** Grows with each edit; the ETag. */
  version: Schema.Int
}).annotate({ identifier: "SsoProvider" })
export type SsoProvider = typeof SsoProvider.Type

export const SsoTestStep = Schema.Literals([
  "address",
  "connection",
  "certificate",
  "discovery",
  "issuer",
  "keys",
  "pkce",
  "client"
]).annotate({ identifier: "SsoTestStep" })
export type SsoTestStep = typeof SsoTestStep.Type

export const SsoTestResult = Schema.Struct({
  step: SsoTestStep,
  /** `unsure`: the provider's answer says neither; `skipped`: an earlier step failed. */
  result: Schema.Literals(["passed", "failed", "unsure", "skipped"]),
  message: Schema.String
}).annotate({ identifier: "SsoTestResult" })
export type SsoTestResult = typeof SsoTestResult.Type

export const SsoTest = Schema.Struct({
  /** No step failed. */
  passed: Schema.Boolean,
  steps: Schema.Array(SsoTestResult),
  redirect_uri: Schema.String
}).annotate({ identifier: "SsoTest" })
export type SsoTest = typeof SsoTest.Type

/** What the sign-in page shows as a button. */
export const SsoChoice = Schema.Struct({ id: SsoProviderId, name: Schema.String }).annotate({
  identifier: "SsoChoice"
})
export type SsoChoice = typeof SsoChoice.Type

/** Strongest first: of several roles somebody is given the first of these. */
const strongest: ReadonlyArray<Role> = ["admin", "operator", "auditor"]

export interface Granted {
  readonly role: Role
  readonly group_ids: ReadonlyArray<GroupId>
}

/** Null where no mapping gives a role: then nobody is let in. */
export const grantOf = (mappings: ReadonlyArray<SsoMapping>, providerGroups: ReadonlyArray<string>): Granted | null => {
  const given = new Set(providerGroups)
  const matching = mappings.filter(({ provider_group }) => given.has(provider_group))
  const role = strongest.find((one) => matching.some((mapping) => mapping.role === one))
  if (role === undefined) return null
  return { role, group_ids: [...new Set(matching.flatMap(({ group_ids }) => group_ids))].toSorted() }
}

/** Methods of RFC 8176 (and two of Entra's) that a stolen password does not give. A text message or a fingerprint alone is not one. */
const strongMethods = ["mfa", "ngcmfa", "otp", "hwk", "swk", "sc", "fido"]

/** Whether the provider says that more than a password was given. `pwd` beside nothing else is not. */
export const countsAsMfa = (
  claims: { readonly amr?: unknown; readonly acr?: unknown },
  acceptedAcr: ReadonlyArray<string>
): boolean => {
  const methods: ReadonlyArray<unknown> = Array.isArray(claims.amr) ? claims.amr : []
  if (methods.some((method) => typeof method === "string" && strongMethods.includes(method))) return true
  return typeof claims.acr === "string" && acceptedAcr.includes(claims.acr)
}

/** A page of the console, with what may follow it; never another site and never the API. */
const localPattern = /^\/(?:[a-z][a-z0-9-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*)?(?:\?[A-Za-z0-9=&%._~:,+-]*)?$/
const notPages = ["api", "rpc", "status", "sign-in", "assets"]

/** Where to go after signing in: the text itself where it is a page of ours, else the first page. */
export const localPage = (text: string | undefined): string => {
  if (text === undefined || text.length > 1000 || !localPattern.test(text)) return "/"
  const first = text.split(/[/?]/)[1] ?? ""
  return notPages.includes(first) ? "/" : text
}

/** As user names are here: small letters of ASCII. Empty where nothing of the text can be used. */
export const usernameOf = (text: string): string =>
  text
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9._@-]+/g, "-")
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, "")
    .slice(0, 60)
