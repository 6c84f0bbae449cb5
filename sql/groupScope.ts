/** Which groups a caller may see, as a condition on `groups g`. */
import { Effect } from "effect"
import { SqlClient, type Statement } from "effect/sql"
import { NotFound } from "#core/Errors.ts"
import type { GroupId } from "#core/Ids.ts"
import type { Principal } from "#core/User.ts"

/** Also for a group the caller may not see. */
export const groupNotFound = new NotFound({
  code: "group_not_found",
  message: "There is no such group among those you can see."
})

/** Operators see the groups they belong to; everybody else sees all. */
export const groupScope = (sql: SqlClient.SqlClient, principal: Principal): Statement.Fragment =>
  principal.role === "operator" ? sql`g.id = any(${principal.group_ids}::uuid[])` : sql`true`

/** NotFound unless the caller may see the group. */
export const mustSeeGroup = Effect.fnUntraced(function* (principal: Principal, id: GroupId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`select 1 from groups g where g.id = ${id} and ${groupScope(sql, principal)}`
  if (rows.length === 0) return yield* groupNotFound
})
