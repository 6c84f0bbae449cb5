/** API tokens of scripted clients; only their hash is kept. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { ApiToken } from "#core/ApiToken.ts"
import { NotFound } from "#core/Errors.ts"
import type { GroupId, TokenId, UserId } from "#core/Ids.ts"
import type { Page } from "#core/Page.ts"
import type { Permission, Role } from "#core/Permission.ts"
import type { Caller } from "#core/User.ts"
import { type AuditEntry, appendAudit, originOf } from "./AuditStore.ts"
import { readCursor, writeCursor } from "./cursor.ts"

export interface NewToken {
  readonly id: TokenId
  readonly user_id: UserId
  readonly name: string
  readonly token_hash: Uint8Array
  readonly permissions: ReadonlyArray<Permission>
  readonly group_ids: ReadonlyArray<GroupId> | null
  readonly expires_in_seconds: number
}

/** The row alone; call inside a transaction that writes the audit entry answered. */
export const insertToken = Effect.fnUntraced(function* (token: NewToken) {
  const sql = yield* SqlClient.SqlClient
  const { id, user_id, name, permissions, group_ids, expires_in_seconds } = token
  yield* sql`
    insert into api_tokens (id, user_id, name, token_hash, permissions, group_ids, expires_at)
    values (${id}, ${user_id}, ${name}, ${token.token_hash}, ${permissions}::text[],
      case when ${group_ids !== null} then ${group_ids ?? []}::uuid[] end,
      now() + make_interval(secs => ${expires_in_seconds}))`
  const audit: AuditEntry = {
    action: "token.create",
    object_type: "api_token",
    object_id: id,
    before: null,
    after: { user_id, name, permissions, group_ids, expires_in_seconds }
  }
  return audit
})

export interface LiveToken {
  readonly id: TokenId
  readonly name: string
  readonly permissions: ReadonlyArray<Permission>
  /** Groups it is bounded to; null for no bounds of its own. */
  readonly group_ids: ReadonlyArray<GroupId> | null
  readonly user_id: UserId
  readonly username: string
  readonly role: Role
  readonly user_group_ids: ReadonlyArray<GroupId>
}

const read = Effect.fnUntraced(function* (column: "id" | "token_hash", value: TokenId | Uint8Array) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<LiveToken & { readonly note: boolean }>`
    select t.id, t.name, t.permissions, t.group_ids::text[] as group_ids, u.id as user_id, u.username, u.role,
      array(select g.group_id::text from user_groups g where g.user_id = u.id) as user_group_ids,
      coalesce(t.last_used_at < now() - interval '1 minute', true) as note
    from api_tokens t join users u on u.id = t.user_id
    where ${sql.literal(`t.${column}`)} = ${value} and t.revoked_at is null and t.expires_at > now()
      and u.disabled_at is null and u.deleted_at is null and coalesce(u.expires_at > now(), true)`
  return rows[0] ?? null
})

/** Null for one that is unknown, expired or revoked, or whose owner may not act. Notes the use, at most once a minute. */
export const findToken = Effect.fnUntraced(function* (tokenHash: Uint8Array) {
  const sql = yield* SqlClient.SqlClient
  const found = yield* read("token_hash", tokenHash)
  if (found === null) return null
  if (found.note) yield* sql`update api_tokens set last_used_at = now() where id = ${found.id}`
  const token: LiveToken = found
  return token
})

/** The same by its id, which is no secret and opens nothing by itself. */
export const readToken = (id: TokenId) => read("id", id)

const columns = `t.id, t.name, json_build_object('id', u.id, 'username', u.username) as user, t.permissions, t.group_ids,
  t.created_at, t.expires_at, t.last_used_at, t.revoked_at`

/** Newest first; of everybody where `owner` is null. Tokens that open nothing any more stay in the list for 30 days. */
export const listTokens = Effect.fnUntraced(function* (
  owner: UserId | null,
  request: { readonly cursor?: string | undefined; readonly limit?: number | undefined }
) {
  const sql = yield* SqlClient.SqlClient
  const limit = request.limit ?? 100
  const after = yield* readCursor("tokens", request.cursor, "text")
  const listed = sql`${owner === null ? sql`true` : sql`t.user_id = ${owner}`}
    and least(t.expires_at, t.revoked_at) > now() - interval '30 days'`
  const rows = yield* sql<{ item: ApiToken }>`
    select row_to_json(r) as item from (
      select ${sql.literal(columns)} from api_tokens t join users u on u.id = t.user_id
      where ${listed} and ${after ? sql`t.id < ${after.id}::text::uuid` : sql`true`}
      order by t.id desc limit ${limit + 1}
    ) r`
  const counted = yield* sql<{ total: number }>`select count(*)::int as total from api_tokens t where ${listed}`
  const items = rows.slice(0, limit).map(({ item }) => item)
  const last = items.at(-1)
  const page: Page<ApiToken> = {
    items,
    total: counted[0]?.total ?? 0,
    next_cursor: rows.length > limit && last ? writeCursor("tokens", { key: "", id: last.id }) : null
  }
  return page
})

export const getToken = Effect.fnUntraced(function* (id: TokenId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ item: ApiToken }>`
    select row_to_json(r) as item from (
      select ${sql.literal(columns)} from api_tokens t join users u on u.id = t.user_id where t.id = ${id}
    ) r`
  return rows[0]?.item ?? null
})

/** NotFound for one that is unknown or was revoked, and for somebody else's where the caller may not end those. */
export const revokeToken = (caller: Caller, id: TokenId) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(
      Effect.gen(function* () {
        const { principal } = caller
        const rows = yield* sql<{ name: string; user_id: UserId }>`
          update api_tokens set revoked_at = now()
          where id = ${id} and revoked_at is null and (user_id = ${principal.user_id} or ${principal.permissions.has("tokens:end")})
          returning name, user_id`
        const revoked = rows[0]
        if (revoked === undefined) {
          return yield* new NotFound({ code: "token_not_found", message: "There is no such API token." })
        }
        yield* appendAudit(originOf(caller), {
          action: "token.revoke",
          object_type: "api_token",
          object_id: id,
          before: revoked,
          after: null
        })
      })
    )
  )

/** Those of these ids that there are. */
export const knownGroups = Effect.fnUntraced(function* (ids: ReadonlyArray<GroupId>) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ id: GroupId }>`select id from groups where id = any(${ids}::uuid[])`
  return new Set(rows.map(({ id }) => id))
})
