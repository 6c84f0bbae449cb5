/** Public halves of the keys that access tokens are signed with. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { type AuditOrigin, appendAudit } from "./AuditStore.ts"

export interface StoredKey {
  readonly kid: string
  readonly public_key_pem: string
  /** Whole days since it was made known. */
  readonly age_days: number
  readonly in_use: boolean
}

/** Those that tokens may be signed with now. */
export const trustedKeys = Effect.flatMap(
  SqlClient.SqlClient,
  (sql) => sql<StoredKey>`
    select kid, public_key_pem, (extract(epoch from now() - created_at) / 86400)::int as age_days, ends_at is null as in_use
    from signing_keys where coalesce(ends_at > now(), true) order by created_at desc`
)

/**
 * Makes a key known as the one in use; the ones before it count for `overlapHours` more, or end at once where that is 0. One
 * process at a time; false where somebody made it known already.
 */
export const announceKey = Effect.fnUntraced(function* (
  origin: AuditOrigin,
  key: { readonly kid: string; readonly public_key_pem: string },
  overlapHours: number
) {
  const sql = yield* SqlClient.SqlClient
  const made = yield* sql`
    insert into signing_keys (kid, public_key_pem) values (${key.kid}, ${key.public_key_pem})
    on conflict (kid) do nothing returning kid`
  if (made.length === 0) return false
  const before = yield* sql<{ kid: string }>`
    update signing_keys set ends_at = least(ends_at, now() + make_interval(hours => ${overlapHours}))
    where kid <> ${key.kid} and coalesce(ends_at > now(), true) returning kid`
  yield* sql`delete from signing_keys where ends_at < now() - interval '90 days'`
  yield* appendAudit(origin, {
    action: "signing_key.rotate",
    object_type: "signing_key",
    object_id: key.kid,
    before: { kids: before.map(({ kid }) => kid) },
    after: { kid: key.kid, overlap_hours: overlapHours }
  })
  return true
})

/** Runs with the keys to itself: of several web processes, one rotates. */
export const withKeysLocked = <A, E, R>(run: Effect.Effect<A, E, R>) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(Effect.andThen(sql`select pg_advisory_xact_lock(7202617)`, run))
  )
