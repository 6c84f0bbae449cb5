/** Signing in and out, and one's own account. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { EnrolmentKind, FactorKind, SessionStage } from "#core/Session.ts"
import { Timestamp } from "#core/Timestamp.ts"
import { NewPassword, User } from "#core/User.ts"
import { AllowedStage, BeforePasswordChange } from "./AllowedStage.ts"
import { Authentication } from "./Authentication.ts"
import { ForbiddenWire, TooManyRequestsWire, UnauthorizedWire } from "./Errors.ts"
import { RequiredPermission } from "./RequiredPermission.ts"

const password = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(1024))

export const Login = Schema.Struct({
  username: Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(64)),
  password
}).annotate({ identifier: "Login" })

const token = { access_token: Schema.String, expires_in_seconds: Schema.Int }

export const SignedIn = Schema.Struct({ status: Schema.Literal("signed_in"), ...token, user: User }).annotate({
  identifier: "SignedIn"
})
export type SignedIn = typeof SignedIn.Type

/** The password was right; one of these is owed before anything else can be called. */
export const MfaRequired = Schema.Struct({
  status: Schema.Literal("mfa_required"),
  ...token,
  factors: Schema.Array(FactorKind)
}).annotate({ identifier: "MfaRequired" })
export type MfaRequired = typeof MfaRequired.Type

/** The password was right, and there is no second factor yet: one of these has to be set up. */
export const EnrolmentRequired = Schema.Struct({
  status: Schema.Literal("enrolment_required"),
  ...token,
  factors: Schema.Array(EnrolmentKind)
}).annotate({ identifier: "EnrolmentRequired" })
export type EnrolmentRequired = typeof EnrolmentRequired.Type

/** Told apart by `status`. */
export const LoginResult = Schema.Union([SignedIn, MfaRequired, EnrolmentRequired]).annotate({
  identifier: "LoginResult"
})
export type LoginResult = typeof LoginResult.Type

/** Oneself, and how far the sign-in got. */
export const Me = Schema.Struct({
  ...User.fields,
  /** Null for an API token. */
  stage: Schema.NullOr(SessionStage),
  /** When the owner of the session last proved who he is; null before he did, and for an API token. */
  stepped_up_at: Schema.NullOr(Timestamp),
  /** Second factors that can be given. */
  factors: Schema.Array(FactorKind)
}).annotate({ identifier: "Me" })
export type Me = typeof Me.Type

/** The console keeps the access token in memory; the refresh token lives in a cookie no script can read. */
export const REFRESH_COOKIE = "__Host-refresh"

/**
 * `1` on a request that somebody caused by doing something. Only such requests, and signing in, keep a session from idling out:
 * what a page asks for by itself does not, nor does an open socket.
 */
export const ACTIVITY_HEADER = "x-user-activity"

export class Auth extends HttpApiGroup.make("auth")
  .add(
    HttpApiEndpoint.post("login", "/login", {
      payload: Login,
      success: LoginResult,
      error: [UnauthorizedWire, ForbiddenWire, TooManyRequestsWire]
    }).annotate(RequiredPermission, "public"),
    /** 401 `session_replaced`: the cookie was replaced this moment by a step-up; ask again with the new one. */
    HttpApiEndpoint.post("refresh", "/refresh", {
      success: LoginResult,
      error: [UnauthorizedWire, ForbiddenWire]
    }).annotate(RequiredPermission, "public"),
    HttpApiEndpoint.post("logout", "/logout", { success: HttpApiSchema.NoContent, error: ForbiddenWire }).annotate(
      RequiredPermission,
      "public"
    ),
    HttpApiEndpoint.get("me", "/me", { success: Me })
      .middleware(Authentication)
      .annotate(AllowedStage, "either")
      .annotate(RequiredPermission, "account:read"),
    HttpApiEndpoint.put("changePassword", "/password", {
      payload: Schema.Struct({ current_password: password, new_password: NewPassword }).annotate({
        identifier: "PasswordChange"
      }),
      success: HttpApiSchema.NoContent,
      error: [TooManyRequestsWire]
    })
      .middleware(Authentication)
      .annotate(BeforePasswordChange, true)
      .annotate(RequiredPermission, "account:change")
  )
  .prefix("/api/v1/auth")
  .annotateMerge(OpenApi.annotations({ title: "Sign-in" })) {}
