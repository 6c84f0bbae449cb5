/** The cookie that binds a sign-in through a provider to the browser that began it, and what is made from it. */
import { createHmac } from "node:crypto"
import { Effect } from "effect"
import { HttpEffect, type HttpServerRequest, HttpServerResponse } from "effect/http"
import { SSO_COOKIE } from "#http/api/Sso.ts"

/** Lax and not strict: the way back is a link from the provider's page, and a strict cookie would stay at home. */
const attributes = { path: "/", secure: true, httpOnly: true, sameSite: "lax" } as const

/** Null where the browser sent none, or one that is not ours. */
export const readSsoCookie = (request: HttpServerRequest.HttpServerRequest): string | null => {
  const value = request.cookies[SSO_COOKIE] ?? ""
  return /^[A-Za-z0-9_-]{43}$/.test(value) ? value : null
}

const answerWith = (value: string, maxAge: "10 minutes" | 0) =>
  HttpEffect.appendPreResponseHandler((_request, response) =>
    Effect.succeed(HttpServerResponse.setCookieUnsafe(response, SSO_COOKIE, value, { ...attributes, maxAge }))
  )

export const setSsoCookie = (value: string) => answerWith(value, "10 minutes")

export const clearSsoCookie = answerWith("", 0)

const derive = (cookie: string, what: string, state: string): string =>
  createHmac("sha256", cookie).update(`${what}/${state}`).digest("base64url")

/** Both are known to this browser and this process alone, so that neither has to be stored. */
export const secretsOf = (cookie: string, state: string) => ({
  nonce: derive(cookie, "nonce", state),
  verifier: derive(cookie, "verifier", state)
})
