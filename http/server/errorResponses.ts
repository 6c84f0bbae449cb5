/** Our errors as envelopes on routes that are not part of the HttpApi: sockets, RPC and the docs page. */
import { Effect } from "effect"
import { HttpServerResponse } from "effect/http"
import type { Forbidden, TooManyRequests, Unauthorized, Unavailable } from "#core/Errors.ts"
import { type ErrorEnvelope, RequestId } from "#http/api/Errors.ts"

type Refusal = Unauthorized | Forbidden | TooManyRequests | Unavailable

const statuses: Record<Refusal["_tag"], number> = {
  Unauthorized: 401,
  Forbidden: 403,
  TooManyRequests: 429,
  Unavailable: 503
}

const tags = ["Unauthorized", "Forbidden", "TooManyRequests", "Unavailable"] as const

const isRefusal = (error: unknown): error is Refusal =>
  typeof error === "object" && error !== null && "_tag" in error && tags.some((tag) => tag === error._tag)

export const errorResponses = <E, R>(effect: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>) =>
  Effect.catch(effect, (error): Effect.Effect<HttpServerResponse.HttpServerResponse, Exclude<E, Refusal>> => {
    if (!isRefusal(error)) return Effect.fail(error as Exclude<E, Refusal>)
    const { code, message, details } = error
    return Effect.map(RequestId, (request_id) => {
      const body: ErrorEnvelope = { error: { code, message, request_id, details } }
      return HttpServerResponse.jsonUnsafe(body, { status: statuses[error._tag] })
    })
  })
