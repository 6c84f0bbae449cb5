/** Procedures over HTTP. The caller is checked before the body is read, and each procedure's permission once more. */
import { Context, Effect, Layer, Schedule, Stream } from "effect"
import { Headers, HttpRouter, HttpServerRequest } from "effect/http"
import { RpcSerialization, RpcServer } from "effect/rpc"
import { Unauthorized } from "#core/Errors.ts"
import type { Page } from "#core/Page.ts"
import type { HostItem } from "#core/Host.ts"
import { CurrentCaller } from "#http/api/Authentication.ts"
import { RequestId } from "#http/api/Errors.ts"
import { RequiredPermission } from "#http/api/RequiredPermission.ts"
import { RPC_PATH, RpcAuthorization, Rpcs } from "#http/api/Rpcs.ts"
import { listHosts } from "#sql/hostList.ts"
import { getHost } from "#sql/HostStore.ts"
import { getJob, pauseJob, requestCancel, resumeJob } from "#sql/JobStore.ts"
import { readHostReasons } from "#sql/ReasonStore.ts"
import { authorize } from "./authorize.ts"
import { createJob } from "./createJob.ts"
import { Credentials } from "./Credentials.ts"
import { planJob } from "./planJob.ts"
import { errorResponses } from "./errorResponses.ts"
import { sourceAddress } from "./sourceAddress.ts"
import { answered } from "./translate.ts"

/** Overwritten on every request, so that they say what we know and not what was sent. */
const SOURCE = "x-patch-manager-source"
const REQUEST = "x-patch-manager-request"

const bearerOf = (headers: Headers.Headers): string =>
  /^bearer +(\S+)$/i.exec(headers["authorization"] ?? "")?.[1] ?? ""

const missing = new Unauthorized({ message: "Sign in first: this needs a Bearer token." })

const door = HttpRouter.middleware(
  Effect.gen(function* () {
    const credentials = yield* Credentials
    return (handler) =>
      Effect.gen(function* () {
        const request = yield* HttpServerRequest.HttpServerRequest
        const token = bearerOf(request.headers)
        if (token === "") return yield* missing
        yield* answered(credentials.authenticate(token))
        const headers = Headers.setAll(request.headers, {
          [SOURCE]: sourceAddress(request),
          [REQUEST]: yield* RequestId
        })
        return yield* Effect.provideService(handler, HttpServerRequest.HttpServerRequest, request.modify({ headers }))
      }).pipe(errorResponses)
  })
)

const authorization = Layer.effect(
  RpcAuthorization,
  Effect.gen(function* () {
    const credentials = yield* Credentials
    return RpcAuthorization.of((effect, { headers, rpc }) =>
      Effect.gen(function* () {
        const principal = yield* Effect.orDie(credentials.authenticate(bearerOf(headers)))
        yield* authorize(principal, Context.get(rpc.annotations, RequiredPermission))
        const caller = { principal, request_id: headers[REQUEST] ?? "-", source_address: headers[SOURCE] ?? "0.0.0.0" }
        return yield* Effect.provideService(effect, CurrentCaller, caller)
      })
    )
  })
)

const handlers = Rpcs.toLayer({
  ListHosts: (query) =>
    answered(
      Effect.gen(function* () {
        const { principal } = yield* CurrentCaller
        const page: Page<HostItem> = JSON.parse(yield* listHosts(principal, query))
        return page
      })
    ),
  GetHost: ({ id }) => answered(Effect.flatMap(CurrentCaller, ({ principal }) => getHost(principal, id))),
  CreateJob: ({ idempotency_key, job }) =>
    answered(Effect.flatMap(CurrentCaller, (caller) => createJob(caller, idempotency_key, job))),
  PlanJob: ({ job }) => answered(Effect.flatMap(CurrentCaller, (caller) => planJob(caller, job))),
  PauseJob: ({ id }) => answered(Effect.flatMap(CurrentCaller, (caller) => pauseJob(caller, id))),
  ResumeJob: ({ id }) => answered(Effect.flatMap(CurrentCaller, (caller) => resumeJob(caller, id))),
  CancelJob: ({ id }) => answered(Effect.flatMap(CurrentCaller, (caller) => requestCancel(caller, id))),
  HostReasons: ({ id }) => answered(Effect.flatMap(CurrentCaller, ({ principal }) => readHostReasons(principal, id))),
  GetJob: ({ id }) => answered(Effect.flatMap(CurrentCaller, ({ principal }) => getJob(principal, id))),
  WatchJob: ({ id }) =>
    Stream.unwrap(
      Effect.map(CurrentCaller, ({ principal }) =>
        Stream.fromSchedule(Schedule.spaced("1 second")).pipe(
          Stream.prepend([0]),
          Stream.mapEffect(() => answered(getJob(principal, id))),
          Stream.changesWith((a, b) => JSON.stringify(a) === JSON.stringify(b)),
          Stream.takeUntil((job) => job.finished_at !== null)
        )
      )
    )
})

export const layer = RpcServer.layerHttp({
  group: Rpcs,
  path: RPC_PATH,
  protocol: "http",
  disableFatalDefects: true
}).pipe(
  Layer.provide(door.layer),
  Layer.provide([handlers, authorization]),
  Layer.provide(RpcSerialization.layerNdjson)
)
