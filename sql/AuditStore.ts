/** The only way a change gets into the audit log. Call it last in the transaction that makes the change. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { Caller } from "#core/User.ts"

export interface AuditActor {
  readonly kind: "user" | "token" | "machine" | "anonymous"
  readonly id: string
  readonly name: string
}

export interface AuditEntry {
  readonly action: string
  readonly object_type: string
  readonly object_id: string
  /** Without secrets: the log is read by auditors and exported. */
  readonly before: unknown
  readonly after: unknown
}

export interface AuditOrigin {
  readonly actor: AuditActor
  readonly request_id: string
  readonly source_address: string
}

const json = (value: unknown): string | null => (value === null || value === undefined ? null : JSON.stringify(value))

export const appendAudit = Effect.fnUntraced(function* (origin: AuditOrigin, entry: AuditEntry) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    select audit_append(${origin.actor.kind}, ${origin.actor.id}, ${origin.actor.name}, ${entry.action},
      ${entry.object_type}, ${entry.object_id}, ${json(entry.before)}::text::jsonb, ${json(entry.after)}::text::jsonb,
      ${origin.request_id}, ${origin.source_address})`
})

/**
 * Like `appendAudit`, for a sign-in that is refused: after the hundredth of a minute from one source address only counted, and the
 * rest of that minute becomes one row `session.sign_in_failed_many` when it is over.
 */
export const appendSignInFailure = Effect.fnUntraced(function* (origin: AuditOrigin, entry: AuditEntry) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    select audit_sign_in_failure(${origin.actor.kind}, ${origin.actor.id}, ${origin.actor.name}, ${entry.action},
      ${entry.object_type}, ${entry.object_id}, ${json(entry.before)}::text::jsonb, ${json(entry.after)}::text::jsonb,
      ${origin.request_id}, ${origin.source_address})`
})

/** A call that the caller's role or token does not allow; beyond a hundred a minute from one address they are only counted. */
export const appendRefusal = Effect.fnUntraced(function* (origin: AuditOrigin, entry: AuditEntry) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    select audit_refusal(${origin.actor.kind}, ${origin.actor.id}, ${origin.actor.name}, ${entry.action},
      ${entry.object_type}, ${entry.object_id}, ${json(entry.before)}::text::jsonb, ${json(entry.after)}::text::jsonb,
      ${origin.request_id}, ${origin.source_address})`
})

/** Writes the rows of the minutes that are over; answers how many. */
export const flushSignInFailures = Effect.flatMap(SqlClient.SqlClient, (sql) =>
  Effect.map(sql<{ n: number }>`select audit_flush_sign_in_failures() as n`, (rows) => rows[0]?.n ?? 0)
)

export const originOf = ({ principal, request_id, source_address }: Caller): AuditOrigin => ({
  actor: principal.token
    ? { kind: "token", id: principal.token.id, name: `${principal.username}/${principal.token.name}` }
    : { kind: "user", id: principal.user_id, name: principal.username },
  request_id,
  source_address
})
