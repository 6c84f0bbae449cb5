/** Hashes of earlier passwords. The database keeps them by itself whenever a password is changed. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { UserId } from "#core/Ids.ts"

/** The last four, and any replaced within 90 days; newest first. */
export const earlierPasswords = Effect.fnUntraced(function* (user: UserId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ password_hash: string }>`
    select password_hash from (
      select password_hash, replaced_at, row_number() over (order by replaced_at desc) as place
      from password_history where user_id = ${user}
    ) earlier
    where place <= 4 or replaced_at > now() - interval '90 days' order by place limit 24`
  return rows.map(({ password_hash }) => password_hash)
})
