/** Who may connect, which proxies are believed, and where agents may be. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { NetworkAccess, NetworkChange } from "#core/AllowList.ts"
import { Authentication } from "./Authentication.ts"
import { ConflictWire, PreconditionFailedWire, PreconditionRequiredWire } from "./Errors.ts"
import { IfMatch } from "./Hosts.ts"
import { RequiredPermission } from "./RequiredPermission.ts"

const Tagged = HttpApiSchema.WithHeaders(NetworkAccess, { etag: Schema.String })
const error = [ConflictWire, PreconditionFailedWire, PreconditionRequiredWire] as const

export class Network extends HttpApiGroup.make("network")
  .add(
    HttpApiEndpoint.get("get", "/", { success: Tagged }).annotate(RequiredPermission, "network:read"),
    /** Takes effect within two seconds in every web process, and is taken back unless it is confirmed in time. */
    HttpApiEndpoint.patch("update", "/", { headers: IfMatch, payload: NetworkChange, success: Tagged, error }).annotate(
      RequiredPermission,
      "network:change"
    ),
    HttpApiEndpoint.post("confirm", "/confirm", { headers: IfMatch, success: Tagged, error }).annotate(
      RequiredPermission,
      "network:change"
    )
  )
  .middleware(Authentication)
  .prefix("/api/v1/network")
  .annotateMerge(OpenApi.annotations({ title: "Network" })) {}
