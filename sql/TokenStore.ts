/** API tokens of scripted clients; only their hash is kept. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { TokenId, UserId } from "#core/Ids.ts"
import type { Permission } from "#core/Permission.ts"
import { type AuditOrigin, appendAudit } from "./AuditStore.ts"

export interface NewToken {
  readonly id: TokenId
  readonly user_id: UserId
  readonly name: string
  readonly token_hash: Uint8Array
  readonly permissions: ReadonlyArray<Permission>
  readonly expires_in_seconds: number
}

export const insertToken = Effect.fnUntraced(function* (origin: AuditOrigin, token: NewToken) {
  const sql = yield* SqlClient.SqlClient
  yield* sql.withTransaction(
    Effect.gen(function* () {
      yield* sql`
        insert into api_tokens (id, user_id, name, token_hash, permissions, expires_at)
        values (${token.id}, ${token.user_id}, ${token.name}, ${token.token_hash}, ${token.permissions}::text[],
          now() + make_interval(secs => ${token.expires_in_seconds}))`
      yield* appendAudit(origin, {
        action: "token.create",
        object_type: "api_token",
        object_id: token.id,
        before: null,
        after: {
          user_id: token.user_id,
          name: token.name,
          permissions: token.permissions,
          expires_in_seconds: token.expires_in_seconds
        }
      })
    })
  )
})

export interface FoundToken {
  readonly id: TokenId
  readonly user_id: UserId
  readonly name: string
  readonly permissions: ReadonlyArray<Permission>
}

/** Null for one that is unknown, expired or revoked. Notes the use, at most once a minute. */
export const findToken = Effect.fnUntraced(function* (tokenHash: Uint8Array) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<FoundToken & { readonly note: boolean }>`
    select id, user_id, name, permissions, coalesce(last_used_at < now() - interval '1 minute', true) as note
    from api_tokens where token_hash = ${tokenHash} and revoked_at is null and expires_at > now()`
  const found = rows[0]
  if (found === undefined) return null
  if (found.note) yield* sql`update api_tokens set last_used_at = now() where id = ${found.id}`
  const token: FoundToken = found
  return token
})

export const isTokenLive = Effect.fnUntraced(function* (id: TokenId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ live: boolean }>`
    select exists (
      select 1 from api_tokens t join users u on u.id = t.user_id
      where t.id = ${id} and t.revoked_at is null and t.expires_at > now() and u.disabled_at is null) as live`
  return rows[0]?.live === true
})
