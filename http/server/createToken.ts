/** API tokens for scripted clients. */
import { Data, Duration, Effect } from "effect"
import { TokenId } from "#core/Ids.ts"
import { newId, newRequestId } from "#core/newId.ts"
import { type Permission, tokenPermissions } from "#core/Permission.ts"
import { insertToken } from "#sql/TokenStore.ts"
import { findByUsername } from "#sql/UserStore.ts"
import { API_TOKEN_PREFIX } from "./Credentials.ts"
import { randomToken, tokenHash } from "./opaqueToken.ts"

export class TokenRefused extends Data.TaggedError("TokenRefused")<{ readonly message: string }> {}

const LONGEST = Duration.days(366)

export interface TokenRequest {
  readonly username: string
  readonly name: string
  readonly expiresIn: Duration.Input
  /** All that a token of this owner may have, when left out. */
  readonly permissions?: ReadonlyArray<Permission>
  /** Who makes it, for the audit log; the machine's own command line when left out. */
  readonly madeBy?: string
}

/** The token itself, to be shown once: only its hash is kept. */
export const createToken = Effect.fnUntraced(function* (request: TokenRequest) {
  const account = yield* findByUsername(request.username)
  if (account === null || account.disabled) {
    return yield* new TokenRefused({
      message: `There is no active user named ${request.username}. Check the name; the first administrator is called admin.`
    })
  }
  const expiresIn = Duration.fromInputUnsafe(request.expiresIn)
  if (Duration.isLessThan(expiresIn, Duration.seconds(1)) || Duration.isGreaterThan(expiresIn, LONGEST)) {
    return yield* new TokenRefused({
      message: "A token lives between a second and 366 days: give --expires such as 1d or 90d."
    })
  }
  if (request.name.trim() === "" || request.name.length > 100) {
    return yield* new TokenRefused({
      message: "Give the token a name of at most 100 characters, so that it can be told from others."
    })
  }
  const possible = tokenPermissions(account.user.role)
  const permissions = request.permissions ?? possible
  const excess = permissions.filter((permission) => !possible.includes(permission))
  if (excess.length > 0) {
    return yield* new TokenRefused({ message: `A token of ${request.username} cannot have ${excess.join(", ")}.` })
  }
  const id = newId(TokenId)
  const token = `${API_TOKEN_PREFIX}${id.replaceAll("-", "")}_${randomToken()}`
  yield* insertToken(
    {
      actor: { kind: "machine", id: "cli", name: request.madeBy ?? "command line" },
      request_id: newRequestId(),
      source_address: "local"
    },
    {
      id,
      user_id: account.user.id,
      name: request.name,
      token_hash: tokenHash(token),
      permissions,
      expires_in_seconds: Math.round(Duration.toSeconds(expiresIn))
    }
  )
  return token
})
