/**
 * From a Bearer token to who is asking. The session or API token is read anew for each request, so that one that was ended opens
 * nothing more; requests that wait at the same time share one read, which began after each of them came.
 */
import { Clock, Context, Effect, Layer } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { Unauthorized } from "#core/Errors.ts"
import { forbiddenForTokens, rolePermissions } from "#core/Permission.ts"
import type { Principal } from "#core/User.ts"
import { type LiveSession, noteActivity, readSession } from "#sql/SessionStore.ts"
import { findToken, type LiveToken } from "#sql/TokenStore.ts"
import { makeAskTogether } from "./askTogether.ts"
import { tokenHash } from "./opaqueToken.ts"
import { type AccessClaims, SigningKey } from "./SigningKey.ts"

export const API_TOKEN_PREFIX = "lpm_"
const REMEMBERED = 10_000

const refused = new Unauthorized({ message: "The token is unknown, has expired or was revoked. Sign in again." })

export const sessionPrincipal = (session: LiveSession): Principal => ({
  kind: "user",
  user_id: session.user_id,
  username: session.username,
  role: session.role,
  permissions: new Set(rolePermissions[session.role]),
  group_ids: session.group_ids,
  session_id: session.session_id,
  sign_in: {
    stage: session.stage,
    fresh: session.fresh,
    stepped_up_at: session.stepped_up_at,
    must_change_password: session.must_change_password
  },
  token: null
})

/** A token has no more than it was given and no more than its owner has now; bounded to groups, it sees as an operator does. */
export const tokenPrincipal = (token: LiveToken): Principal => {
  const role = token.group_ids === null ? token.role : "operator"
  const allowed = new Set(
    rolePermissions[token.role].filter((permission) => rolePermissions[role].includes(permission))
  )
  return {
    kind: "token",
    user_id: token.user_id,
    username: token.username,
    role,
    permissions: new Set(
      token.permissions.filter((permission) => allowed.has(permission) && !forbiddenForTokens.includes(permission))
    ),
    group_ids:
      token.group_ids === null
        ? token.user_group_ids
        : token.group_ids.filter((id) => token.role !== "operator" || token.user_group_ids.includes(id)),
    session_id: null,
    token: { id: token.id, name: token.name }
  }
}

const make = Effect.gen(function* () {
  const signing = yield* SigningKey
  const sql = yield* SqlClient.SqlClient
  /** What a signature says does not change; whether the session lives is asked every time. */
  const verified = new Map<string, AccessClaims>()
  const together = makeAskTogether<Principal, Unauthorized | SqlError.SqlError>()

  const claimsOf = Effect.fnUntraced(function* (token: string, key: string) {
    const now = yield* Clock.currentTimeMillis
    const known = verified.get(key)
    if (known !== undefined && known.expiresAtMillis > now && signing.trusts(known.kid)) return known
    verified.delete(key)
    const claims = yield* signing.verify(token)
    if (verified.size >= REMEMBERED) verified.clear()
    verified.set(key, claims)
    return claims
  })

  const bySession = Effect.fnUntraced(function* ({ session, user }: AccessClaims) {
    const found = yield* readSession(session)
    if (found === null || found.user_id !== user) return yield* refused
    return sessionPrincipal(found)
  })

  const byApiToken = Effect.fnUntraced(function* (hash: Uint8Array) {
    const token = yield* findToken(hash)
    return token === null ? yield* refused : tokenPrincipal(token)
  })

  /** Unauthorized unless the token is good now. `byHand`: somebody caused the request by doing something. */
  const authenticate = Effect.fnUntraced(
    function* (token: string, byHand: boolean) {
      const hash = tokenHash(token)
      const key = Buffer.from(hash).toString("base64")
      if (token.startsWith(API_TOKEN_PREFIX)) return yield* together(key, byApiToken(hash))
      const claims = yield* claimsOf(token, key)
      const principal = yield* together(key, bySession(claims))
      if (byHand) yield* noteActivity(claims.session)
      return principal
    },
    Effect.provideService(SqlClient.SqlClient, sql)
  )

  return { authenticate }
})

export class Credentials extends Context.Service<Credentials, Effect.Success<typeof make>>()(
  "patch-manager/http/Credentials"
) {
  static readonly layer = Layer.effect(Credentials, make)
}
