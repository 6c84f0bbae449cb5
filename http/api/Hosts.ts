/** Hosts: list, register, look at, edit, remove, and what people ask of one host's machine. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import {
  HostChange,
  HostDetail,
  HostItem,
  HostJob,
  HostPackages,
  HostPatches,
  HostTransition,
  IssuedCertificate,
  NewHost
} from "#core/Host.ts"
import { hostFilter } from "#core/HostFilter.ts"
import { HostId } from "#core/Ids.ts"
import { Cursor, page } from "#core/Page.ts"
import { HostReasons } from "#core/Reason.ts"
import { Authentication } from "./Authentication.ts"
import {
  ConflictWire,
  NotFoundWire,
  PreconditionFailedWire,
  PreconditionRequiredWire,
  TooManyRequestsWire
} from "./Errors.ts"
import { RequiredPermission } from "./RequiredPermission.ts"

export const HostSort = Schema.Literals([
  "name",
  "-name",
  "status",
  "-status",
  "pending",
  "-pending",
  "security",
  "-security",
  "last_seen",
  "-last_seen"
])
export type HostSort = typeof HostSort.Type

export const limit = (maximum: number) => Schema.optional(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum })))
const text = Schema.String.check(Schema.isMaxLength(200))

export const HostListQuery = {
  ...hostFilter,
  sort: Schema.optional(HostSort),
  cursor: Schema.optional(Cursor),
  limit: limit(500)
}

export const IdempotencyKey = { "idempotency-key": Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(255)) }
/** The `version` of the host as read, bare or quoted. */
export const IfMatch = { "if-match": Schema.optional(Schema.String.check(Schema.isMaxLength(64))) }

const params = { id: HostId }
const Tagged = HttpApiSchema.WithHeaders(HostDetail, { etag: Schema.String })

export class Hosts extends HttpApiGroup.make("hosts")
  .add(
    HttpApiEndpoint.get("list", "/", { query: HostListQuery, success: page(HostItem), error: NotFoundWire }).annotate(
      RequiredPermission,
      "hosts:read"
    ),
    HttpApiEndpoint.post("create", "/", {
      headers: IdempotencyKey,
      payload: NewHost,
      success: HostDetail.pipe(HttpApiSchema.status(201)),
      error: [ConflictWire, NotFoundWire]
    }).annotate(RequiredPermission, "hosts:create"),
    HttpApiEndpoint.get("get", "/:id", { params, success: Tagged, error: NotFoundWire }).annotate(
      RequiredPermission,
      "hosts:read"
    ),
    HttpApiEndpoint.patch("update", "/:id", {
      params,
      headers: IfMatch,
      payload: HostChange,
      success: Tagged,
      error: [NotFoundWire, ConflictWire, PreconditionFailedWire, PreconditionRequiredWire]
    }).annotate(RequiredPermission, "hosts:change"),
    HttpApiEndpoint.delete("remove", "/:id", {
      params,
      /** Without waiting for work in progress, whose outcome then stays unknown. */
      query: { force: Schema.optional(Schema.Boolean) },
      success: HttpApiSchema.Accepted,
      error: NotFoundWire
    }).annotate(RequiredPermission, "hosts:remove"),
    HttpApiEndpoint.get("packages", "/:id/packages", {
      params,
      query: { q: Schema.optional(text) },
      success: HostPackages,
      error: NotFoundWire
    }).annotate(RequiredPermission, "hosts:read"),
    HttpApiEndpoint.get("patches", "/:id/patches", { params, success: HostPatches, error: NotFoundWire }).annotate(
      RequiredPermission,
      "hosts:read"
    ),
    HttpApiEndpoint.get("transitions", "/:id/transitions", {
      params,
      query: { cursor: Schema.optional(Cursor), limit: limit(500) },
      success: page(HostTransition),
      error: NotFoundWire
    }).annotate(RequiredPermission, "hosts:read"),
    HttpApiEndpoint.get("jobs", "/:id/jobs", {
      params,
      query: { cursor: Schema.optional(Cursor), limit: limit(200) },
      success: page(HostJob),
      error: NotFoundWire
    }).annotate(RequiredPermission, "hosts:read"),
    /** Why the host, and each of its pending packages, is not patched. */
    HttpApiEndpoint.get("reasons", "/:id/reasons", { params, success: HostReasons, error: NotFoundWire }).annotate(
      RequiredPermission,
      "hosts:read"
    ),
    HttpApiEndpoint.post("refresh", "/:id/refresh", {
      params,
      success: HttpApiSchema.Accepted,
      error: NotFoundWire
    }).annotate(RequiredPermission, "hosts:refresh"),
    HttpApiEndpoint.post("dismiss", "/:id/dismiss", {
      params,
      success: HttpApiSchema.Accepted,
      error: [NotFoundWire, ConflictWire]
    }).annotate(RequiredPermission, "hosts:decide"),
    HttpApiEndpoint.post("retry", "/:id/retry", {
      params,
      success: HttpApiSchema.Accepted,
      error: [NotFoundWire, ConflictWire]
    }).annotate(RequiredPermission, "hosts:decide"),
    HttpApiEndpoint.post("settle", "/:id/settle", {
      params,
      payload: Schema.Struct({ verdict: Schema.Literals(["done", "not_effective"]) }).annotate({
        identifier: "Settle"
      }),
      success: HttpApiSchema.Accepted,
      error: [NotFoundWire, ConflictWire]
    }).annotate(RequiredPermission, "hosts:decide"),
    HttpApiEndpoint.post("issueCertificate", "/:id/certificate", {
      params,
      success: IssuedCertificate.pipe(HttpApiSchema.status(201)),
      error: [NotFoundWire, ConflictWire, TooManyRequestsWire]
    }).annotate(RequiredPermission, "certificates:issue"),
    HttpApiEndpoint.get("certificate", "/:id/client.crt", {
      params,
      success: Schema.String.pipe(HttpApiSchema.asText({ contentType: "application/x-pem-file" })),
      error: NotFoundWire
    }).annotate(RequiredPermission, "certificates:read")
  )
  .middleware(Authentication)
  .prefix("/api/v1/hosts")
  .annotateMerge(OpenApi.annotations({ title: "Hosts" })) {}
