/** Who somebody is by now, for what goes on longer than a request: sockets and streams. */
import { Effect } from "effect"
import type { SqlError } from "effect/sql"
import type { Principal } from "#core/User.ts"
import { readSession, successorOf } from "#sql/SessionStore.ts"
import { readToken } from "#sql/TokenStore.ts"
import { makeAskTogether } from "./askTogether.ts"
import { sessionPrincipal, tokenPrincipal } from "./Credentials.ts"

/** The session itself where it lives, else the one that a fresh proof put in its place. */
const openSession = Effect.fnUntraced(function* (session: NonNullable<Principal["session_id"]>) {
  const found = yield* readSession(session)
  if (found !== null) return found
  const next = yield* successorOf(session)
  return next === session ? null : yield* readSession(next)
})

const ask = Effect.fnUntraced(function* ({ session_id, token }: Principal) {
  if (token !== null) {
    const found = yield* readToken(token.id)
    return found === null ? null : tokenPrincipal(found)
  }
  const found = session_id === null ? null : yield* openSession(session_id)
  return found === null || found.stage !== "full" ? null : sessionPrincipal(found)
})

const together = makeAskTogether<Principal | null, SqlError.SqlError>()

/** Null once the session or API token has ended. The sockets of one session are looked up together. */
export const principalNow = (principal: Principal) =>
  together(principal.token?.id ?? principal.session_id ?? "", ask(principal))
