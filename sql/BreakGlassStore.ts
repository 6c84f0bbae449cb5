/** Accounts for emergencies: made on the machine, sealed, and over four hours after their first use. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { UserId } from "#core/Ids.ts"

/** Starts the four hours, once; when they are over. */
export const beginBreakGlass = Effect.fnUntraced(function* (user: UserId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ expires_at: string }>`
    update users set expires_at = coalesce(expires_at, now() + interval '4 hours')
    where id = ${user} and origin = 'break_glass' returning to_json(expires_at) #>> '{}' as expires_at`
  return rows[0]?.expires_at ?? null
})
