/** Users: who may sign in, in which role and groups. Read by administrators and auditors, changed by administrators. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { UserId } from "#core/Ids.ts"
import { Cursor, page } from "#core/Page.ts"
import { Role } from "#core/Permission.ts"
import { FactorsReset, NewUser, PasswordReset, UserAccount, UserChange, UserMade, UserSort } from "#core/UserAccount.ts"
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

const params = { id: UserId }
const Tagged = HttpApiSchema.WithHeaders(UserAccount, { etag: Schema.String })

export class Users extends HttpApiGroup.make("users")
  .add(
    HttpApiEndpoint.get("list", "/", {
      /** `q` is looked for in user name, display name and mail address; `role` may be given several times. */
      query: {
        q: Schema.optional(Schema.String.check(Schema.isMaxLength(200))),
        role: Schema.optional(Schema.Array(Role)),
        disabled: Schema.optional(Schema.Boolean),
        sort: Schema.optional(UserSort),
        cursor: Schema.optional(Cursor),
        limit: limit(500)
      },
      success: page(UserAccount)
    }).annotate(RequiredPermission, "users:read"),
    HttpApiEndpoint.post("create", "/", {
      headers: IdempotencyKey,
      payload: NewUser,
      success: UserMade.pipe(HttpApiSchema.status(201)),
      error: [ConflictWire, NotFoundWire, TooManyRequestsWire]
    })
      .annotate(RequiredPermission, "users:change")
      .annotate(RequiresStepUp, true),
    HttpApiEndpoint.get("get", "/:id", { params, success: Tagged, error: NotFoundWire }).annotate(
      RequiredPermission,
      "users:read"
    ),
    HttpApiEndpoint.patch("update", "/:id", {
      params,
      headers: IfMatch,
      payload: UserChange,
      success: Tagged,
      error: [NotFoundWire, ConflictWire, PreconditionFailedWire, PreconditionRequiredWire]
    })
      .annotate(RequiredPermission, "users:change")
      .annotate(RequiresStepUp, true),
    HttpApiEndpoint.delete("remove", "/:id", { params, error: [NotFoundWire, ConflictWire] })
      .annotate(RequiredPermission, "users:change")
      .annotate(RequiresStepUp, true),
    /** Takes every second factor away and ends the sessions; the user enrols anew at his next sign-in. */
    HttpApiEndpoint.post("resetFactors", "/:id/reset-mfa", {
      params,
      success: FactorsReset,
      error: [NotFoundWire, ConflictWire]
    })
      .annotate(RequiredPermission, "users:change")
      .annotate(RequiresStepUp, true),
    HttpApiEndpoint.post("resetPassword", "/:id/reset-password", {
      params,
      success: PasswordReset,
      error: [NotFoundWire, ConflictWire, TooManyRequestsWire]
    })
      .annotate(RequiredPermission, "users:change")
      .annotate(RequiresStepUp, true)
  )
  .middleware(Authentication)
  .prefix("/api/v1/users")
  .annotateMerge(OpenApi.annotations({ title: "Users" })) {}
