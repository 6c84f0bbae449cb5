/** The page about the API, for people who are signed in: a page's address bar sends no token, so the cookie decides. */
import { Effect, Layer } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { sessionOf } from "#sql/SessionStore.ts"
import { findUser } from "#sql/UserStore.ts"
import { authorize } from "./authorize.ts"
import { userPrincipal } from "./Credentials.ts"
import { docsPage, docsStyle } from "./docsPage.ts"
import { errorResponses } from "./errorResponses.ts"
import { tokenHash } from "./opaqueToken.ts"
import { readRefreshCookie } from "./refreshCookie.ts"
import { answered } from "./translate.ts"

const page = Effect.gen(function* () {
  const request = yield* HttpServerRequest.HttpServerRequest
  const token = readRefreshCookie(request)
  const session = token === null ? null : yield* sessionOf(tokenHash(token))
  const principal = session === null ? null : userPrincipal(yield* findUser(session.user), session.session)
  if (principal === null) return HttpServerResponse.redirect("/", { status: 303 })
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
