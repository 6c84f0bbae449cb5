/**
 * Wraps every request: its id, its size limit, the host name it must carry, and for every answer, whoever made it,
 * the envelope where it is an error, the common headers and a line in the log.
 */
import type { IncomingHttpHeaders } from "node:http"
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import { Cause, Clock, Context, Effect, LogLevel, Option, References, type Types } from "effect"
import { bytes } from "effect/ByteSize"
import {
  HttpEffect,
  HttpIncomingMessage,
  HttpMethod,
  HttpRouter,
  HttpServerError,
  HttpServerRequest,
  HttpServerResponse
} from "effect/http"
import type { ErrorEnvelope } from "#http/api/Errors.ts"
import { RequestId } from "#http/api/Errors.ts"
import { limits, routeClass } from "#core/Limits.ts"
import { newRequestId } from "#core/newId.ts"
import { AllowList, sourceOf } from "./AllowList.ts"
import { Pacing, RateLimiter, tooManyRequests } from "./RateLimiter.ts"
import { strictJsonFault, strictText } from "./strictJson.ts"
import { WebConfig } from "./WebSettings.ts"

const bodyLimit = bytes(limits.body_bytes)
/** A job may name 10,000 hosts, a group 2,500. */
const hostsBodyLimit = bytes(limits.hosts_body_bytes)

const namesManyHosts =
  /^(\/api\/v1\/jobs(\/plan|\/[^/]+\/rollback(\/plan)?)?|\/rpc|\/api\/v1\/groups\/[^/]+\/hosts(\/add|\/remove)?)$/
const limitFor = (path: string) => (namesManyHosts.test(path) ? hostsBodyLimit : bodyLimit)

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
  411: ["length_required", "Send the body with its Content-Length."],
  417: ["expectation_failed", "This server meets no such expectation: leave the Expect header out."],
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

/** As the router reads it: decoded, without query, without doubled and trailing slashes. */
const pathOf = (url: string): string => {
  const end = url.search(/[?#;]/)
  const raw = end < 0 ? url : url.slice(0, end)
  if (!/%|\/\/|.\/$/.test(raw)) return raw
  const plain = raw.replaceAll(/\/{2,}/g, "/")
  try {
    return decodeURIComponent(plain.length > 1 && plain.endsWith("/") ? plain.slice(0, -1) : plain)
  } catch {
    return plain
  }
}

const isApi = (path: string): boolean => path.startsWith("/api/") || path === "/rpc" || path.startsWith("/status/")

const hostNameOf = (header: string | undefined): string => (header ?? "").toLowerCase().replace(/:[0-9]+$/, "")

/** Node keeps the first of several; a proxy before us may have looked at another. */
const hasOneHost = (headers: ReadonlyArray<string>): boolean => {
  let found = 0
  for (let at = 0; at < headers.length; at += 2) if (headers[at]?.toLowerCase() === "host") found += 1
  return found < 2
}

/** Node reads on after a coding it does not know, where another program would see a body. RFC 9112, 6.3. */
const isFramed = (headers: IncomingHttpHeaders): boolean =>
  headers["transfer-encoding"] === undefined || headers["transfer-encoding"].toLowerCase() === "chunked"

const methods: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
const ALLOWED = [...methods].join(", ")

const NO_JSON = "\0"

/** Bytes that parsers would read differently become something none of them takes, which is answered 400. */
const readStrictly = (body: ArrayBuffer): string => {
  const text = strictText(new Uint8Array(body))
  return text === null || strictJsonFault(text) !== null ? NO_JSON : text
}

/** The same request, whose body is read strictly. */
const strict = (request: HttpServerRequest.HttpServerRequest): HttpServerRequest.HttpServerRequest =>
  Object.create(request, {
    text: { get: () => Effect.map(request.arrayBuffer, readStrictly) }
  }) as HttpServerRequest.HttpServerRequest

const mediaType = /^application\/json *(; *charset *= *"?utf-8"?)? *$/i

/** Without a body there is nothing to be told about. */
const isReadable = (headers: IncomingHttpHeaders): boolean => {
  const type = headers["content-type"]
  if (type !== undefined) return mediaType.test(type)
  return headers["transfer-encoding"] === undefined && (headers["content-length"] ?? "0") === "0"
}

const refusal = (status: number, headers: Record<string, string> = {}) =>
  Effect.succeed(HttpServerResponse.empty({ status, headers }))

const notAllowed = (id: string) =>
  Effect.succeed(
    HttpServerResponse.jsonUnsafe(
      {
        error: {
          code: "address_not_allowed",
          message: "Your address may not connect to this manager. Ask an administrator to add it under Access.",
          request_id: id,
          details: {}
        }
      } satisfies ErrorEnvelope,
      { status: 403 }
    )
  )

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
    const allowList = yield* AllowList
    const limiter = yield* RateLimiter
    return (handler: Effect.Effect<HttpServerResponse.HttpServerResponse, Types.unhandled>) =>
      Effect.withFiber<HttpServerResponse.HttpServerResponse, Types.unhandled>((fiber) => {
        const request = Context.getUnsafe(fiber.context, HttpServerRequest.HttpServerRequest)
        const clock = fiber.getRef(Clock.Clock)
        const startedAt = clock.currentTimeMillisUnsafe()
        const id = newRequestId()
        const path = pathOf(request.url)
        const hostName = hostNameOf(request.headers["host"])
        const logsDebug = LogLevel.isLessThanOrEqualTo(fiber.getRef(References.MinimumLogLevel), "Debug")
        const annotations = { ...fiber.getRef(References.CurrentLogAnnotations), request_id: id }
        HttpEffect.appendPreResponseHandlerUnsafe(fiber.context, (_request, response) => {
          const headers: Record<string, string> = { ...config.headersFor(hostName), "x-request-id": id }
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
        if (!config.hostNames.has(hostName)) return refusal(421)
        const incoming = NodeHttpServerRequest.toIncomingMessage(request)
        if (!hasOneHost(incoming.rawHeaders) || !isFramed(incoming.headers))
          return refusal(400, { connection: "close" })
        // No text with NUL can be looked for or kept.
        if (request.url.includes("%00", request.url.indexOf("?") + 1) && request.url.includes("?")) return refusal(400)
        if (!methods.has(request.method)) return refusal(405, { allow: ALLOWED })
        const source = sourceOf(request)
        const client = allowList.admit(source)
        if (client === null) return notAllowed(id)
        const kind = routeClass(request.method, path)
        const wait = limiter.ofAddress(kind, client)
        if (wait > 0) return Effect.succeed(tooManyRequests(id, wait, "Too many requests from this address."))
        let known = request
        if (allowList.isProxy(source.peer)) {
          known = request.modify({ remoteAddress: Option.some(client) })
          if (request.headers["upgrade"] !== undefined) allowList.remember(incoming.socket, source)
        }
        if (HttpMethod.hasBody(request.method) && path.startsWith("/api/")) {
          if (!isReadable(incoming.headers)) return refusal(415)
          known = strict(known)
        }
        const watched: Effect.Effect<HttpServerResponse.HttpServerResponse, Types.unhandled> = Effect.tapCause(
          handler,
          logDefects
        )
        return Effect.updateContext(watched, (context: Context.Context<never>) =>
          Context.mergeAll(
            context,
            Context.make(RequestId, id),
            Context.make(HttpServerRequest.HttpServerRequest, known),
            Context.make(Pacing, { kind, limiter }),
            Context.make(HttpIncomingMessage.MaxBodySize, limitFor(path)),
            Context.make(References.CurrentLogAnnotations, annotations)
          )
        )
      })
  }),
  { global: true }
)
