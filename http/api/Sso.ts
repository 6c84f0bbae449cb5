/** Sign-in through identity providers: what administrators set up, and the two addresses a browser passes through. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { SsoProviderId } from "#core/Ids.ts"
import { Cursor, page } from "#core/Page.ts"
import { NewSsoProvider, SsoChoice, SsoProvider, SsoProviderChange, SsoTest } from "#core/Sso.ts"
import { RequiresStepUp } from "./AllowedStage.ts"
import { Authentication } from "./Authentication.ts"
import {
  ConflictWire,
  NotFoundWire,
  PreconditionFailedWire,
  PreconditionRequiredWire,
  TooManyRequestsWire
} from "./Errors.ts"
import { IdempotencyKey, IfMatch, limit } from "./Hosts.ts"
import { RequiredPermission } from "./RequiredPermission.ts"

/** Why a sign-in through a provider ended, as the sign-in page is told in `?sso_error=`. */
export const ssoRefusals = {
  sign_in_expired: "This sign-in took too long, was used already, or was begun in another browser. Begin again.",
  provider_unknown: "There is no such identity provider any more, or it is switched off.",
  provider_unreachable: "The identity provider does not answer. Try again in a while, or sign in with a local account.",
  provider_misconfigured:
    "The identity provider and the manager do not fit together. An administrator finds the reason under Identity providers.",
  provider_refused:
    "The identity provider ended the sign-in with an error. Try again; if it stays, ask an administrator.",
  access_denied: "The identity provider did not let you in, or you broke the sign-in off there.",
  token_refused: "What the identity provider sent was not believed, so nobody was signed in. Begin again.",
  groups_missing:
    "The identity provider did not say which groups you are in, so you get no role. Ask an administrator.",
  groups_overage:
    "You are in too many groups for the identity provider to name them, so you get no role. Ask an administrator.",
  no_role: "None of your groups gives you a role here. Ask an administrator.",
  account_disabled: "Your account here is disabled. Ask an administrator.",
  username_unavailable: "No free user name was found for you. Ask an administrator.",
  last_administrator:
    "Your groups would take the administrator role away from the last administrator, so nothing was changed. Ask an administrator."
} as const
export type SsoRefusalCode = keyof typeof ssoRefusals

/** Binds a sign-in to the browser that began it. */
export const SSO_COOKIE = "__Host-sso"

const params = { id: SsoProviderId }
const provider = { provider: SsoProviderId }
const Tagged = HttpApiSchema.WithHeaders(SsoProvider, { etag: Schema.String })
const text = (maximum: number) => Schema.optional(Schema.String.check(Schema.isMaxLength(maximum)))

/** Another answer than this is an error; the address is in `Location`. */
const SeeOther = HttpApiSchema.Empty(303)

/** Open to everybody: nobody is signed in yet. */
export class SsoSignIn extends HttpApiGroup.make("ssoSignIn")
  .add(
    HttpApiEndpoint.get("providers", "/providers", {
      success: Schema.Struct({ items: Schema.Array(SsoChoice) })
    }).annotate(RequiredPermission, "public"),
    /** `fresh`: the provider is asked to have the person prove again who he is. */
    HttpApiEndpoint.get("start", "/sso/:provider/start", {
      params: provider,
      query: { return_to: text(1000), fresh: Schema.optional(Schema.Boolean) },
      success: SeeOther,
      error: TooManyRequestsWire
    }).annotate(RequiredPermission, "public"),
    /** The redirect address registered at the provider. 400 for a sign-in that is unknown, used, too old or another browser's. */
    HttpApiEndpoint.get("callback", "/sso/:provider/callback", {
      params: provider,
      query: {
        state: text(1000),
        code: text(4096),
        iss: text(1000),
        error: text(200),
        error_description: text(4000),
        session_state: text(1000)
      },
      success: SeeOther,
      error: TooManyRequestsWire
    }).annotate(RequiredPermission, "public")
  )
  .prefix("/api/v1/auth")
  .annotateMerge(OpenApi.annotations({ title: "Sign-in through an identity provider" })) {}

export class SsoProviders extends HttpApiGroup.make("ssoProviders")
  .add(
    HttpApiEndpoint.get("list", "/", {
      query: { cursor: Schema.optional(Cursor), limit: limit(100) },
      success: page(SsoProvider)
    }).annotate(RequiredPermission, "sso:read"),
    /** Made switched off. */
    HttpApiEndpoint.post("create", "/", {
      headers: IdempotencyKey,
      payload: NewSsoProvider,
      success: SsoProvider.pipe(HttpApiSchema.status(201)),
      error: ConflictWire
    })
      .annotate(RequiredPermission, "sso:change")
      .annotate(RequiresStepUp, true),
    HttpApiEndpoint.get("get", "/:id", { params, success: Tagged, error: NotFoundWire }).annotate(
      RequiredPermission,
      "sso:read"
    ),
    HttpApiEndpoint.patch("update", "/:id", {
      params,
      headers: IfMatch,
      payload: SsoProviderChange,
      success: Tagged,
      error: [NotFoundWire, ConflictWire, PreconditionFailedWire, PreconditionRequiredWire]
    })
      .annotate(RequiredPermission, "sso:change")
      .annotate(RequiresStepUp, true),
    HttpApiEndpoint.delete("delete", "/:id", { params, error: NotFoundWire })
      .annotate(RequiredPermission, "sso:change")
      .annotate(RequiresStepUp, true),
    /** Tries the provider as it is stored; enables nothing and changes nothing. */
    HttpApiEndpoint.post("test", "/:id/test", { params, success: SsoTest, error: [NotFoundWire, TooManyRequestsWire] })
      .annotate(RequiredPermission, "sso:change")
      .annotate(RequiresStepUp, true)
  )
  .middleware(Authentication)
  .prefix("/api/v1/sso/providers")
  .annotateMerge(OpenApi.annotations({ title: "Identity providers" })) {}
