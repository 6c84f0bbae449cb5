/** What was last read from a host: pending patches and installed packages. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { HostPackages, HostPatches } from "#core/Host.ts"
import type { HostId } from "#core/Ids.ts"
import type { Principal } from "#core/User.ts"
import { hostScope } from "./hostScope.ts"
import { hostNotFound } from "./HostStore.ts"

/** Security patches first. */
export const readPatches = Effect.fnUntraced(function* (principal: Principal, id: HostId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ answer: HostPatches }>`
    select json_build_object(
      'items', coalesce((select jsonb_agg(e order by (e->>'security')::boolean desc, e->>'name')
        from jsonb_array_elements(p.patches) e), '[]'),
      'total', coalesce(p.pending, 0), 'next_cursor', null, 'security', coalesce(p.security, 0),
      'read_at', p.read_at, 'changed_at', p.changed_at) as answer
    from hosts h left join host_patch_data p on p.host_id = h.id
    where h.id = ${id} and h.removed_at is null and ${hostScope(sql, principal)}`
  const row = rows[0]
  if (row === undefined) return yield* hostNotFound
  return row.answer
})

/** By name; `q` is a part of the name. */
export const readPackages = Effect.fnUntraced(function* (principal: Principal, id: HostId, q: string | undefined) {
  const sql = yield* SqlClient.SqlClient
  const part = `%${(q ?? "").replace(/[\\%_]/g, "\\$&")}%`
  const rows = yield* sql<{ answer: HostPackages }>`
    select json_build_object('items', coalesce(m.items, '[]'), 'total', coalesce(m.total, 0), 'next_cursor', null,
      'read_at', k.read_at) as answer
    from hosts h left join host_packages k on k.host_id = h.id
    left join lateral (
      select jsonb_agg(e order by e->>'name') as items, count(*)::int as total
      from jsonb_array_elements(k.packages) e where e->>'name' ilike ${part}
    ) m on true
    where h.id = ${id} and h.removed_at is null and ${hostScope(sql, principal)}`
  const row = rows[0]
  if (row === undefined) return yield* hostNotFound
  return row.answer
})
