/** What a caller may see of the hosts, as a condition on `hosts h`. */
import type { Statement } from "effect/sql"
import type { SqlClient } from "effect/sql"
import type { Principal } from "#core/User.ts"

/** Operators see their groups' hosts and hosts without a group; everybody else sees all. */
export const hostScope = (sql: SqlClient.SqlClient, principal: Principal): Statement.Fragment =>
  principal.role === "operator"
    ? sql`(not exists (select 1 from host_groups g where g.host_id = h.id)
        or exists (select 1 from host_groups g where g.host_id = h.id and g.group_id = any(${principal.group_ids}::uuid[])))`
    : sql`true`
