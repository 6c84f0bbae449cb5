/** Passkeys and the challenges they answer. */
import { createHash } from "node:crypto"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { Conflict } from "#core/Errors.ts"
import { CHALLENGE_SECONDS, type PasskeyItem } from "#core/Factor.ts"
import { PasskeyId, type SessionId, type UserId } from "#core/Ids.ts"
import { newId } from "#core/newId.ts"
import type { UserOrigin } from "#core/UserAccount.ts"
import { clearAlarm, raiseAlarm } from "./AlarmStore.ts"

export interface Passkey {
  readonly id: PasskeyId
  readonly user_id: UserId
  readonly origin: UserOrigin
  readonly credential_id: Uint8Array
  readonly public_key: Uint8Array
  readonly transports: ReadonlyArray<string>
}

const columns = "p.id, p.user_id, u.origin, p.credential_id, p.public_key, p.transports"

/** Null for a credential nobody has. */
export const findPasskey = Effect.fnUntraced(function* (credentialId: Uint8Array) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<Passkey>`
    select ${sql.literal(columns)} from passkeys p join users u on u.id = p.user_id where p.credential_id = ${credentialId}`
  return rows[0] ?? null
})

export const passkeysOf = Effect.fnUntraced(function* (user: UserId) {
  const sql = yield* SqlClient.SqlClient
  return yield* sql<Passkey>`
    select ${sql.literal(columns)} from passkeys p join users u on u.id = p.user_id where p.user_id = ${user} order by p.id`
})

export const listPasskeys = Effect.fnUntraced(function* (user: UserId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ item: PasskeyItem }>`
    select json_build_object('id', id, 'name', name, 'created_at', created_at, 'last_used_at', last_used_at) as item
    from passkeys where user_id = ${user} order by id`
  return rows.map(({ item }) => item)
})

export interface NewPasskey {
  readonly name: string
  readonly credential_id: Uint8Array
  readonly public_key: Uint8Array
  readonly sign_count: number
  readonly transports: ReadonlyArray<string>
}

/** Conflict where anybody has the credential already, and where the user has twenty. */
export const insertPasskey = Effect.fnUntraced(function* (user: UserId, passkey: NewPasskey) {
  const sql = yield* SqlClient.SqlClient
  const id = newId(PasskeyId)
  const made = yield* sql<{ item: PasskeyItem }>`
    insert into passkeys (id, user_id, name, credential_id, public_key, sign_count, transports)
    select ${id}::text::uuid, ${user}::text::uuid, ${passkey.name}, ${passkey.credential_id}, ${passkey.public_key},
      ${passkey.sign_count}::int8, ${[...passkey.transports]}::text[]
    where (select count(*) from passkeys where user_id = ${user}) < 20
    on conflict (credential_id) do nothing
    returning json_build_object('id', id, 'name', name, 'created_at', created_at, 'last_used_at', last_used_at) as item`
  const item = made[0]?.item
  if (item !== undefined) return item
  return yield* (yield* findPasskey(passkey.credential_id)) === null
    ? new Conflict({
        code: "too_many_passkeys",
        message: "You have twenty passkeys: remove one you no longer use before you add another."
      })
    : new Conflict({ code: "passkey_known", message: "This passkey is registered already." })
})

/**
 * Notes a use. False where the device's counter did not grow: then there are two devices with one key. A device that does not
 * count always says 0 (Web Authentication Level 3, §6.1.1).
 */
export const notePasskeyUse = Effect.fnUntraced(function* (id: PasskeyId, signCount: number) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`
    update passkeys set sign_count = ${signCount}::int8, last_used_at = now()
    where id = ${id} and (sign_count < ${signCount}::int8 or (sign_count = 0 and ${signCount}::int8 = 0)) returning id`
  return rows.length > 0
})

const ALARM = "passkey_counter"

/** Somebody is told, until the passkey is removed: its key may have been copied. */
export const suspectPasskey = Effect.fnUntraced(function* (id: PasskeyId, username: string) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`update passkeys set counter_went_back_at = now() where id = ${id}`
  yield* raiseAlarm(
    ALARM,
    `A passkey of ${username} was refused: its counter went back, so its key may have been copied. Remove that passkey and register a new one.`
  )
})

/** After passkeys were removed: the alarm ends with the last one that is suspected. */
export const settlePasskeyAlarm = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const suspected = yield* sql`select 1 from passkeys where counter_went_back_at is not null limit 1`
  if (suspected.length === 0) yield* clearAlarm(ALARM)
})

/** The name it had; null where the user has no such passkey. */
export const removePasskey = Effect.fnUntraced(function* (user: UserId, id: PasskeyId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ name: string }>`delete from passkeys where id = ${id} and user_id = ${user} returning name`
  yield* settlePasskeyAlarm
  return rows[0]?.name ?? null
})

export type ChallengePurpose = "registration" | "second_factor" | "first_factor"

/** Whom a challenge was given to: a session, or the cookie of a browser without one. */
export type ChallengeHolder = { readonly session: SessionId } | { readonly browserHash: Uint8Array }

const hashOf = (challenge: string): Uint8Array => createHash("sha256").update(challenge).digest()

export const keepChallenge = Effect.fnUntraced(function* (
  challenge: string,
  purpose: ChallengePurpose,
  holder: ChallengeHolder
) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`delete from webauthn_challenges where expires_at < now()`
  const until = sql`now() + make_interval(secs => ${CHALLENGE_SECONDS})`
  yield* "session" in holder
    ? sql`
        insert into webauthn_challenges (challenge_hash, purpose, session_id, expires_at)
        values (${hashOf(challenge)}, ${purpose}, ${holder.session}, ${until})`
    : sql`
        insert into webauthn_challenges (challenge_hash, purpose, browser_hash, expires_at)
        values (${hashOf(challenge)}, ${purpose}, ${holder.browserHash}, ${until})`
})

/** Uses a challenge up, whoever brings it; true only for its holder, in time and for its purpose. */
export const takeChallenge = Effect.fnUntraced(function* (
  challenge: string,
  purpose: ChallengePurpose,
  holder: ChallengeHolder
) {
  const sql = yield* SqlClient.SqlClient
  const mine = "session" in holder ? sql`session_id = ${holder.session}` : sql`browser_hash = ${holder.browserHash}`
  const rows = yield* sql<{ good: boolean }>`
    delete from webauthn_challenges where challenge_hash = ${hashOf(challenge)}
    returning coalesce(${mine} and purpose = ${purpose} and expires_at > now(), false) as good`
  return rows[0]?.good === true
})
