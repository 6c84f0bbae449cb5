/** Groups: who sees which hosts, and what their hosts have in common. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import {
  GroupChange,
  GroupDeletion,
  GroupDetail,
  GroupHostIds,
  GroupHostsChanged,
  GroupItem,
  GroupUsers,
  NewGroup
} from "#core/Group.ts"
import { HostItem } from "#core/Host.ts"
import { GroupId, HostId } from "#core/Ids.ts"
import { Cursor, page } from "#core/Page.ts"
import { GroupServiceChecks, HostServiceChecks, ServiceCheckChange } from "#core/ServiceCheck.ts"
import { RequiresStepUp } from "./AllowedStage.ts"
import { Authentication } from "./Authentication.ts"
import { ConflictWire, NotFoundWire, PreconditionFailedWire, PreconditionRequiredWire } from "./Errors.ts"
import { HostSort, IdempotencyKey, IfMatch, limit } from "./Hosts.ts"
import { RequiredPermission } from "./RequiredPermission.ts"

const q = Schema.optional(Schema.String.check(Schema.isMaxLength(200)))
const params = { id: GroupId }
const Tagged = HttpApiSchema.WithHeaders(GroupDetail, { etag: Schema.String })

const members = {
  params,
  payload: GroupHostIds,
  success: GroupHostsChanged,
  error: [NotFoundWire, ConflictWire]
} as const

export class Groups extends HttpApiGroup.make("groups")
  .add(
    HttpApiEndpoint.get("list", "/", {
      query: { q, cursor: Schema.optional(Cursor), limit: limit(500) },
      success: page(GroupItem)
    }).annotate(RequiredPermission, "groups:read"),
    HttpApiEndpoint.post("create", "/", {
      headers: IdempotencyKey,
      payload: NewGroup,
      success: GroupDetail.pipe(HttpApiSchema.status(201)),
      error: ConflictWire
    }).annotate(RequiredPermission, "groups:change"),
    HttpApiEndpoint.get("get", "/:id", { params, success: Tagged, error: NotFoundWire }).annotate(
      RequiredPermission,
      "groups:read"
    ),
    HttpApiEndpoint.patch("update", "/:id", {
      params,
      headers: IfMatch,
      payload: GroupChange,
      success: Tagged,
      error: [NotFoundWire, ConflictWire, PreconditionFailedWire, PreconditionRequiredWire]
    }).annotate(RequiredPermission, "groups:change"),
    /** What follows from deleting it; changes nothing. */
    HttpApiEndpoint.get("deletion", "/:id/deletion", { params, success: GroupDeletion, error: NotFoundWire }).annotate(
      RequiredPermission,
      "groups:read"
    ),
    HttpApiEndpoint.delete("remove", "/:id", {
      params,
      /** `ungrouped_total` of the deletion as read: that many hosts become visible to every operator. */
      query: { confirm_ungrouped: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 })) },
      error: [NotFoundWire, ConflictWire]
    }).annotate(RequiredPermission, "groups:change"),
    HttpApiEndpoint.get("hosts", "/:id/hosts", {
      params,
      query: { q, sort: Schema.optional(HostSort), cursor: Schema.optional(Cursor), limit: limit(500) },
      success: page(HostItem),
      error: NotFoundWire
    }).annotate(RequiredPermission, "groups:read"),
    HttpApiEndpoint.put("replaceHosts", "/:id/hosts", members).annotate(RequiredPermission, "groups:change"),
    HttpApiEndpoint.post("addHosts", "/:id/hosts/add", members).annotate(RequiredPermission, "groups:change"),
    HttpApiEndpoint.post("removeHosts", "/:id/hosts/remove", members).annotate(RequiredPermission, "groups:change"),
    HttpApiEndpoint.put("replaceUsers", "/:id/users", {
      params,
      payload: GroupUsers,
      success: Tagged,
      error: NotFoundWire
    })
      .annotate(RequiredPermission, "groups:change")
      .annotate(RequiresStepUp, true),
    HttpApiEndpoint.get("serviceChecks", "/:id/service-checks", {
      params,
      success: GroupServiceChecks,
      error: NotFoundWire
    }).annotate(RequiredPermission, "groups:read"),
    HttpApiEndpoint.put("replaceServiceChecks", "/:id/service-checks", {
      params,
      payload: ServiceCheckChange,
      success: GroupServiceChecks,
      error: [NotFoundWire, ConflictWire]
    }).annotate(RequiredPermission, "hosts:change")
  )
  .middleware(Authentication)
  .prefix("/api/v1/groups")
  .annotateMerge(OpenApi.annotations({ title: "Groups" })) {}

const host = { id: HostId }

/** Beside the hosts' own group of endpoints, since a host's services may come from its groups. */
export class ServiceChecks extends HttpApiGroup.make("serviceChecks")
  .add(
    HttpApiEndpoint.get("get", "/:id/service-checks", {
      params: host,
      success: HostServiceChecks,
      error: NotFoundWire
    }).annotate(RequiredPermission, "hosts:read"),
    HttpApiEndpoint.put("replace", "/:id/service-checks", {
      params: host,
      payload: ServiceCheckChange,
      success: HostServiceChecks,
      error: [NotFoundWire, ConflictWire]
    }).annotate(RequiredPermission, "hosts:change")
  )
  .middleware(Authentication)
  .prefix("/api/v1/hosts")
  .annotateMerge(OpenApi.annotations({ title: "Service checks" })) {}
