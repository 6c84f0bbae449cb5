/** What somebody at the machine itself may do to accounts, when nobody can sign in any more. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { Conflict, NotFound } from "#core/Errors.ts"
import type { UserId } from "#core/Ids.ts"
import { appendAudit, type AuditOrigin } from "./AuditStore.ts"
import { endSessionsOf } from "./SessionStore.ts"
import { removeFactors } from "./userChanges.ts"
import { findByUsername } from "./UserStore.ts"

/** NotFound for a name nobody has; Conflict for the emergency account, which is sealed anew instead. */
const requireAccount = Effect.fnUntraced(function* (username: string) {
  const account = yield* findByUsername(username)
  if (account === null) {
    return yield* new NotFound({ code: "user_not_found", message: `There is no user named ${username}.` })
  }
  if (account.origin === "break_glass") {
    return yield* new Conflict({
      code: "break_glass_account",
      message: `${username} is an emergency account: seal it anew with user break-glass --name ${username}.`
    })
  }
  return account
})

const audited = <E, R>(
  origin: AuditOrigin,
  username: string,
  action: string,
  change: (id: UserId) => Effect.Effect<Record<string, unknown>, E, R>
) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(
      Effect.gen(function* () {
        const { user } = yield* requireAccount(username)
        const after = yield* change(user.id)
        yield* appendAudit(origin, { action, object_type: "user", object_id: user.id, before: null, after })
      })
    )
  )

/** To be changed at the next sign-in; every session ends. The second factor stays. */
export const resetPasswordOf = (origin: AuditOrigin, username: string, passwordHash: string) =>
  audited(
    origin,
    username,
    "user.reset_password",
    Effect.fnUntraced(function* (id: UserId) {
      const sql = yield* SqlClient.SqlClient
      yield* sql`
        update users set password_hash = ${passwordHash}, password_changed_at = now(), must_change_password = true,
          version = version + 1
        where id = ${id}`
      return { sessions_ended: yield* endSessionsOf(id, "password_reset") }
    })
  )

/** The next sign-in sets up a new second factor; every session ends. The password stays. */
export const resetFactorsOf = (origin: AuditOrigin, username: string) =>
  audited(
    origin,
    username,
    "user.reset_factors",
    Effect.fnUntraced(function* (id: UserId) {
      const factors_removed = yield* removeFactors(id)
      return { factors_removed, sessions_ended: yield* endSessionsOf(id, "factors_reset") }
    })
  )
