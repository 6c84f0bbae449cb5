/** API tokens for scripts: scoped, ending within a year, and never able to change accounts, second factors or trust. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { ApiToken, ApiTokenMade, NewApiToken } from "#core/ApiToken.ts"
import { TokenId } from "#core/Ids.ts"
import { Cursor, page } from "#core/Page.ts"
import { RequiresStepUp } from "./AllowedStage.ts"
import { Authentication } from "./Authentication.ts"
import { NotFoundWire } from "./Errors.ts"
import { IdempotencyKey, limit } from "./Hosts.ts"
import { RequiredPermission } from "./RequiredPermission.ts"

export class Tokens extends HttpApiGroup.make("tokens")
  .add(
    /** One's own; everybody's with `all=true`, which needs `tokens:read`. */
    HttpApiEndpoint.get("list", "/", {
      query: {
        all: Schema.optional(Schema.Literals(["true", "false"])),
        cursor: Schema.optional(Cursor),
        limit: limit(500)
      },
      success: page(ApiToken)
    }).annotate(RequiredPermission, "account:read"),
    HttpApiEndpoint.post("create", "/", {
      headers: IdempotencyKey,
      payload: NewApiToken,
      success: ApiTokenMade.pipe(HttpApiSchema.status(201)),
      error: NotFoundWire
    })
      .annotate(RequiredPermission, "tokens:create")
      .annotate(RequiresStepUp, true),
    /** One's own; everybody's with `tokens:end`. */
    HttpApiEndpoint.delete("revoke", "/:id", {
      params: { id: TokenId },
      success: HttpApiSchema.NoContent,
      error: NotFoundWire
    }).annotate(RequiredPermission, "tokens:create")
  )
  .middleware(Authentication)
  .prefix("/api/v1/tokens")
  .annotateMerge(OpenApi.annotations({ title: "API tokens" })) {}
