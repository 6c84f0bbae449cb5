/** Remote procedures at /rpc (HTTP, ndjson), over the same stores and permissions as REST. */
import { Effect, Schema, SchemaGetter } from "effect"
import { Rpc, RpcGroup, RpcMiddleware } from "effect/rpc"
import { Conflict, Forbidden, NotFound, TooManyRequests, Unavailable, Unprocessable } from "#core/Errors.ts"
import { HostDetail, HostItem } from "#core/Host.ts"
import { HostId, JobId } from "#core/Ids.ts"
import { JobDetail, NewJob } from "#core/Job.ts"
import { page } from "#core/Page.ts"
import { Plan } from "#core/Plan.ts"
import { HostReasons } from "#core/Reason.ts"
import { CurrentCaller } from "./Authentication.ts"
import { HostListQuery } from "./Hosts.ts"
import { RequiredPermission } from "./RequiredPermission.ts"

export const RPC_PATH = "/rpc"

/** What went wrong inside stays inside: every defect reaches the caller as the same words. */
const defect = Schema.Unknown.pipe(
  Schema.decodeTo(Schema.Unknown, {
    decode: SchemaGetter.passthrough(),
    encode: SchemaGetter.transformEffect(() => Effect.succeed<unknown>("The manager failed; its log has the reason."))
  })
)

export class RpcAuthorization extends RpcMiddleware.Service<RpcAuthorization, { provides: CurrentCaller }>()(
  "patch-manager/http/RpcAuthorization",
  { error: Forbidden }
) {}

export class Rpcs extends RpcGroup.make(
  Rpc.make("ListHosts", {
    payload: HostListQuery,
    success: page(HostItem),
    error: Schema.Union([NotFound, Unprocessable, Unavailable]),
    defect
  }).annotate(RequiredPermission, "hosts:read"),
  Rpc.make("GetHost", {
    payload: { id: HostId },
    success: HostDetail,
    error: Schema.Union([NotFound, Unavailable]),
    defect
  }).annotate(RequiredPermission, "hosts:read"),
  Rpc.make("CreateJob", {
    payload: { idempotency_key: Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(255)), job: NewJob },
    success: JobDetail,
    error: Schema.Union([NotFound, Conflict, Unprocessable, Unavailable]),
    defect
  }).annotate(RequiredPermission, "jobs:create"),
  /** What that job would do, as things are now. */
  Rpc.make("PlanJob", {
    payload: { job: NewJob },
    success: Plan,
    error: Schema.Union([NotFound, Conflict, Unprocessable, TooManyRequests, Unavailable]),
    defect
  }).annotate(RequiredPermission, "jobs:read"),
  Rpc.make("PauseJob", {
    payload: { id: JobId },
    error: Schema.Union([NotFound, Conflict, Unavailable]),
    defect
  }).annotate(RequiredPermission, "jobs:change"),
  Rpc.make("ResumeJob", {
    payload: { id: JobId },
    error: Schema.Union([NotFound, Conflict, Unavailable]),
    defect
  }).annotate(RequiredPermission, "jobs:change"),
  Rpc.make("CancelJob", {
    payload: { id: JobId },
    error: Schema.Union([NotFound, Conflict, Unavailable]),
    defect
  }).annotate(RequiredPermission, "jobs:cancel"),
  /** Why the host, and each of its pending packages, is not patched. */
  Rpc.make("HostReasons", {
    payload: { id: HostId },
    success: HostReasons,
    error: Schema.Union([NotFound, Unavailable]),
    defect
  }).annotate(RequiredPermission, "hosts:read"),
  Rpc.make("GetJob", {
    payload: { id: JobId },
    success: JobDetail,
    error: Schema.Union([NotFound, Unavailable]),
    defect
  }).annotate(RequiredPermission, "jobs:read"),
  /** The job now and after each change, until it has ended. */
  Rpc.make("WatchJob", {
    payload: { id: JobId },
    success: JobDetail,
    error: Schema.Union([NotFound, Unavailable]),
    stream: true,
    defect
  }).annotate(RequiredPermission, "jobs:read")
).middleware(RpcAuthorization) {}
