/** Procedures over HTTP. The caller is checked before the body is read, and each procedure's permission once more. */
import { Context, Effect, Layer, Schedule, Stream } from "effect"
import { Headers, HttpRouter, HttpServerRequest } from "effect/http"
import { RpcSerialization, RpcServer } from "effect/rpc"
import { SqlClient } from "effect/sql"
import { NotFound, Unauthorized } from "#core/Errors.ts"
import type { Page } from "#core/Page.ts"
import type { HostItem } from "#core/Host.ts"
import type { Caller } from "#core/User.ts"
import { CurrentCaller } from "#http/api/Authentication.ts"
import { RequiredPermission } from "#http/api/RequiredPermission.ts"
import { RPC_PATH, RpcAuthorization, Rpcs } from "#http/api/Rpcs.ts"
import { listHosts } from "#sql/hostList.ts"
import { getHost } from "#sql/HostStore.ts"
import { getJob, pauseJob, requestCancel, resumeJob } from "#sql/JobStore.ts"
import { readHostReasons } from "#sql/ReasonStore.ts"
import { withRowScope } from "#sql/rowScope.ts"
import { callerOf } from "./Authentication.ts"
import { authorize, requireSignedIn } from "./authorize.ts"
import { createJob } from "./createJob.ts"
import { Credentials } from "./Credentials.ts"
import { noteRefusal } from "./noteRefusal.ts"
import { planJob } from "./planJob.ts"
import { inTurn, RateLimiter } from "./RateLimiter.ts"
import { errorResponses } from "./errorResponses.ts"
import { principalNow } from "./principalNow.ts"
import { answered } from "./translate.ts"

/** Overwritten on every request, so that it says what we know and not what was sent. */
const REQUEST = "x-patch-manager-request"

const bearerOf = (headers: Headers.Headers): string =>
  /^bearer +(\S+)$/i.exec(headers["authorization"] ?? "")?.[1] ?? ""

const lostCaller = new Unauthorized({ message: "Sign in first: this needs a Bearer token." })
const gone = new NotFound({ code: "session_ended", message: "The session has ended. Sign in again." })

/** Who asks, by request id, while the request is answered: a procedure hears only of the headers. */
const callers = new Map<string, Caller>()

const door = HttpRouter.middleware(
  Effect.gen(function* () {
    const credentials = yield* Credentials
    return (handler) =>
      Effect.gen(function* () {
        const request = yield* HttpServerRequest.HttpServerRequest
        const caller = yield* answered(callerOf(bearerOf(request.headers))).pipe(
          Effect.provideService(Credentials, credentials)
        )
        yield* requireSignedIn(caller.principal)
        const headers = Headers.set(request.headers, REQUEST, caller.request_id)
        yield* Effect.acquireRelease(
          Effect.sync(() => callers.set(caller.request_id, caller)),
          () => Effect.sync(() => callers.delete(caller.request_id))
        )
        return yield* inTurn(
          caller.principal.user_id,
          Effect.provideService(handler, HttpServerRequest.HttpServerRequest, request.modify({ headers }))
        )
      }).pipe(errorResponses)
  })
)

const authorization = Layer.effect(
  RpcAuthorization,
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    return RpcAuthorization.of((effect, { headers, rpc }) =>
      Effect.gen(function* () {
        const caller = callers.get(headers[REQUEST] ?? "")
        if (caller === undefined) return yield* Effect.die(lostCaller)
        const need = Context.get(rpc.annotations, RequiredPermission)
        yield* authorize(caller.principal, need).pipe(
          Effect.tapError(() =>
            Effect.provideService(noteRefusal(caller, `RPC ${rpc._tag}`, need), SqlClient.SqlClient, sql)
          )
        )
        return yield* withRowScope(caller.principal)(Effect.provideService(effect, CurrentCaller, caller))
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
  PlanJob: ({ job }) =>
    answered(
      Effect.gen(function* () {
        const caller = yield* CurrentCaller
        return yield* (yield* RateLimiter).inLine(caller.principal.user_id, planJob(caller, job))
      })
    ),
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
          Stream.mapEffect(() =>
            answered(
              Effect.flatMap(principalNow(principal), (now) => (now === null ? Effect.fail(gone) : getJob(now, id)))
            )
          ),
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
