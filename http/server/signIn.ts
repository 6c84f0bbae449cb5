/** Beginning a session and raising it: the refresh token into the cookie, the access token into the answer. */
import { Effect } from "effect"
import { HttpServerRequest } from "effect/http"
import { Unauthorized } from "#core/Errors.ts"
import type { SessionId, UserId } from "#core/Ids.ts"
import type { FactorKind, SessionFactor, SessionStage } from "#core/Session.ts"
import type { EnrolmentRequired, LoginResult, MfaRequired, SignedIn } from "#http/api/Auth.ts"
import { CurrentCaller } from "#http/api/Authentication.ts"
import { RequestId } from "#http/api/Errors.ts"
import { originOf } from "#sql/AuditStore.ts"
import { factorsOf, type FactorsHeld } from "#sql/FactorStore.ts"
import { type Beginning, endReplaced, openSession, raiseSession, sessionOf } from "#sql/SessionStore.ts"
import { type Account, findUser } from "#sql/UserStore.ts"
import { randomToken, tokenHash } from "./opaqueToken.ts"
import { readRefreshCookie, requireSameOrigin, setRefreshCookie } from "./refreshCookie.ts"
import { ACCESS_TOKEN_SECONDS, SigningKey } from "./SigningKey.ts"
import { sourceAddress, userAgent } from "./sourceAddress.ts"

export const sessionEnded = new Unauthorized({
  code: "session_ended",
  message: "The session has ended. Sign in again."
})
const otherBrowser = new Unauthorized({
  code: "session_ended",
  message: "This sign-in was begun in another browser, or its cookie is gone. Sign in again."
})

/** What somebody can give as a second factor. */
export const kindsOf = ({ totp, passkeys, recovery_codes }: FactorsHeld): ReadonlyArray<FactorKind> => [
  ...(totp ? (["totp"] as const) : []),
  ...(passkeys > 0 ? (["passkey"] as const) : []),
  ...(recovery_codes > 0 ? (["recovery_code"] as const) : [])
]

/** Where a sign-in with the right password stands. */
export const stageAfterPassword = (held: FactorsHeld): "password" | "enrolling" =>
  kindsOf(held).length === 0 ? "enrolling" : "password"

const visitorOf = (request: HttpServerRequest.HttpServerRequest) => ({
  source_address: sourceAddress(request),
  user_agent: userAgent(request)
})

const signedIn = Effect.fnUntraced(function* (user: UserId, session: SessionId) {
  const account = yield* findUser(user)
  if (account === null || account.disabled) return yield* sessionEnded
  const signing = yield* SigningKey
  const answer: SignedIn = {
    status: "signed_in",
    access_token: yield* signing.sign(user, session),
    expires_in_seconds: ACCESS_TOKEN_SECONDS,
    user: account.user
  }
  return answer
})

/** What a session in this stage is answered with. */
export const loginResult = Effect.fnUntraced(function* (user: UserId, session: SessionId, stage: SessionStage) {
  if (stage === "full") return yield* signedIn(user, session)
  const signing = yield* SigningKey
  const token = { access_token: yield* signing.sign(user, session), expires_in_seconds: ACCESS_TOKEN_SECONDS }
  const mfa: MfaRequired | EnrolmentRequired =
    stage === "password"
      ? { status: "mfa_required", ...token, factors: kindsOf(yield* factorsOf(user)) }
      : { status: "enrolment_required", ...token, factors: ["totp", "passkey"] }
  return mfa
})

/** Begins a session in this browser for somebody who was checked; whatever session the browser had ends. */
export const signInAs = Effect.fnUntraced(function* (account: Account, beginning: Beginning) {
  yield* requireSameOrigin
  const request = yield* HttpServerRequest.HttpServerRequest
  const visitor = visitorOf(request)
  const { id, username } = account.user
  const before = readRefreshCookie(request)
  if (before !== null) yield* endReplaced(tokenHash(before))
  const refreshToken = randomToken()
  const origin = {
    actor: { kind: "user", id, name: username } as const,
    request_id: yield* RequestId,
    source_address: visitor.source_address
  }
  const session = yield* openSession(origin, id, tokenHash(refreshToken), visitor, beginning)
  yield* setRefreshCookie(refreshToken)
  const result: LoginResult = yield* loginResult(id, session, beginning.stage)
  return result
})

/**
 * After the caller has given a second factor: a full session in place of his, or a fresh proof where it is one already. Only in
 * the browser that holds the session's cookie; Unauthorized anywhere else.
 */
export const signedInAfter = Effect.fnUntraced(function* (factor: SessionFactor) {
  yield* requireSameOrigin
  const caller = yield* CurrentCaller
  const request = yield* HttpServerRequest.HttpServerRequest
  const { session_id, user_id } = caller.principal
  if (session_id === null) return yield* sessionEnded
  const cookie = readRefreshCookie(request)
  const held = cookie === null ? null : yield* sessionOf(tokenHash(cookie))
  if (held === null || held.session !== session_id) return yield* otherBrowser
  const refreshToken = randomToken()
  const session = yield* raiseSession(originOf(caller), session_id, factor, tokenHash(refreshToken), visitorOf(request))
  yield* setRefreshCookie(refreshToken)
  return yield* signedIn(user_id, session)
})
