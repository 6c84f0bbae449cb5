/** The host list in one statement. PostgreSQL writes the JSON, so a page costs the web process next to nothing. */
import { Effect } from "effect"
import { SqlClient, type Statement } from "effect/sql"
import type { HostSummary } from "#core/HostState.ts"
import type { GroupId } from "#core/Ids.ts"
import type { Principal } from "#core/User.ts"
import { readCursor, writeCursor } from "./cursor.ts"
import { mustSeeGroup } from "./groupScope.ts"
import { hostItemColumns, hostSources } from "./hostColumns.ts"
import { hostScope } from "./hostScope.ts"

type Order = "name" | "status" | "pending" | "security" | "last_seen"

export interface HostListRequest {
  readonly q?: string | undefined
  readonly status?: ReadonlyArray<HostSummary> | undefined
  readonly os?: ReadonlyArray<string> | undefined
  readonly group?: GroupId | undefined
  readonly pending?: "security" | "any" | undefined
  readonly reboot_needed?: boolean | undefined
  readonly sort?: Order | `-${Order}` | undefined
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
}

/** Sorting by status puts what needs a person first. */
const urgency =
  "array['unresolved','failed','unreachable','degraded','retrying','checking','rebooting','patching','unknown','healthy','retired']"

const keys: Record<Order, { readonly expression: string; readonly type: "text" | "number" }> = {
  name: { expression: "h.display_name", type: "text" },
  status: { expression: `array_position(${urgency}, s.summary)`, type: "number" },
  pending: { expression: "coalesce(p.pending, -1)", type: "number" },
  security: { expression: "coalesce(p.security, -1)", type: "number" },
  last_seen: { expression: "(extract(epoch from coalesce(h.last_seen_at, 'epoch')) * 1000000)::bigint", type: "number" }
}

const orderOf = (sort: Order | `-${Order}`): { readonly order: Order; readonly descending: boolean } =>
  sort.startsWith("-")
    ? { order: sort.slice(1) as Order, descending: true }
    : { order: sort as Order, descending: false }

const DEFAULT_LIMIT = 50

/** All conditions of the request, and whether the count needs more than the hosts' own table for them. */
export const hostConditions = (sql: SqlClient.SqlClient, principal: Principal, request: HostListRequest) => {
  const all: Array<Statement.Fragment> = [sql`h.removed_at is null`]
  if (principal.role === "operator") all.push(hostScope(sql, principal))
  if (request.q !== undefined && request.q.trim() !== "") {
    const part = `%${request.q.trim().replace(/[\\%_]/g, "\\$&")}%`
    all.push(sql`(h.display_name ilike ${part} or h.fqdn ilike ${part} or host(h.address) like ${part})`)
  }
  if (request.status) all.push(sql`s.summary = any(${request.status}::text[])`)
  if (request.os) all.push(sql`h.os = any(${request.os}::text[])`)
  if (request.group) {
    // Its own hosts may also be in a group that an operator must not know of.
    if (principal.role === "operator" && !principal.group_ids.includes(request.group)) all.push(sql`false`)
    all.push(sql`exists (select 1 from host_groups m where m.host_id = h.id and m.group_id = ${request.group})`)
  }
  if (request.pending === "any") all.push(sql`p.pending > 0`)
  if (request.pending === "security") all.push(sql`p.security > 0`)
  if (request.reboot_needed !== undefined)
    all.push(sql`h.reboot_needed is not distinct from ${request.reboot_needed}::boolean`)
  return { where: sql.and(all), joined: request.status !== undefined || request.pending !== undefined }
}

interface Row {
  readonly items: string
  readonly total: number
  readonly more: boolean
  readonly key: string | null
  readonly id: string | null
}

/** A page of hosts as the JSON text of the answer. NotFound for a group that the caller may not see. */
export const listHosts = Effect.fnUntraced(function* (principal: Principal, request: HostListRequest) {
  const sql = yield* SqlClient.SqlClient
  if (request.group) yield* mustSeeGroup(principal, request.group)
  const sort = request.sort ?? "name"
  const { order, descending } = orderOf(sort)
  const { expression, type } = keys[order]
  const after = yield* readCursor(sort, request.cursor, type)
  const { where, joined } = hostConditions(sql, principal, request)
  const key = sql.literal(expression)
  const beyond = after
    ? sql`(${key}, h.id) ${sql.literal(descending ? "<" : ">")} (${after.key}::text${sql.literal(type === "number" ? "::bigint" : "")}, ${after.id}::text::uuid)`
    : sql`true`
  const direction = sql.literal(descending ? "desc" : "asc")
  const inOrder = sql`sort_key ${direction}, id ${direction}`
  const limit = request.limit ?? DEFAULT_LIMIT
  const rows = yield* sql<Row>`
    with page as materialized (
      select ${key} as sort_key, h.id, (select row_to_json(x) from (select ${sql.literal(hostItemColumns)}) x) as item
      ${sql.literal(hostSources)}
      where ${where} and ${beyond} order by ${key} ${direction}, h.id ${direction} limit ${limit + 1}
    ),
    shown as (select * from page limit ${limit})
    select '[' || coalesce(string_agg(item::text, ',' order by ${inOrder}), '') || ']' as items,
      (array_agg(sort_key order by ${inOrder}))[count(*)]::text as key,
      (array_agg(id order by ${inOrder}))[count(*)]::text as id,
      (select count(*) from page) > ${limit} as more,
      (select count(*)::int ${sql.literal(joined ? hostSources : "from hosts h")} where ${where}) as total
    from shown`
  const row = rows[0]!
  const next = row.more && row.key !== null && row.id !== null ? writeCursor(sort, { key: row.key, id: row.id }) : null
  return `{"items":${row.items},"total":${row.total},"next_cursor":${JSON.stringify(next)}}`
})
