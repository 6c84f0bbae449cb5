/** Jobs: what was asked of which hosts, and what came of it. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { JobId } from "#core/Ids.ts"
import { JobDetail, JobHost, JobItem, NewJob, NewRetry, NewRollback } from "#core/Job.ts"
import { JobHostState, JobState } from "#core/JobState.ts"
import { Cursor, page } from "#core/Page.ts"
import { Plan } from "#core/Plan.ts"
import { Authentication } from "./Authentication.ts"
import { ConflictWire, NotFoundWire } from "./Errors.ts"
import { IdempotencyKey, limit } from "./Hosts.ts"
import { RequiredPermission } from "./RequiredPermission.ts"

export const JobSort = Schema.Literals(["created", "-created"])
export type JobSort = typeof JobSort.Type

export const JobListQuery = {
  state: Schema.optional(Schema.Array(JobState)),
  sort: Schema.optional(JobSort),
  cursor: Schema.optional(Cursor),
  limit: limit(200)
}

const params = { id: JobId }

export class Jobs extends HttpApiGroup.make("jobs")
  .add(
    HttpApiEndpoint.get("list", "/", { query: JobListQuery, success: page(JobItem) }).annotate(
      RequiredPermission,
      "jobs:read"
    ),
    HttpApiEndpoint.post("create", "/", {
      headers: IdempotencyKey,
      payload: NewJob,
      success: JobDetail.pipe(HttpApiSchema.status(201)),
      error: [NotFoundWire, ConflictWire]
    }).annotate(RequiredPermission, "jobs:create"),
    /** What that job would do, as things are now. Nothing is made or changed, so no Idempotency-Key. */
    HttpApiEndpoint.post("plan", "/plan", {
      payload: NewJob,
      success: Plan,
      error: [NotFoundWire, ConflictWire]
    }).annotate(RequiredPermission, "jobs:read"),
    HttpApiEndpoint.get("get", "/:id", { params, success: JobDetail, error: NotFoundWire }).annotate(
      RequiredPermission,
      "jobs:read"
    ),
    HttpApiEndpoint.get("hosts", "/:id/hosts", {
      params,
      query: {
        state: Schema.optional(Schema.Array(JobHostState)),
        cursor: Schema.optional(Cursor),
        limit: limit(500)
      },
      success: page(JobHost),
      error: NotFoundWire
    }).annotate(RequiredPermission, "jobs:read"),
    HttpApiEndpoint.post("cancel", "/:id/cancel", {
      params,
      success: HttpApiSchema.Accepted,
      error: [NotFoundWire, ConflictWire]
    }).annotate(RequiredPermission, "jobs:cancel"),
    /** No host is started any more; what runs goes on. */
    HttpApiEndpoint.post("pause", "/:id/pause", {
      params,
      success: HttpApiSchema.Accepted,
      error: [NotFoundWire, ConflictWire]
    }).annotate(RequiredPermission, "jobs:change"),
    HttpApiEndpoint.post("resume", "/:id/resume", {
      params,
      success: HttpApiSchema.Accepted,
      error: [NotFoundWire, ConflictWire]
    }).annotate(RequiredPermission, "jobs:change"),
    HttpApiEndpoint.post("retry", "/:id/retry", {
      params,
      headers: IdempotencyKey,
      payload: NewRetry,
      success: JobDetail.pipe(HttpApiSchema.status(201)),
      error: [NotFoundWire, ConflictWire]
    }).annotate(RequiredPermission, "jobs:create"),
    HttpApiEndpoint.post("rollback", "/:id/rollback", {
      params,
      headers: IdempotencyKey,
      payload: NewRollback,
      success: JobDetail.pipe(HttpApiSchema.status(201)),
      error: [NotFoundWire, ConflictWire]
    }).annotate(RequiredPermission, "jobs:create"),
    /** What that rollback would do, as things are now. */
    HttpApiEndpoint.post("planRollback", "/:id/rollback/plan", {
      params,
      payload: NewRollback,
      success: Plan,
      error: [NotFoundWire, ConflictWire]
    }).annotate(RequiredPermission, "jobs:read")
  )
  .middleware(Authentication)
  .prefix("/api/v1/jobs")
  .annotateMerge(OpenApi.annotations({ title: "Jobs" })) {}
