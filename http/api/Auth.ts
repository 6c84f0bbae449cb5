/** Signing in and out, and one's own account. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { NewPassword, User } from "#core/User.ts"
import { Authentication } from "./Authentication.ts"
import { ForbiddenWire, TooManyRequestsWire, UnauthorizedWire } from "./Errors.ts"
import { RequiredPermission } from "./RequiredPermission.ts"

const password = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(1024))

export const Login = Schema.Struct({
  username: Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(64)),
  password
}).annotate({ identifier: "Login" })

export const SignedIn = Schema.Struct({
  status: Schema.Literal("signed_in"),
  access_token: Schema.String,
  expires_in_seconds: Schema.Int,
  user: User
}).annotate({ identifier: "SignedIn" })
export type SignedIn = typeof SignedIn.Type

/** Told apart by `status`, so that a step between password and signed in has its place. */
export const LoginResult = Schema.Union([SignedIn]).annotate({ identifier: "LoginResult" })
export type LoginResult = typeof LoginResult.Type

/** The console keeps the access token in memory; the refresh token lives in a cookie no script can read. */
export const REFRESH_COOKIE = "__Host-refresh"

export class Auth extends HttpApiGroup.make("auth")
  .add(
    HttpApiEndpoint.post("login", "/login", {
      payload: Login,
      success: LoginResult,
      error: [UnauthorizedWire, ForbiddenWire, TooManyRequestsWire]
    }).annotate(RequiredPermission, "public"),
    HttpApiEndpoint.post("refresh", "/refresh", {
      success: SignedIn,
      error: [UnauthorizedWire, ForbiddenWire]
    }).annotate(RequiredPermission, "public"),
    HttpApiEndpoint.post("logout", "/logout", { success: HttpApiSchema.NoContent, error: ForbiddenWire }).annotate(
      RequiredPermission,
      "public"
    ),
    HttpApiEndpoint.get("me", "/me", { success: User })
      .middleware(Authentication)
      .annotate(RequiredPermission, "account:read"),
    HttpApiEndpoint.post("changePassword", "/password", {
      payload: Schema.Struct({ current_password: password, new_password: NewPassword }).annotate({
        identifier: "PasswordChange"
      }),
      success: HttpApiSchema.NoContent,
      error: [TooManyRequestsWire]
    })
      .middleware(Authentication)
      .annotate(RequiredPermission, "account:change")
  )
  .prefix("/api/v1/auth")
  .annotateMerge(OpenApi.annotations({ title: "Sign-in" })) {}
