/** Maintenance windows: when hosts may be worked on, and what is applied by itself when they open. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { GroupId, HostId, WindowId } from "#core/Ids.ts"
import { Cursor, page } from "#core/Page.ts"
import {
  HostWindows,
  NewWindow,
  SimulationAnswer,
  SimulationRequest,
  UpcomingOpening,
  WindowChange,
  WindowItem,
  WindowKind,
  WindowOpenings
} from "#core/Window.ts"
import { Authentication } from "./Authentication.ts"
import {
  ConflictWire,
  ForbiddenWire,
  NotFoundWire,
  PreconditionFailedWire,
  PreconditionRequiredWire
} from "./Errors.ts"
import { IdempotencyKey, IfMatch, limit } from "./Hosts.ts"
import { RequiredPermission } from "./RequiredPermission.ts"

const params = { id: WindowId }
const Tagged = HttpApiSchema.WithHeaders(WindowItem, { etag: Schema.String })

export const WindowListQuery = {
  /** Part of the window's name, or of its host's or group's. */
  q: Schema.optional(Schema.String.check(Schema.isMaxLength(200))),
  kind: Schema.optional(WindowKind),
  enabled: Schema.optional(Schema.Boolean),
  host_id: Schema.optional(HostId),
  group_id: Schema.optional(GroupId),
  cursor: Schema.optional(Cursor),
  limit: limit(500)
}

export class Windows extends HttpApiGroup.make("windows")
  .add(
    HttpApiEndpoint.get("list", "/windows", { query: WindowListQuery, success: page(WindowItem) }).annotate(
      RequiredPermission,
      "windows:read"
    ),
    HttpApiEndpoint.post("create", "/windows", {
      headers: IdempotencyKey,
      payload: NewWindow,
      success: WindowItem.pipe(HttpApiSchema.status(201)),
      error: [NotFoundWire, ConflictWire, ForbiddenWire]
    }).annotate(RequiredPermission, "windows:change"),
    /** What opens next, blackouts included, ordered by time. */
    HttpApiEndpoint.get("upcoming", "/windows/upcoming", {
      query: { limit: limit(100) },
      success: page(UpcomingOpening)
    }).annotate(RequiredPermission, "windows:read"),
    /** Runs the scheduler's code over the coming weeks; nothing is stored and nothing starts. */
    HttpApiEndpoint.post("simulate", "/windows/simulate", {
      payload: SimulationRequest,
      success: SimulationAnswer,
      error: [NotFoundWire, ForbiddenWire]
    }).annotate(RequiredPermission, "windows:read"),
    HttpApiEndpoint.get("get", "/windows/:id", { params, success: Tagged, error: NotFoundWire }).annotate(
      RequiredPermission,
      "windows:read"
    ),
    HttpApiEndpoint.patch("update", "/windows/:id", {
      params,
      headers: IfMatch,
      payload: WindowChange,
      success: Tagged,
      error: [NotFoundWire, ForbiddenWire, PreconditionFailedWire, PreconditionRequiredWire]
    }).annotate(RequiredPermission, "windows:change"),
    HttpApiEndpoint.delete("remove", "/windows/:id", {
      params,
      success: HttpApiSchema.NoContent,
      error: [NotFoundWire, ForbiddenWire]
    }).annotate(RequiredPermission, "windows:change"),
    HttpApiEndpoint.get("occurrences", "/windows/:id/occurrences", {
      params,
      query: { limit: limit(100) },
      success: WindowOpenings,
      error: NotFoundWire
    }).annotate(RequiredPermission, "windows:read"),
    HttpApiEndpoint.get("ofHost", "/hosts/:id/windows", {
      params: { id: HostId },
      query: { limit: limit(50) },
      success: HostWindows,
      error: NotFoundWire
    }).annotate(RequiredPermission, "windows:read")
  )
  .middleware(Authentication)
  .prefix("/api/v1")
  .annotateMerge(OpenApi.annotations({ title: "Maintenance windows" })) {}
