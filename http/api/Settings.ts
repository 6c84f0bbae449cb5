/** Settings that take effect without a restart. */
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Schema } from "effect"
import { Settings as AllSettings, SettingsChange } from "#core/Settings.ts"
import { Authentication } from "./Authentication.ts"
import { PreconditionFailedWire, PreconditionRequiredWire } from "./Errors.ts"
import { IfMatch } from "./Hosts.ts"
import { RequiredPermission } from "./RequiredPermission.ts"

const Tagged = HttpApiSchema.WithHeaders(AllSettings, { etag: Schema.String })

export class Settings extends HttpApiGroup.make("settings")
  .add(
    HttpApiEndpoint.get("get", "/", { success: Tagged }).annotate(RequiredPermission, "settings:read"),
    HttpApiEndpoint.patch("update", "/", {
      headers: IfMatch,
      payload: SettingsChange,
      success: Tagged,
      error: [PreconditionFailedWire, PreconditionRequiredWire]
    }).annotate(RequiredPermission, "settings:change")
  )
  .middleware(Authentication)
  .prefix("/api/v1/settings")
  .annotateMerge(OpenApi.annotations({ title: "Settings" })) {}
