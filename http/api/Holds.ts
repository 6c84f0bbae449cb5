/** Holds: packages that are not to be changed, where, why and until when. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Hold, HoldChange, NewHold } from "#core/Hold.ts"
import { GroupId, HoldId, HostId } from "#core/Ids.ts"
import { Cursor, page } from "#core/Page.ts"
import { Authentication } from "./Authentication.ts"
import { ConflictWire, NotFoundWire, PreconditionFailedWire, PreconditionRequiredWire } from "./Errors.ts"
import { IdempotencyKey, IfMatch, limit } from "./Hosts.ts"
import { RequiredPermission } from "./RequiredPermission.ts"

const params = { id: HoldId }
const Tagged = HttpApiSchema.WithHeaders(Hold, { etag: Schema.String })

export class Holds extends HttpApiGroup.make("holds")
  .add(
    HttpApiEndpoint.get("list", "/", {
      query: {
        /** Every hold that reaches this host: its own, its groups' and those on all hosts. */
        host_id: Schema.optional(HostId),
        /** Holds on this group itself. */
        group_id: Schema.optional(GroupId),
        active: Schema.optional(Schema.Boolean),
        cursor: Schema.optional(Cursor),
        limit: limit(500)
      },
      success: page(Hold),
      error: NotFoundWire
    }).annotate(RequiredPermission, "holds:read"),
    HttpApiEndpoint.post("create", "/", {
      headers: IdempotencyKey,
      payload: NewHold,
      success: Hold.pipe(HttpApiSchema.status(201)),
      error: [NotFoundWire, ConflictWire]
    }).annotate(RequiredPermission, "holds:change"),
    HttpApiEndpoint.get("get", "/:id", { params, success: Tagged, error: NotFoundWire }).annotate(
      RequiredPermission,
      "holds:read"
    ),
    HttpApiEndpoint.patch("update", "/:id", {
      params,
      headers: IfMatch,
      payload: HoldChange,
      success: Tagged,
      error: [NotFoundWire, ConflictWire, PreconditionFailedWire, PreconditionRequiredWire]
    }).annotate(RequiredPermission, "holds:change"),
    /** Ends it now; it stays in the list as one that is over. */
    HttpApiEndpoint.delete("end", "/:id", { params, error: [NotFoundWire, ConflictWire] }).annotate(
      RequiredPermission,
      "holds:change"
    )
  )
  .middleware(Authentication)
  .prefix("/api/v1/holds")
  .annotateMerge(OpenApi.annotations({ title: "Holds" })) {}
