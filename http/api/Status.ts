/** Is the manager well, how is the fleet, and whom to trust. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { FleetStatus } from "#core/Fleet.ts"
import { Authentication } from "./Authentication.ts"
import { RequiredPermission } from "./RequiredPermission.ts"

export const Healthy = Schema.Struct({ status: Schema.Literal("ok") })
export const Failing = Schema.Struct({
  status: Schema.Literal("failing"),
  failing: Schema.Literals(["database", "worker"])
})

export class Status extends HttpApiGroup.make("status")
  .add(
    HttpApiEndpoint.get("health", "/status/health", {
      success: [Healthy, Failing.pipe(HttpApiSchema.status(503))]
    }).annotate(RequiredPermission, "public"),
    HttpApiEndpoint.get("rootCertificate", "/api/v1/ca/root.crt", {
      success: Schema.String.pipe(HttpApiSchema.asText({ contentType: "application/x-pem-file" }))
    }).annotate(RequiredPermission, "public"),
    HttpApiEndpoint.get("fleet", "/api/v1/status/fleet", { success: FleetStatus })
      .middleware(Authentication)
      .annotate(RequiredPermission, "fleet:read"),
    HttpApiEndpoint.get("openapi", "/api/v1/openapi.json", { success: Schema.Record(Schema.String, Schema.Unknown) })
      .middleware(Authentication)
      .annotate(RequiredPermission, "docs:read")
  )
  .annotateMerge(OpenApi.annotations({ title: "Status" })) {}
