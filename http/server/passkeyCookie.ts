/** Ties the challenge for a sign-in with a passkey alone to the browser that asked for it. */
import { Effect } from "effect"
import { HttpEffect, type HttpServerRequest, HttpServerResponse } from "effect/http"
import { CHALLENGE_SECONDS } from "#core/Factor.ts"

const PASSKEY_COOKIE = "__Host-passkey"
const attributes = { path: "/", secure: true, httpOnly: true, sameSite: "strict" } as const

/** Null where the browser sent none. */
export const readPasskeyCookie = (request: HttpServerRequest.HttpServerRequest): string | null =>
  request.cookies[PASSKEY_COOKIE] || null

export const setPasskeyCookie = (value: string) =>
  HttpEffect.appendPreResponseHandler((_request, response) =>
    Effect.succeed(
      HttpServerResponse.setCookieUnsafe(response, PASSKEY_COOKIE, value, {
        ...attributes,
        maxAge: `${CHALLENGE_SECONDS} seconds`
      })
    )
  )
