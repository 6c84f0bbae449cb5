/**
 * Wraps every request: its id, its size limit, the host name it must carry, and for every answer, whoever made it,
 * the envelope where it is an error, the common headers and a line in the log.
 */
import { Cause, Clock, Context, Effect, LogLevel, References, type Types } from "effect"
import { kibibytes } from "effect/ByteSize"
import {
  HttpEffect,
  HttpIncomingMessage,
  HttpRouter,
  HttpServerError,
  HttpServerRequest,
  HttpServerResponse
} from "effect/http"
import type { ErrorEnvelope } from "#http/api/Errors.ts"
import { RequestId } from "#http/api/Errors.ts"
import { newRequestId } from "#core/newId.ts"
import { WebConfig } from "./WebSettings.ts"

const bodyLimit = kibibytes(64)
/** A job may name 10,000 hosts, a group 2,500. */
const jobBodyLimit = kibibytes(512)

const namesManyHosts =
  /^(\/api\/v1\/jobs(\/plan|\/[^/]+\/rollback(\/plan)?)?|\/rpc|\/api\/v1\/groups\/[^/]+\/hosts(\/add|\/remove)?)$/
const limitFor = (path: string) => (namesManyHosts.test(path) ? jobBodyLimit : bodyLimit)

/** Errors that no endpoint declares: the router's, the server's and our own faults. */
const words: Readonly<Record<number, readonly [code: string, message: string]>> = {
  400: ["bad_request", "The request could not be read."],
  401: ["unauthorized", "Sign in first."],
  403: ["forbidden", "This is not allowed."],
  404: ["not_found", "There is nothing at this address."],
  405: ["method_not_allowed", "This address does not take that method: see the Allow header."],
  408: ["request_timeout", "The request did not arrive in time."],
  413: ["body_too_large", "The body is larger than this address takes."],
  415: ["unsupported_media_type", "Send the body as application/json."],
  421: ["misdirected_request", "This server does not answer for that host name."],
  426: ["upgrade_required", "This address opens a WebSocket."],
  431: ["headers_too_large", "The request's headers are too large."],
  503: ["unavailable", "The manager cannot answer at this moment. Try again in a few seconds."]
}
const ours: readonly [string, string] = [
  "internal_error",
  "The manager failed; its log has the reason under this request id."
]

export const envelope = (status: number, request_id: string): ErrorEnvelope => {
  const [code, message] = words[status] ?? (status < 500 ? [`status_${status}`, "The request was refused."] : ours)
  return { error: { code, message, request_id, details: {} } }
}

const keptHeaders = ["allow", "retry-after", "set-cookie", "connection", "upgrade"]

const isJson = (response: HttpServerResponse.HttpServerResponse): boolean =>
  response.body._tag === "Uint8Array" && response.body.contentType.startsWith("application/json")

const enveloped = (response: HttpServerResponse.HttpServerResponse, id: string) => {
  if (response.status < 400 || isJson(response)) return response
  const headers = Object.fromEntries(
    keptHeaders.flatMap((name) => (response.headers[name] ? [[name, response.headers[name]]] : []))
  )
  return HttpServerResponse.jsonUnsafe(envelope(response.status, id), { status: response.status, headers })
}

const pathOf = (url: string): string => {
  const end = url.search(/[?#]/)
  return end < 0 ? url : url.slice(0, end)
}

const isApi = (path: string): boolean => path.startsWith("/api/") || path === "/rpc" || path.startsWith("/status/")

const hostNameOf = (header: string | undefined): string => (header ?? "").toLowerCase().replace(/:[0-9]+$/, "")

/** Faults of ours, whole; the caller only gets the request id. A body too large or cut off is not one. */
const logDefects = (cause: Cause.Cause<unknown>): Effect.Effect<void> => {
  const defects = cause.reasons.filter(
    (reason) => reason._tag === "Die" && !HttpServerError.isHttpServerError(reason.defect)
  )
  return defects.length === 0 ? Effect.void : Effect.logError("A request failed", Cause.fromReasons(defects))
}

export const layer = HttpRouter.middleware(
  Effect.gen(function* () {
    const config = yield* WebConfig
    return (handler: Effect.Effect<HttpServerResponse.HttpServerResponse, Types.unhandled>) =>
      Effect.withFiber<HttpServerResponse.HttpServerResponse, Types.unhandled>((fiber) => {
        const request = Context.getUnsafe(fiber.context, HttpServerRequest.HttpServerRequest)
        const clock = fiber.getRef(Clock.Clock)
        const startedAt = clock.currentTimeMillisUnsafe()
        const id = newRequestId()
        const path = pathOf(request.url)
        const logsDebug = LogLevel.isLessThanOrEqualTo(fiber.getRef(References.MinimumLogLevel), "Debug")
        const annotations = { ...fiber.getRef(References.CurrentLogAnnotations), request_id: id }
        HttpEffect.appendPreResponseHandlerUnsafe(fiber.context, (_request, response) => {
          const headers: Record<string, string> = { ...config.securityHeaders, "x-request-id": id }
          if (isApi(path) && response.headers["cache-control"] === undefined) headers["cache-control"] = "no-store"
          if ((response.status === 429 || response.status === 503) && response.headers["retry-after"] === undefined) {
            headers["retry-after"] = "5"
          }
          const answer = HttpServerResponse.setHeaders(enveloped(response, id), headers)
          // The usual answer of a busy list: nothing to say, so nothing is put together.
          if (request.method === "GET" && answer.status < 400 && !logsDebug) return Effect.succeed(answer)
          const line = `${request.method} ${path} ${answer.status} in ${clock.currentTimeMillisUnsafe() - startedAt} ms`
          const quiet = request.method === "GET" && answer.status < 400
          const log =
            answer.status >= 500 ? Effect.logError(line) : quiet ? Effect.logDebug(line) : Effect.logInfo(line)
          return Effect.as(Effect.annotateLogs(log, annotations), answer)
        })
        if (!config.hostNames.has(hostNameOf(request.headers["host"]))) {
          return Effect.succeed(HttpServerResponse.empty({ status: 421 }))
        }
        const watched: Effect.Effect<HttpServerResponse.HttpServerResponse, Types.unhandled> = Effect.tapCause(
          handler,
          logDefects
        )
        return Effect.updateContext(watched, (context: Context.Context<never>) =>
          Context.mergeAll(
            context,
            Context.make(RequestId, id),
            Context.make(HttpIncomingMessage.MaxBodySize, limitFor(path)),
            Context.make(References.CurrentLogAnnotations, annotations)
          )
        )
      })
  }),
  { global: true }
)
