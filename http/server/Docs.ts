/** The page about the API, for people who are signed in: a page's address bar sends no token, so the cookie decides. */
import { Effect, Layer } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { readSession, sessionOf } from "#sql/SessionStore.ts"
import { authorize, requireSignedIn } from "./authorize.ts"
import { sessionPrincipal } from "./Credentials.ts"
import { docsPage, docsStyle } from "./docsPage.ts"
import { errorResponses } from "./errorResponses.ts"
import { tokenHash } from "./opaqueToken.ts"
import { readRefreshCookie } from "./refreshCookie.ts"
import { answered } from "./translate.ts"

const page = Effect.gen(function* () {
  const request = yield* HttpServerRequest.HttpServerRequest
  const token = readRefreshCookie(request)
  const held = token === null ? null : yield* sessionOf(tokenHash(token))
  const session = held === null ? null : yield* readSession(held.session)
  if (session === null) return HttpServerResponse.redirect("/", { status: 303 })
  const principal = sessionPrincipal(session)
  yield* requireSignedIn(principal)
  yield* authorize(principal, "docs:read")
  return HttpServerResponse.text(docsPage, { contentType: "text/html; charset=utf-8" })
})

export const layer = Layer.mergeAll(
  HttpRouter.add("GET", "/api/docs", answered(page).pipe(errorResponses)),
  HttpRouter.add(
    "GET",
    "/api/docs/docs.css",
    HttpServerResponse.text(docsStyle, { contentType: "text/css; charset=utf-8" })
  )
)
