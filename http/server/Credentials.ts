/** From a Bearer token to the person behind it. Checked tokens are remembered, but looked up again every two seconds. */
import { Clock, Context, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { Unauthorized } from "#core/Errors.ts"
import type { SessionId } from "#core/Ids.ts"
import { forbiddenForTokens, rolePermissions } from "#core/Permission.ts"
import type { Principal } from "#core/User.ts"
import { isSessionLive } from "#sql/SessionStore.ts"
import { findToken } from "#sql/TokenStore.ts"
import { findUser, type Account } from "#sql/UserStore.ts"
import { tokenHash } from "./opaqueToken.ts"
import { SigningKey } from "./SigningKey.ts"

export const API_TOKEN_PREFIX = "lpm_"
const LOOK_AGAIN_MILLIS = 2000
const REMEMBERED = 10_000

const refused = new Unauthorized({ message: "The token is unknown, has expired or was revoked. Sign in again." })

/** A person under a session; null for an account that is gone or disabled. */
export const userPrincipal = (account: Account | null, session: SessionId): Principal | null =>
  account === null || account.disabled
    ? null
    : {
        kind: "user",
        user_id: account.user.id,
        username: account.user.username,
        role: account.user.role,
        permissions: new Set(account.user.permissions),
        group_ids: account.group_ids,
        session_id: session,
        token: null
      }

interface Remembered {
  readonly principal: Principal
  readonly checkedAt: number
  readonly expiresAt: number
}

const make = Effect.gen(function* () {
  const signing = yield* SigningKey
  const sql = yield* SqlClient.SqlClient
  const remembered = new Map<string, Remembered>()

  const bySession = Effect.fnUntraced(function* (token: string) {
    const claims = yield* signing.verify(token)
    if (!(yield* isSessionLive(claims.session))) return yield* refused
    const principal = userPrincipal(yield* findUser(claims.user), claims.session)
    if (principal === null) return yield* refused
    return { principal, expiresAt: claims.expiresAtMillis }
  })

  const byApiToken = Effect.fnUntraced(function* (hash: Uint8Array) {
    const token = yield* findToken(hash)
    if (token === null) return yield* refused
    const account = yield* findUser(token.user_id)
    if (account === null || account.disabled) return yield* refused
    const allowed = new Set(rolePermissions[account.user.role])
    const principal: Principal = {
      kind: "token",
      user_id: account.user.id,
      username: account.user.username,
      role: account.user.role,
      permissions: new Set(
        token.permissions.filter((permission) => allowed.has(permission) && !forbiddenForTokens.includes(permission))
      ),
      group_ids: account.group_ids,
      session_id: null,
      token: { id: token.id, name: token.name }
    }
    return { principal, expiresAt: Number.POSITIVE_INFINITY }
  })

  /** Unauthorized unless the token is good now, give or take two seconds. */
  const authenticate = Effect.fnUntraced(
    function* (token: string) {
      const now = yield* Clock.currentTimeMillis
      const hash = tokenHash(token)
      const key = Buffer.from(hash).toString("base64")
      const known = remembered.get(key)
      if (known && known.expiresAt > now && now - known.checkedAt < LOOK_AGAIN_MILLIS) return known.principal
      remembered.delete(key)
      const found = yield* token.startsWith(API_TOKEN_PREFIX) ? byApiToken(hash) : bySession(token)
      if (remembered.size >= REMEMBERED) remembered.clear()
      remembered.set(key, { ...found, checkedAt: now })
      return found.principal
    },
    Effect.provideService(SqlClient.SqlClient, sql)
  )

  /** After sign-out, so that the next request is refused without the two seconds. */
  const forget = (session: SessionId): void => {
    for (const [key, { principal }] of remembered) if (principal.session_id === session) remembered.delete(key)
  }

  return { authenticate, forget }
})

export class Credentials extends Context.Service<Credentials, Effect.Success<typeof make>>()(
  "patch-manager/http/Credentials"
) {
  static readonly layer = Layer.effect(Credentials, make)
}
