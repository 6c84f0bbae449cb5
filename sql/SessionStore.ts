/**
 * Sessions: a family of refresh tokens, each used once. A session idles out after an hour and ends twelve hours after
 * sign-in. A used token that comes back ends the family, but for a few seconds' grace for two tabs at once.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { Unauthorized } from "#core/Errors.ts"
import { SessionId, type UserId } from "#core/Ids.ts"
import { newId } from "#core/newId.ts"
import { type AuditEntry, type AuditOrigin, appendAudit } from "./AuditStore.ts"

export interface Visitor {
  readonly source_address: string
  readonly user_agent: string
}

const idle = "interval '1 hour'"
const absolute = "interval '12 hours'"
const grace = "interval '10 seconds'"

const sessionEntry = (action: string, session: SessionId, after: unknown): AuditEntry => ({
  action,
  object_type: "session",
  object_id: session,
  before: null,
  after
})

export const openSession = Effect.fnUntraced(function* (
  origin: AuditOrigin,
  user: UserId,
  tokenHash: Uint8Array,
  visitor: Visitor
) {
  const sql = yield* SqlClient.SqlClient
  const session = newId(SessionId)
  yield* sql.withTransaction(
    Effect.gen(function* () {
      yield* sql`
        insert into refresh_tokens (token_hash, family_id, user_id, expires_at, signed_in_at, source_address, user_agent)
        values (${tokenHash}, ${session}, ${user}, now() + ${sql.literal(idle)}, now(),
          ${visitor.source_address}::text::inet, ${visitor.user_agent})`
      yield* appendAudit(origin, sessionEntry("session.sign_in", session, { user_id: user }))
    })
  )
  return session
})

interface TokenRow {
  readonly family_id: SessionId
  readonly user_id: UserId
  readonly username: string
  readonly live: boolean
  readonly used: boolean
  readonly in_grace: boolean
}

const ended = new Unauthorized({ code: "session_ended", message: "The session has ended. Sign in again." })

/**
 * Replaces a token by its successor. `successor` is derived from the token, so two requests with the same token within
 * the grace get the same one. Unauthorized for an unknown, expired or revoked token, and for one used before.
 */
export const rotate = Effect.fnUntraced(function* (
  tokenHash: Uint8Array,
  successorHash: Uint8Array,
  visitor: Visitor,
  request_id: string
) {
  const sql = yield* SqlClient.SqlClient
  const outcome = yield* sql.withTransaction(
    Effect.gen(function* () {
      const rows = yield* sql<TokenRow>`
        select t.family_id, t.user_id, u.username,
          t.revoked_at is null and t.expires_at > now() and u.disabled_at is null as live,
          t.used_at is not null as used,
          coalesce(t.used_at > clock_timestamp() - ${sql.literal(grace)}, false)
            and t.user_agent = ${visitor.user_agent} and t.source_address = ${visitor.source_address}::text::inet as in_grace
        from refresh_tokens t join users u on u.id = t.user_id
        where t.token_hash = ${tokenHash} for update of t`
      const row = rows[0]
      if (row === undefined) return null
      if (row.live && (!row.used || row.in_grace)) {
        yield* sql`
          insert into refresh_tokens (token_hash, family_id, user_id, expires_at, signed_in_at, source_address, user_agent)
          select ${successorHash}, family_id, user_id,
            least(now() + ${sql.literal(idle)}, signed_in_at + ${sql.literal(absolute)}), signed_in_at,
            ${visitor.source_address}::text::inet, ${visitor.user_agent}
          from refresh_tokens where token_hash = ${tokenHash}
          on conflict (token_hash) do nothing`
        yield* sql`update refresh_tokens set used_at = coalesce(used_at, clock_timestamp()) where token_hash = ${tokenHash}`
        return { session: row.family_id, user: row.user_id }
      }
      if (row.live && row.used) {
        yield* sql`update refresh_tokens set revoked_at = now() where family_id = ${row.family_id} and revoked_at is null`
        yield* appendAudit(
          {
            actor: { kind: "user", id: row.user_id, name: row.username },
            request_id,
            source_address: visitor.source_address
          },
          sessionEntry("session.token_reused", row.family_id, { revoked: true, user_agent: visitor.user_agent })
        )
      }
      return null
    })
  )
  if (outcome === null) return yield* ended
  return outcome
})

/** The session a refresh token belongs to, while it lives; does not use the token up. */
export const sessionOf = Effect.fnUntraced(function* (tokenHash: Uint8Array) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ session: SessionId; user: UserId; username: string }>`
    select t.family_id as session, t.user_id as user, u.username
    from refresh_tokens t join users u on u.id = t.user_id
    where t.token_hash = ${tokenHash} and t.revoked_at is null and t.expires_at > now() and u.disabled_at is null`
  return rows[0] ?? null
})

/** Whether somebody may still act under this session. */
export const isSessionLive = Effect.fnUntraced(function* (session: SessionId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ live: boolean }>`
    select exists (
      select 1 from refresh_tokens t join users u on u.id = t.user_id
      where t.family_id = ${session} and t.revoked_at is null and t.expires_at > now() and u.disabled_at is null) as live`
  return rows[0]?.live === true
})

export const closeSession = Effect.fnUntraced(function* (origin: AuditOrigin, session: SessionId) {
  const sql = yield* SqlClient.SqlClient
  yield* sql.withTransaction(
    Effect.gen(function* () {
      yield* sql`update refresh_tokens set revoked_at = now() where family_id = ${session} and revoked_at is null`
      yield* appendAudit(origin, sessionEntry("session.sign_out", session, null))
    })
  )
})
