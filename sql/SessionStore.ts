/**
 * Sessions and their refresh tokens, each used once. A session idles out after an hour (15 minutes in the PCI profile) and ends
 * twelve hours after sign-in. A used token that comes back ends the session, but for a few seconds' grace for two tabs at once.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { Unauthorized } from "#core/Errors.ts"
import { type GroupId, SessionId, type UserId } from "#core/Ids.ts"
import { newId } from "#core/newId.ts"
import type { Role } from "#core/Permission.ts"
import { type SessionFactor, type SessionStage, STEP_UP_SECONDS } from "#core/Session.ts"
import { type AuditEntry, type AuditOrigin, appendAudit } from "./AuditStore.ts"

export interface Visitor {
  readonly source_address: string
  readonly user_agent: string
}

/** Stage and factor of a session that begins. */
export type Beginning =
  | { readonly stage: "password" | "enrolling"; readonly factor: null }
  | { readonly stage: "full"; readonly factor: SessionFactor }

const GRACE = "interval '10 seconds'"
/** How often a busy session's last activity is written. */
const ACTIVITY_NOTED = "interval '30 seconds'"

const live = "s.ended_at is null and session_expires_at(s) > now()"
const active = "u.disabled_at is null and u.deleted_at is null and coalesce(u.expires_at > now(), true)"

export const sessionEntry = (action: string, session: SessionId, before: unknown, after: unknown): AuditEntry => ({
  action,
  object_type: "session",
  object_id: session,
  before,
  after
})

const ended = new Unauthorized({ code: "session_ended", message: "The session has ended. Sign in again." })
/** The cookie asked with was replaced this moment, in another tab or by this page; the browser has the new one. */
const replaced = new Unauthorized({
  code: "session_replaced",
  message: "The session was just renewed in another tab. Try again."
})

const insertRefreshToken = Effect.fnUntraced(function* (
  tokenHash: Uint8Array,
  session: SessionId,
  user: UserId,
  visitor: Visitor
) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    insert into refresh_tokens (token_hash, family_id, user_id, source_address, user_agent)
    values (${tokenHash}, ${session}, ${user}, ${visitor.source_address}::text::inet, ${visitor.user_agent})
    on conflict (token_hash) do nothing`
})

/** Begins a session for somebody whose password, passkey or identity provider was checked. */
export const openSession = Effect.fnUntraced(function* (
  origin: AuditOrigin,
  user: UserId,
  tokenHash: Uint8Array,
  visitor: Visitor,
  { stage, factor }: Beginning
) {
  const sql = yield* SqlClient.SqlClient
  const session = newId(SessionId)
  yield* sql.withTransaction(
    Effect.gen(function* () {
      yield* sql`
        insert into sessions (id, user_id, stage, factor, stepped_up_at, source_address, user_agent)
        values (${session}, ${user}, ${stage}, nullif(${factor ?? ""}, ''), case when ${stage} = 'full' then now() end,
          ${visitor.source_address}::text::inet, ${visitor.user_agent})`
      yield* insertRefreshToken(tokenHash, session, user, visitor)
      yield* appendAudit(origin, sessionEntry("session.sign_in", session, null, { user_id: user, stage, factor }))
    })
  )
  return session
})

/**
 * After a second factor: a full session takes the place of this one, under a new id and a new refresh token, so that nothing
 * known from before counts for more than it did. Done again in a full session it is a fresh proof of who is asking, and the
 * twelve hours go on. Unauthorized where the session has ended.
 */
export const raiseSession = Effect.fnUntraced(function* (
  origin: AuditOrigin,
  session: SessionId,
  factor: SessionFactor,
  tokenHash: Uint8Array,
  visitor: Visitor
) {
  const sql = yield* SqlClient.SqlClient
  const next = newId(SessionId)
  yield* sql.withTransaction(
    Effect.gen(function* () {
      const rows = yield* sql<{ user_id: UserId; stage: SessionStage }>`
        select s.user_id, s.stage from sessions s join users u on u.id = s.user_id
        where s.id = ${session} and ${sql.literal(live)} and ${sql.literal(active)} for update of s`
      const before = rows[0]
      if (before === undefined) return yield* ended
      yield* sql`
        insert into sessions (id, user_id, stage, factor, signed_in_at, stepped_up_at, source_address, user_agent)
        select ${next}::text::uuid, user_id, 'full', case when factor = 'sealed' then factor else ${factor} end,
          case when stage = 'full' then signed_in_at else now() end, now(),
          ${visitor.source_address}::text::inet, ${visitor.user_agent}
        from sessions where id = ${session}`
      yield* sql`
        update sessions set ended_at = now(), end_reason = 'replaced', replaced_by = ${next} where id = ${session}`
      yield* sql`update refresh_tokens set revoked_at = now() where family_id = ${session} and revoked_at is null`
      yield* insertRefreshToken(tokenHash, next, before.user_id, visitor)
      yield* appendAudit(
        origin,
        sessionEntry(
          before.stage === "full" ? "session.step_up" : "session.second_factor",
          next,
          { session_id: session, stage: before.stage },
          { stage: "full", factor }
        )
      )
    })
  )
  return next
})

/** Ends every session of the user but one; the caller writes the audit row in the same transaction. Answers how many. */
export const endSessionsOf = Effect.fnUntraced(function* (user: UserId, reason: string, keep: SessionId | null = null) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ n: number }>`
    with gone as (
      update sessions s set ended_at = now(), end_reason = ${reason}
      where s.user_id = ${user} and s.ended_at is null and s.id is distinct from nullif(${keep ?? ""}, '')::uuid
      returning s.id, session_expires_at(s) > now() as lived
    ),
    tokens as (
      update refresh_tokens t set revoked_at = now() from gone
      where t.family_id = gone.id and t.revoked_at is null
    )
    select (count(*) filter (where lived))::int as n from gone`
  return rows[0]?.n ?? 0
})

/** The row and its refresh tokens; call inside a transaction that writes the audit row. */
export const endOne = Effect.fnUntraced(function* (session: SessionId, reason: string) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`update sessions set ended_at = now(), end_reason = ${reason} where id = ${session} and ended_at is null`
  yield* sql`update refresh_tokens set revoked_at = now() where family_id = ${session} and revoked_at is null`
})

/** The session whose newest refresh token this is, while it lives; does not use the token up. */
export const sessionOf = Effect.fnUntraced(function* (tokenHash: Uint8Array) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ session: SessionId; user: UserId; username: string }>`
    select t.family_id as session, t.user_id as user, u.username
    from refresh_tokens t join sessions s on s.id = t.family_id join users u on u.id = t.user_id
    where t.token_hash = ${tokenHash} and t.revoked_at is null
      and coalesce(t.used_at > clock_timestamp() - ${sql.literal(GRACE)}, true)
      and ${sql.literal(live)} and ${sql.literal(active)}`
  return rows[0] ?? null
})

/** Ends the session a browser had when somebody signs in there anew. */
export const endReplaced = Effect.fnUntraced(function* (tokenHash: Uint8Array) {
  const found = yield* sessionOf(tokenHash)
  if (found !== null) yield* endOne(found.session, "signed_in_again")
})

/** Its owner did something. Written at most twice a minute. */
export const noteActivity = Effect.fnUntraced(function* (session: SessionId) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    update sessions set last_active_at = now()
    where id = ${session} and ended_at is null and last_active_at < now() - ${sql.literal(ACTIVITY_NOTED)}`
})

interface TokenRow {
  readonly family_id: SessionId
  readonly user_id: UserId
  readonly username: string
  readonly stage: SessionStage
  readonly live: boolean
  readonly replaced: boolean
  readonly used: boolean
  readonly in_grace: boolean
}

/**
 * Replaces a token by its successor. `successor` is derived from the token, so two requests with the same token within
 * the grace get the same one. Unauthorized for an unknown, expired or revoked token, and for one used before.
 */
export const rotate = Effect.fnUntraced(function* (
  tokenHash: Uint8Array,
  successorHash: Uint8Array,
  visitor: Visitor,
  { request_id, byHand }: { readonly request_id: string; readonly byHand: boolean }
) {
  const sql = yield* SqlClient.SqlClient
  const outcome = yield* sql.withTransaction(
    Effect.gen(function* () {
      const rows = yield* sql<TokenRow>`
        select t.family_id, t.user_id, u.username, s.stage,
          t.revoked_at is null and ${sql.literal(live)} and ${sql.literal(active)} as live,
          s.replaced_by is not null and s.ended_at > now() - ${sql.literal(GRACE)} as replaced,
          t.used_at is not null as used,
          coalesce(t.used_at > clock_timestamp() - ${sql.literal(GRACE)}, false)
            and t.user_agent = ${visitor.user_agent} and t.source_address = ${visitor.source_address}::text::inet as in_grace
        from refresh_tokens t join sessions s on s.id = t.family_id join users u on u.id = t.user_id
        where t.token_hash = ${tokenHash} for update of t`
      const row = rows[0]
      if (row === undefined) return "ended"
      const { family_id: session, user_id: user, stage } = row
      if (!row.live) return row.replaced ? "replaced" : "ended"
      if (!row.used || row.in_grace) {
        yield* insertRefreshToken(successorHash, session, user, visitor)
        yield* sql`update refresh_tokens set used_at = coalesce(used_at, clock_timestamp()) where token_hash = ${tokenHash}`
        if (byHand) yield* noteActivity(session)
        return { session, user, stage }
      }
      yield* endOne(session, "token_reused")
      yield* appendAudit(
        {
          actor: { kind: "user", id: user, name: row.username },
          request_id,
          source_address: visitor.source_address
        },
        sessionEntry("session.token_reused", session, null, { revoked: true, user_agent: visitor.user_agent })
      )
      return "ended"
    })
  )
  if (outcome === "ended") return yield* ended
  if (outcome === "replaced") return yield* replaced
  return outcome
})

export interface LiveSession {
  readonly session_id: SessionId
  readonly user_id: UserId
  readonly username: string
  readonly role: Role
  readonly group_ids: ReadonlyArray<GroupId>
  readonly stage: SessionStage
  readonly stepped_up_at: string | null
  readonly fresh: boolean
  readonly must_change_password: boolean
}

/** Who acts under a session now; null where it has ended or its account may not act. One indexed read. */
export const readSession = Effect.fnUntraced(function* (session: SessionId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<LiveSession>`
    select s.id as session_id, s.user_id, u.username, u.role, s.stage,
      u.must_change_password and s.factor is distinct from 'machine' as must_change_password,
      to_json(s.stepped_up_at) #>> '{}' as stepped_up_at,
      coalesce(s.stepped_up_at > now() - make_interval(secs => ${STEP_UP_SECONDS}), false) as fresh,
      array(select g.group_id::text from user_groups g where g.user_id = u.id) as group_ids
    from sessions s join users u on u.id = s.user_id
    where s.id = ${session} and ${sql.literal(live)} and ${sql.literal(active)}`
  return rows[0] ?? null
})

/** The session that stands in this one's place after fresh proofs of who is asking; itself where there was none. */
export const successorOf = Effect.fnUntraced(function* (session: SessionId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ id: SessionId }>`
    with recursive line (id, steps) as (
      select ${session}::text::uuid, 0
      union all
      select s.replaced_by, line.steps + 1 from line join sessions s on s.id = line.id
      where s.replaced_by is not null and line.steps < 1000
    )
    select id from line order by steps desc limit 1`
  return rows[0]?.id ?? session
})

/** Ends the session by its owner's own act. */
export const closeSession = Effect.fnUntraced(function* (origin: AuditOrigin, session: SessionId) {
  const sql = yield* SqlClient.SqlClient
  yield* sql.withTransaction(
    Effect.gen(function* () {
      yield* endOne(session, "signed_out")
      yield* appendAudit(origin, sessionEntry("session.sign_out", session, null, null))
    })
  )
})
