/** Jobs: what was asked of which hosts, and what came of it. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { JobId } from "#core/Ids.ts"
import { JobDetail, JobHost, JobItem, NewJob } from "#core/Job.ts"
import { JobHostState, JobState } from "#core/JobState.ts"
import { Cursor, page } from "#core/Page.ts"
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
    }).annotate(RequiredPermission, "jobs:cancel")
  )
  .middleware(Authentication)
  .prefix("/api/v1/jobs")
  .annotateMerge(OpenApi.annotations({ title: "Jobs" })) {}
