/** Accounts for emergencies: made on the machine, sealed, and over four hours after their first use. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { Conflict } from "#core/Errors.ts"
import { UserId } from "#core/Ids.ts"
import { newId } from "#core/newId.ts"
import { clearAlarm, raiseAlarm } from "./AlarmStore.ts"
import { appendAudit, type AuditOrigin } from "./AuditStore.ts"
import { replaceRecoveryCodes } from "./RecoveryCodeStore.ts"
import { endSessionsOf } from "./SessionStore.ts"

const ALARM = "break_glass_used"

export interface NewBreakGlass {
  readonly username: string
  readonly password_hash: string
  readonly recovery_codes: ReadonlyArray<string>
}

/** Makes the account, or seals it anew with another password and other codes; Conflict where somebody else has the name. */
export const sealBreakGlass = Effect.fnUntraced(function* (origin: AuditOrigin, account: NewBreakGlass) {
  const sql = yield* SqlClient.SqlClient
  return yield* sql.withTransaction(
    Effect.gen(function* () {
      const rows = yield* sql<{ id: UserId; made: boolean }>`
        insert into users (id, username, display_name, role, origin, password_hash)
        values (${newId(UserId)}, ${account.username}, 'Emergency account', 'admin', 'break_glass', ${account.password_hash})
        on conflict (username) do update set password_hash = excluded.password_hash, password_changed_at = now(),
          expires_at = null, disabled_at = null, deleted_at = null, version = users.version + 1
        where users.origin = 'break_glass'
        returning id, xmax = 0 as made`
      const row = rows[0]
      if (row === undefined) {
        return yield* new Conflict({
          code: "username_taken",
          message: `There is a user named ${account.username} already: give the emergency account another name with --name.`
        })
      }
      yield* replaceRecoveryCodes(row.id, account.recovery_codes)
      const sessions_ended = yield* endSessionsOf(row.id, "password_reset")
      yield* clearAlarm(ALARM)
      yield* appendAudit(origin, {
        action: row.made ? "break_glass.create" : "break_glass.seal",
        object_type: "user",
        object_id: row.id,
        before: null,
        after: { username: account.username, role: "admin", sessions_ended }
      })
      return row.id
    })
  )
})

/**
 * The sealed code was given: starts the four hours, once, and tells everybody who looks. Call it in the transaction of the sign-in.
 * When the hours are over.
 */
export const beginBreakGlass = Effect.fnUntraced(function* (user: UserId, username: string, source_address: string) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ expires_at: string }>`
    update users set expires_at = coalesce(expires_at, now() + interval '4 hours')
    where id = ${user} and origin = 'break_glass'
    returning to_char(expires_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"') as expires_at`
  const expires_at = rows[0]?.expires_at ?? null
  yield* raiseAlarm(
    ALARM,
    `The emergency account ${username} was used from ${source_address}; it ends at ${expires_at}. If nobody knows why, disable it now and read the audit log.`
  )
  return expires_at
})
