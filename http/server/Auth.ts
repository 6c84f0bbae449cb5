/** Signing in and out. A session is a family of refresh tokens in a cookie; access tokens live in the page's memory. */
import { Effect } from "effect"
import { HttpServerRequest } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { Api } from "#http/api/Api.ts"
import type { Login, Me } from "#http/api/Auth.ts"
import { CurrentCaller } from "#http/api/Authentication.ts"
import { RequestId } from "#http/api/Errors.ts"
import { factorsOf } from "#sql/FactorStore.ts"
import { closeSession, rotate, sessionOf } from "#sql/SessionStore.ts"
import { findUser } from "#sql/UserStore.ts"
import { isByHand } from "./Authentication.ts"
import { changePassword } from "./changePassword.ts"
import { checkPassword } from "./checkPassword.ts"
import { tokenHash } from "./opaqueToken.ts"
import { clearRefreshCookie, readRefreshCookie, requireSameOrigin, setRefreshCookie } from "./refreshCookie.ts"
import { kindsOf, loginResult, sessionEnded, signInAs, stageAfterPassword } from "./signIn.ts"
import { SigningKey } from "./SigningKey.ts"
import { sourceAddress, userAgent } from "./sourceAddress.ts"
import { answered } from "./translate.ts"

const login = Effect.fnUntraced(function* ({ username, password }: typeof Login.Type) {
  yield* requireSameOrigin
  const account = yield* checkPassword({ username, password })
  const stage = stageAfterPassword(yield* factorsOf(account.user.id))
  return yield* signInAs(account, { stage, factor: null })
})

/** The browser has the new cookie already where this one was just replaced; clearing it would sign its owner out. */
const clearUnlessReplaced = (error: { readonly code?: string }) =>
  error.code === "session_replaced" ? Effect.void : clearRefreshCookie

const refresh = Effect.gen(function* () {
  yield* requireSameOrigin
  const request = yield* HttpServerRequest.HttpServerRequest
  const signing = yield* SigningKey
  const token = readRefreshCookie(request)
  if (token === null) return yield* sessionEnded
  const successor = signing.successorOf(token)
  const visitor = { source_address: sourceAddress(request), user_agent: userAgent(request) }
  const asked = { request_id: yield* RequestId, byHand: isByHand(request) }
  const { user, session, stage } = yield* rotate(tokenHash(token), tokenHash(successor), visitor, asked)
  yield* setRefreshCookie(successor)
  return yield* loginResult(user, session, stage)
}).pipe(Effect.tapErrorTag("Unauthorized", clearUnlessReplaced))

const logout = Effect.gen(function* () {
  yield* requireSameOrigin
  const request = yield* HttpServerRequest.HttpServerRequest
  const token = readRefreshCookie(request)
  const found = token === null ? null : yield* sessionOf(tokenHash(token))
  if (found !== null) {
    const { session, user, username } = found
    const actor = { kind: "user", id: user, name: username } as const
    const origin = { actor, request_id: yield* RequestId, source_address: sourceAddress(request) }
    yield* closeSession(origin, session)
  }
  yield* clearRefreshCookie
})

const me = Effect.gen(function* () {
  const { principal } = yield* CurrentCaller
  const account = yield* findUser(principal.user_id)
  if (account === null) return yield* sessionEnded
  const answer: Me = {
    ...account.user,
    permissions: [...principal.permissions],
    stage: principal.sign_in?.stage ?? null,
    stepped_up_at: principal.sign_in?.stepped_up_at ?? null,
    factors: principal.kind === "token" ? [] : kindsOf(yield* factorsOf(principal.user_id))
  }
  return answer
})

export const layer = HttpApiBuilder.group(Api, "auth", (handlers) =>
  handlers.handleAll({
    login: ({ payload }) => answered(login(payload)),
    refresh: () => answered(refresh),
    logout: () => answered(logout),
    me: () => answered(me),
    changePassword: ({ payload }) => answered(changePassword(payload))
  })
)
