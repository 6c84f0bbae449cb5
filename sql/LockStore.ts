/**
 * Failed tries to sign in, by name and by address, shared by all web processes. A try counts as failed from its beginning and is
 * taken back when it was right, so that a thousand tries at once are a thousand tries.
 */
import { createHash } from "node:crypto"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { raiseAlarm } from "./AlarmStore.ts"

export type TryKind = "account" | "address"

/** A try under way, with the count it made. */
export interface Try {
  readonly kind: TryKind
  readonly key: Uint8Array
  readonly failures: number
}

/** From so many failures of one name on somebody is told. */
export const ALARM_AT = 10
/** Rows kept at most. */
const CAPACITY = 100_000
const ALARM = "sign_in_failures"

/** Of one length, whatever the name. */
export const tryKey = (kind: TryKind, name: string): Uint8Array =>
  createHash("sha256").update(`${kind}\0${name}`).digest()

const forget = Effect.fnUntraced(function* (key: Uint8Array) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`delete from sign_in_failures where last_failed_at < now() - interval '24 hours'`
  // Counting them all takes some milliseconds: for one new key in 64.
  if ((key[0] ?? 0) % 64 !== 0) return
  yield* sql`
    delete from sign_in_failures where key_hash in (
      select key_hash from sign_in_failures order by last_failed_at desc, key_hash offset ${CAPACITY})`
})

/** Null while tries of this name or address have to wait. */
export const beginTry = Effect.fnUntraced(function* (kind: TryKind, name: string) {
  const sql = yield* SqlClient.SqlClient
  const key = tryKey(kind, name)
  const rows = yield* sql<{ failures: number | null }>`select count_sign_in_try(${kind}, ${key}) as failures`
  const failures = rows[0]?.failures ?? null
  if (failures === null) return null
  if (failures === 1) yield* forget(key)
  const begun: Try = { kind, key, failures }
  return begun
})

/** Seconds until the next try is looked at; 0 where it may come at once. */
export const pausedSeconds = Effect.fnUntraced(function* (kind: TryKind, name: string) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ seconds: number }>`
    select greatest(0, ceil(extract(epoch from blocked_until - now())))::int as seconds from sign_in_failures
    where key_hash = ${tryKey(kind, name)} and blocked_until is not null`
  return rows[0]?.seconds ?? 0
})

/** The try was no failure after all. What others have failed meanwhile stays. */
export const takeBack = Effect.fnUntraced(function* ({ key, failures }: Try) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    update sign_in_failures set failures = greatest(failures - 1, 0),
      blocked_until = case when failures = ${failures} then null else blocked_until end
    where key_hash = ${key}`
})

/** Somebody is in: his name's failures are over. */
export const forgive = Effect.fnUntraced(function* (name: string) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`delete from sign_in_failures where key_hash = ${tryKey("account", name)}`
  yield* sql`
    update alarms set cleared_at = now()
    where kind = ${ALARM} and cleared_at is null and not exists (
      select 1 from sign_in_failures
      where kind = 'account' and failures >= ${ALARM_AT} and coalesce(blocked_until, last_failed_at) > now() - interval '1 hour')`
})

export const raiseFailures = (username: string, failures: number, source_address: string) =>
  raiseAlarm(
    ALARM,
    `Signing in as ${username} with a password is paused after ${failures} failed tries, the last from ${source_address}. If that was not ${username}, look at the audit log; a passkey still opens the account.`
  )
