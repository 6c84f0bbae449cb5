/** Who somebody is by now, for what goes on longer than a request: sockets and streams. */
import { Effect } from "effect"
import type { Principal } from "#core/User.ts"
import { readSession, successorOf } from "#sql/SessionStore.ts"
import { readToken } from "#sql/TokenStore.ts"
import { sessionPrincipal, tokenPrincipal } from "./Credentials.ts"

/** Null once the session or API token has ended. A session that a fresh proof put in its place counts as the same. */
export const principalNow = Effect.fnUntraced(function* ({ session_id, token }: Principal) {
  if (token !== null) {
    const found = yield* readToken(token.id)
    return found === null ? null : tokenPrincipal(found)
  }
  if (session_id === null) return null
  const found = yield* readSession(yield* successorOf(session_id))
  return found === null || found.stage !== "full" ? null : sessionPrincipal(found)
})
