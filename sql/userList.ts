/** Accounts as administrators and auditors look at them. What deletes an account leaves its row, which is shown nowhere. */
import { Effect } from "effect"
import { SqlClient, type Statement } from "effect/sql"
import { NotFound } from "#core/Errors.ts"
import type { UserId } from "#core/Ids.ts"
import type { Page } from "#core/Page.ts"
import type { Role } from "#core/Permission.ts"
import type { UserAccount, UserSort } from "#core/UserAccount.ts"
import { readCursor, writeCursor } from "./cursor.ts"

export const userNotFound = new NotFound({
  code: "user_not_found",
  message: "There is no such user; somebody may have deleted the account."
})

const columns = `
  u.id, u.username, u.display_name, u.email, u.role, u.origin, u.disabled_at is not null or coalesce(u.expires_at <= now(), false) as disabled,
  exists (select 1 from sign_in_failures f where f.blocked_until > now()
    and f.key_hash = sha256(convert_to('account', 'UTF8') || decode('00', 'hex') || convert_to(u.username, 'UTF8'))) as locked,
  u.must_change_password,
  json_build_object(
    'totp', exists (select 1 from totp_secrets t where t.user_id = u.id and t.confirmed_at is not null),
    'passkeys', (select count(*)::int from passkeys p where p.user_id = u.id)) as factors,
  coalesce((select json_agg(json_build_object('id', g.id, 'name', g.name) order by g.name)
    from user_groups m join groups g on g.id = m.group_id where m.user_id = u.id), '[]') as groups,
  u.last_sign_in_at, u.created_at, u.version::int as version`

type Order = "username" | "display_name" | "last_sign_in" | "created"

const micros = (column: string): string => `(extract(epoch from coalesce(${column}, 'epoch')) * 1000000)::bigint`

const orders: Record<Order, { readonly expression: string; readonly type: "text" | "number" }> = {
  username: { expression: "u.username", type: "text" },
  display_name: { expression: "lower(u.display_name)", type: "text" },
  last_sign_in: { expression: micros("u.last_sign_in_at"), type: "number" },
  created: { expression: micros("u.created_at"), type: "number" }
}

const orderOf = (sort: UserSort): { readonly order: Order; readonly descending: boolean } =>
  sort.startsWith("-")
    ? { order: sort.slice(1) as Order, descending: true }
    : { order: sort as Order, descending: false }

export interface UserListRequest {
  readonly q?: string | undefined
  readonly role?: ReadonlyArray<Role> | undefined
  readonly disabled?: boolean | undefined
  readonly sort?: UserSort | undefined
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
}

export const listUsers = Effect.fnUntraced(function* (request: UserListRequest) {
  const sql = yield* SqlClient.SqlClient
  const limit = request.limit ?? 100
  const sort = request.sort ?? "username"
  const { order, descending } = orderOf(sort)
  const { expression, type } = orders[order]
  const after = yield* readCursor(`users ${sort}`, request.cursor, type)
  const all: Array<Statement.Fragment> = [sql`u.deleted_at is null`]
  const q = (request.q ?? "").trim()
  if (q !== "") {
    const part = `%${q.replace(/[\\%_]/g, "\\$&")}%`
    all.push(sql`(u.username ilike ${part} or u.display_name ilike ${part} or u.email ilike ${part})`)
  }
  if (request.role) all.push(sql`u.role = any(${request.role}::text[])`)
  if (request.disabled !== undefined) all.push(sql`(u.disabled_at is not null) = ${request.disabled}::boolean`)
  const matching = sql.and(all)
  const beyond = after
    ? sql`(${sql.literal(expression)}, u.id) ${sql.literal(descending ? "<" : ">")}
        (${after.key}::text${sql.literal(type === "number" ? "::bigint" : "")}, ${after.id}::text::uuid)`
    : sql`true`
  const direction = sql.literal(descending ? "desc" : "asc")
  const rows = yield* sql<{ item: UserAccount; key: string }>`
    select row_to_json(r) as item, key from (
      select ${sql.literal(columns)}, ${sql.literal(expression)}::text as key from users u
      where ${matching} and ${beyond} order by ${sql.literal(expression)} ${direction}, u.id ${direction} limit ${limit + 1}
    ) r`
  const counted = yield* sql<{ total: number }>`select count(*)::int as total from users u where ${matching}`
  const items = rows.slice(0, limit).map(({ item }) => item)
  const last = rows[limit - 1]
  const page: Page<UserAccount> = {
    items,
    total: counted[0]?.total ?? 0,
    next_cursor: rows.length > limit && last ? writeCursor(`users ${sort}`, { key: last.key, id: last.item.id }) : null
  }
  return page
})

export const getUser = Effect.fnUntraced(function* (id: UserId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ user: UserAccount }>`
    select row_to_json(r) as user from (
      select ${sql.literal(columns)} from users u where u.id = ${id} and u.deleted_at is null
    ) r`
  const row = rows[0]
  if (row === undefined) return yield* userNotFound
  return row.user
})
