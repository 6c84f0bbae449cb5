/** Who is signed in where. A session that is ended opens nothing from its next request on. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { SessionId, UserId } from "#core/Ids.ts"
import { Cursor, page } from "#core/Page.ts"
import { SessionItem } from "#core/Session.ts"
import { RequiresStepUp } from "./AllowedStage.ts"
import { Authentication } from "./Authentication.ts"
import { NotFoundWire } from "./Errors.ts"
import { limit } from "./Hosts.ts"
import { RequiredPermission } from "./RequiredPermission.ts"

const paging = { cursor: Schema.optional(Cursor), limit: limit(500) }
const one = { params: { id: SessionId }, success: HttpApiSchema.NoContent, error: NotFoundWire } as const

export class Sessions extends HttpApiGroup.make("sessions")
  .add(
    HttpApiEndpoint.get("listOwn", "/auth/sessions", { query: paging, success: page(SessionItem) }).annotate(
      RequiredPermission,
      "account:read"
    ),
    HttpApiEndpoint.delete("endOwn", "/auth/sessions/:id", one).annotate(RequiredPermission, "account:change"),
    HttpApiEndpoint.get("list", "/sessions", {
      query: { user_id: Schema.optional(UserId), ...paging },
      success: page(SessionItem)
    }).annotate(RequiredPermission, "sessions:read"),
    HttpApiEndpoint.delete("end", "/sessions/:id", one)
      .annotate(RequiredPermission, "sessions:end")
      .annotate(RequiresStepUp, true)
  )
  .middleware(Authentication)
  .prefix("/api/v1")
  .annotateMerge(OpenApi.annotations({ title: "Sessions" })) {}
