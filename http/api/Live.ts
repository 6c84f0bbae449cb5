/**
 * Live sockets. A ticket is asked for by POST, opens one socket once, and is worthless after a minute.
 * The sockets speak the messages of core/Live.ts, one JSON text a frame.
 */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import type { Permission } from "#core/Permission.ts"
import { Authentication } from "./Authentication.ts"
import { RequiredPermission } from "./RequiredPermission.ts"

export const Ticket = Schema.Struct({ ticket: Schema.String, expires_in_seconds: Schema.Int }).annotate({
  identifier: "Ticket"
})
export type Ticket = typeof Ticket.Type

export class Live extends HttpApiGroup.make("live")
  .add(HttpApiEndpoint.post("ticket", "/ticket", { success: Ticket }).annotate(RequiredPermission, "live:open"))
  .middleware(Authentication)
  .prefix("/api/v1/ws")
  .annotateMerge(OpenApi.annotations({ title: "Live" })) {}

/** The sockets, opened as `<path>?ticket=…`, each with what its ticket has to allow and what it tells about. */
export const sockets = {
  fleet: { path: "/api/v1/ws/fleet", permission: "hosts:read", topics: ["host"] },
  jobs: { path: "/api/v1/ws/jobs", permission: "jobs:read", topics: ["job", "job_host"] }
} as const satisfies Record<
  string,
  {
    readonly path: `/${string}`
    readonly permission: Permission
    readonly topics: ReadonlyArray<"host" | "job" | "job_host">
  }
>
