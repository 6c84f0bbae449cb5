/** Recovery codes: kept as hashes, each good for one use. They are random enough that a plain hash cannot be searched. */
import { createHash } from "node:crypto"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { UserId } from "#core/Ids.ts"

/** Of the code without its dashes, and its owner: the same code of two people has two hashes. */
const hashOf = (user: UserId, code: string): Uint8Array =>
  createHash("sha256")
    .update(`${user}\0${code.replaceAll("-", "")}`)
    .digest()

/** Takes the place of all codes there were. */
export const replaceRecoveryCodes = Effect.fnUntraced(function* (user: UserId, codes: ReadonlyArray<string>) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`delete from recovery_codes where user_id = ${user}`
  for (const code of codes) {
    yield* sql`insert into recovery_codes (user_id, code_hash) values (${user}, ${hashOf(user, code)})`
  }
})

/** Uses a code up; false for one that is unknown, used, or somebody else's. Of two at once one is first. */
export const takeRecoveryCode = Effect.fnUntraced(function* (user: UserId, code: string) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`
    update recovery_codes set used_at = now()
    where user_id = ${user} and code_hash = ${hashOf(user, code)} and used_at is null returning user_id`
  return rows.length > 0
})
