/** Agents that ask to join: what they call without signing in, and the queue in which administrators decide. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Approval, EnrolAccepted, Enrolment, EnrolmentState, EnrolRequest, EnrolStatus } from "#core/Enrolment.ts"
import { EnrolmentId } from "#core/Ids.ts"
import { Cursor, page } from "#core/Page.ts"
import { Authentication } from "./Authentication.ts"
import { ConflictWire, NotFoundWire, TooManyRequestsWire } from "./Errors.ts"
import { IdempotencyKey, limit } from "./Hosts.ts"
import { RequiredPermission } from "./RequiredPermission.ts"

const params = { id: EnrolmentId }

export class Enrolments extends HttpApiGroup.make("enrolments")
  .add(
    HttpApiEndpoint.post("request", "/enroll", {
      payload: EnrolRequest,
      success: EnrolAccepted.pipe(HttpApiSchema.status(202)),
      error: [ConflictWire, TooManyRequestsWire]
    }).annotate(RequiredPermission, "public"),
    HttpApiEndpoint.get("status", "/enroll/status/:token", {
      // Whatever it is, an agent that is not known has to be told so in words it stops at.
      params: { token: Schema.String },
      success: EnrolStatus,
      error: TooManyRequestsWire
    }).annotate(RequiredPermission, "public"),
    HttpApiEndpoint.get("crl", "/pki/crl.pem", {
      success: Schema.String.pipe(HttpApiSchema.asText({ contentType: "application/x-pem-file" })),
      error: TooManyRequestsWire
    }).annotate(RequiredPermission, "public"),
    HttpApiEndpoint.get("repoConfig", "/pki/repo-config", {
      success: HttpApiSchema.NoContent,
      error: [NotFoundWire, TooManyRequestsWire]
    }).annotate(RequiredPermission, "public"),
    HttpApiEndpoint.get("list", "/enrolments", {
      /** `state` may be given several times. */
      query: {
        state: Schema.optional(Schema.Array(EnrolmentState)),
        cursor: Schema.optional(Cursor),
        limit: limit(200)
      },
      success: page(Enrolment)
    })
      .middleware(Authentication)
      .annotate(RequiredPermission, "enrolments:read"),
    HttpApiEndpoint.get("get", "/enrolments/:id", { params, success: Enrolment, error: NotFoundWire })
      .middleware(Authentication)
      .annotate(RequiredPermission, "enrolments:read"),
    HttpApiEndpoint.post("approve", "/enrolments/:id/approve", {
      params,
      headers: IdempotencyKey,
      payload: Approval,
      success: Enrolment,
      error: [NotFoundWire, ConflictWire]
    })
      .middleware(Authentication)
      .annotate(RequiredPermission, "enrolments:decide"),
    HttpApiEndpoint.post("deny", "/enrolments/:id/deny", {
      params,
      success: Enrolment,
      error: [NotFoundWire, ConflictWire]
    })
      .middleware(Authentication)
      .annotate(RequiredPermission, "enrolments:decide")
  )
  .prefix("/api/v1")
  .annotateMerge(OpenApi.annotations({ title: "Enrolments" })) {}
