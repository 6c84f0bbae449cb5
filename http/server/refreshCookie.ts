/** The refresh token's cookie, and the check that a request with it comes from our own pages. */
import { Effect } from "effect"
import { HttpEffect, HttpServerRequest, HttpServerResponse } from "effect/http"
import { Forbidden } from "#core/Errors.ts"
import { REFRESH_COOKIE } from "#http/api/Auth.ts"
import { WebConfig } from "./WebSettings.ts"

const attributes = { path: "/", secure: true, httpOnly: true, sameSite: "strict" } as const

/** Null where the browser sent none. */
export const readRefreshCookie = (request: HttpServerRequest.HttpServerRequest): string | null =>
  request.cookies[REFRESH_COOKIE] || null

export const setRefreshCookie = (token: string) =>
  HttpEffect.appendPreResponseHandler((_request, response) =>
    Effect.succeed(
      HttpServerResponse.setCookieUnsafe(response, REFRESH_COOKIE, token, { ...attributes, maxAge: "12 hours" })
    )
  )

export const clearRefreshCookie = HttpEffect.appendPreResponseHandler((_request, response) =>
  Effect.succeed(HttpServerResponse.setCookieUnsafe(response, REFRESH_COOKIE, "", { ...attributes, maxAge: 0 }))
)

const isOurs = (origin: string, host: string | undefined, names: ReadonlySet<string>): boolean => {
  if (!URL.canParse(origin)) return false
  const url = new URL(origin)
  return url.protocol === "https:" && url.host === host?.toLowerCase() && names.has(url.hostname)
}

const crossOrigin = new Forbidden({
  code: "cross_origin",
  message: "This is only open to the manager's own pages."
})

/** Forbidden for what another site's page sends; programs that are no browser send neither header. */
export const requireSameOrigin = Effect.gen(function* () {
  const config = yield* WebConfig
  const { headers } = yield* HttpServerRequest.HttpServerRequest
  const origin = headers["origin"]
  const site = headers["sec-fetch-site"]
  const refused =
    (origin !== undefined && !isOurs(origin, headers["host"], config.hostNames)) ||
    (site !== undefined && site !== "same-origin" && site !== "none")
  if (refused) return yield* crossOrigin
})

/** The same for sockets, which browsers open across sites without asking: the origin has to be named. */
export const requireOwnOrigin = Effect.gen(function* () {
  const { headers } = yield* HttpServerRequest.HttpServerRequest
  if (headers["origin"] === undefined) return yield* crossOrigin
  yield* requireSameOrigin
})
