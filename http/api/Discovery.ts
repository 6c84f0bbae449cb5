/** Discovery: scan a network for agents, follow the scan, register what it found. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { DiscoveryResult, DiscoveryScan, NewScan, Registering, RegisterOutcomes, Verdict } from "#core/Discovery.ts"
import { DiscoveryId } from "#core/Ids.ts"
import { Cursor, page } from "#core/Page.ts"
import { Authentication } from "./Authentication.ts"
import { ConflictWire, NotFoundWire } from "./Errors.ts"
import { IdempotencyKey, limit } from "./Hosts.ts"
import { RequiredPermission } from "./RequiredPermission.ts"

const params = { id: DiscoveryId }

export class Discovery extends HttpApiGroup.make("discovery")
  .add(
    HttpApiEndpoint.post("scan", "/cidr", {
      headers: IdempotencyKey,
      payload: NewScan,
      success: DiscoveryScan.pipe(HttpApiSchema.status(201)),
      error: ConflictWire
    }).annotate(RequiredPermission, "discovery:run"),
    HttpApiEndpoint.get("scans", "/scans", {
      query: { cursor: Schema.optional(Cursor), limit: limit(100) },
      success: page(DiscoveryScan)
    }).annotate(RequiredPermission, "discovery:read"),
    HttpApiEndpoint.get("get", "/scans/:id", { params, success: DiscoveryScan, error: NotFoundWire }).annotate(
      RequiredPermission,
      "discovery:read"
    ),
    HttpApiEndpoint.get("results", "/scans/:id/results", {
      params,
      /** `verdict` may be given several times. */
      query: {
        verdict: Schema.optional(Schema.Array(Verdict)),
        cursor: Schema.optional(Cursor),
        limit: limit(1024)
      },
      success: page(DiscoveryResult),
      error: NotFoundWire
    }).annotate(RequiredPermission, "discovery:read"),
    HttpApiEndpoint.post("cancel", "/scans/:id/cancel", {
      params,
      success: HttpApiSchema.Accepted,
      error: [NotFoundWire, ConflictWire]
    }).annotate(RequiredPermission, "discovery:run"),
    HttpApiEndpoint.post("register", "/scans/:id/register", {
      params,
      headers: IdempotencyKey,
      payload: Registering,
      success: RegisterOutcomes,
      error: [NotFoundWire, ConflictWire]
    }).annotate(RequiredPermission, "discovery:run")
  )
  .middleware(Authentication)
  .prefix("/api/v1/discovery")
  .annotateMerge(OpenApi.annotations({ title: "Discovery" })) {}
