/** Signing in and out. A session is a family of refresh tokens in a cookie; access tokens live in the page's memory. */
import { Effect } from "effect"
import { HttpServerRequest } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { Unauthorized, Unprocessable } from "#core/Errors.ts"
import type { SessionId, UserId } from "#core/Ids.ts"
import { Api } from "#http/api/Api.ts"
import type { SignedIn } from "#http/api/Auth.ts"
import { CurrentCaller } from "#http/api/Authentication.ts"
import { RequestId } from "#http/api/Errors.ts"
import { appendAudit, originOf } from "#sql/AuditStore.ts"
import { closeSession, openSession, rotate, sessionOf } from "#sql/SessionStore.ts"
import { findByUsername, findUser, setPassword } from "#sql/UserStore.ts"
import { Credentials } from "./Credentials.ts"
import { randomToken, tokenHash } from "./opaqueToken.ts"
import { PasswordHasher } from "./PasswordHasher.ts"
import { clearRefreshCookie, readRefreshCookie, requireSameOrigin, setRefreshCookie } from "./refreshCookie.ts"
import { ACCESS_TOKEN_SECONDS, SigningKey } from "./SigningKey.ts"
import { sourceAddress, userAgent } from "./sourceAddress.ts"
import { answered } from "./translate.ts"

const wrong = new Unauthorized({ code: "wrong_credentials", message: "User name or password is wrong." })
const ended = new Unauthorized({ code: "session_ended", message: "The session has ended. Sign in again." })

const signedIn = Effect.fnUntraced(function* (id: UserId, session: SessionId, refreshToken: string) {
  const account = yield* findUser(id)
  if (account === null || account.disabled) return yield* ended
  const signing = yield* SigningKey
  yield* setRefreshCookie(refreshToken)
  const answer: SignedIn = {
    status: "signed_in",
    access_token: yield* signing.sign(id, session),
    expires_in_seconds: ACCESS_TOKEN_SECONDS,
    user: account.user
  }
  return answer
})

const login = Effect.fnUntraced(function* ({
  username,
  password
}: {
  readonly username: string
  readonly password: string
}) {
  yield* requireSameOrigin
  const hasher = yield* PasswordHasher
  const request = yield* HttpServerRequest.HttpServerRequest
  const request_id = yield* RequestId
  const account = yield* findByUsername(username)
  const matches = yield* hasher.verify(account?.password_hash ?? null, password)
  const source_address = sourceAddress(request)
  if (account === null || account.disabled || !matches) {
    yield* appendAudit(
      { actor: { kind: "anonymous", id: account?.user.id ?? "-", name: username }, request_id, source_address },
      {
        action: "session.sign_in_failed",
        object_type: "user",
        object_id: account?.user.id ?? "-",
        before: null,
        after: null
      }
    )
    return yield* wrong
  }
  const refreshToken = randomToken()
  const session = yield* openSession(
    { actor: { kind: "user", id: account.user.id, name: account.user.username }, request_id, source_address },
    account.user.id,
    tokenHash(refreshToken),
    { source_address, user_agent: userAgent(request) }
  )
  return yield* signedIn(account.user.id, session, refreshToken)
})

const refresh = Effect.gen(function* () {
  yield* requireSameOrigin
  const request = yield* HttpServerRequest.HttpServerRequest
  const signing = yield* SigningKey
  const token = readRefreshCookie(request)
  if (token === null) return yield* ended
  const successor = signing.successorOf(token)
  const { user, session } = yield* rotate(
    tokenHash(token),
    tokenHash(successor),
    { source_address: sourceAddress(request), user_agent: userAgent(request) },
    yield* RequestId
  )
  return yield* signedIn(user, session, successor)
}).pipe(Effect.tapError(() => clearRefreshCookie))

const logout = Effect.gen(function* () {
  yield* requireSameOrigin
  const request = yield* HttpServerRequest.HttpServerRequest
  const credentials = yield* Credentials
  const token = readRefreshCookie(request)
  const found = token === null ? null : yield* sessionOf(tokenHash(token))
  if (found !== null) {
    yield* closeSession(
      {
        actor: { kind: "user", id: found.user, name: found.username },
        request_id: yield* RequestId,
        source_address: sourceAddress(request)
      },
      found.session
    )
    credentials.forget(found.session)
  }
  yield* clearRefreshCookie
})

const me = Effect.gen(function* () {
  const { principal } = yield* CurrentCaller
  const account = yield* findUser(principal.user_id)
  if (account === null) return yield* ended
  return { ...account.user, permissions: [...principal.permissions] }
})

const changePassword = Effect.fnUntraced(function* (change: {
  readonly current_password: string
  readonly new_password: string
}) {
  const caller = yield* CurrentCaller
  const hasher = yield* PasswordHasher
  const account = yield* findUser(caller.principal.user_id)
  if (!(yield* hasher.verify(account?.password_hash ?? null, change.current_password))) {
    return yield* new Unprocessable({
      message: "The request was refused: look at the fields named.",
      details: { fields: [{ path: "payload.current_password", message: "This is not your current password." }] }
    })
  }
  const hash = yield* hasher.hash(change.new_password)
  yield* Effect.catchTag(
    setPassword(originOf(caller), caller.principal.user_id, hash, caller.principal.session_id),
    "NotFound",
    Effect.die
  )
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
