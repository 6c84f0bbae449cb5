/** Which second factors somebody has, and the secrets of one-time codes. Secrets are sealed before they come here. */
import { Effect, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { NotFound } from "#core/Errors.ts"
import type { UserId } from "#core/Ids.ts"
import type { UserOrigin } from "#core/UserAccount.ts"

export interface FactorsHeld {
  readonly totp: boolean
  readonly passkeys: number
  /** Recovery codes that were not used yet. */
  readonly recovery_codes: number
}

export const factorsOf = Effect.fnUntraced(function* (user: UserId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<FactorsHeld>`
    select exists (select 1 from totp_secrets where user_id = ${user} and confirmed_at is not null) as totp,
      (select count(*)::int from passkeys where user_id = ${user}) as passkeys,
      (select count(*)::int from recovery_codes where user_id = ${user} and used_at is null) as recovery_codes`
  return rows[0]!
})

/** Where the person signs in. Holds the account until the transaction ends: two changes of factors come one after the other. */
export const holdAccount = Effect.fnUntraced(function* (user: UserId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ origin: UserOrigin }>`select origin from users where id = ${user} for update`
  const row = rows[0]
  if (row === undefined) return yield* new NotFound({ code: "user_not_found", message: "There is no such user." })
  return row.origin
})

export const TotpId = Schema.String.check(Schema.isUUID()).pipe(Schema.brand("TotpId"))
export type TotpId = typeof TotpId.Type

export interface TotpSecret {
  readonly id: TotpId
  readonly secret_sealed: Uint8Array
  readonly enrolled_at: string
}

/** Null where there is none, or where it was started more than 15 minutes ago and never confirmed. */
export const findTotp = Effect.fnUntraced(function* (user: UserId, state: "confirmed" | "pending") {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<TotpSecret>`
    select id, secret_sealed, to_json(coalesce(confirmed_at, created_at)) #>> '{}' as enrolled_at from totp_secrets
    where user_id = ${user} and (confirmed_at is not null) = ${state === "confirmed"}
      and (confirmed_at is not null or created_at > now() - interval '15 minutes')`
  return rows[0] ?? null
})

/** Takes the place of an earlier one that was not confirmed. */
export const startTotp = Effect.fnUntraced(function* (id: TotpId, user: UserId, sealed: Uint8Array) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`delete from totp_secrets where user_id = ${user} and confirmed_at is null`
  yield* sql`insert into totp_secrets (id, user_id, secret_sealed) values (${id}, ${user}, ${sealed})`
})

/** From now on its codes count, and those of an earlier app no more. The step of the first code is used up. */
export const confirmTotp = Effect.fnUntraced(function* (id: TotpId, user: UserId, step: number) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`delete from totp_secrets where user_id = ${user} and confirmed_at is not null`
  yield* sql`update totp_secrets set confirmed_at = now(), last_step = ${step} where id = ${id}`
})

/** Uses a time step up; false where it, or a later one, was used before: of two at once one is first. */
export const takeTotpStep = Effect.fnUntraced(function* (id: TotpId, step: number) {
  const sql = yield* SqlClient.SqlClient
  const rows =
    yield* sql`update totp_secrets set last_step = ${step} where id = ${id} and last_step < ${step} returning id`
  return rows.length > 0
})

export const removeTotp = Effect.fnUntraced(function* (user: UserId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`delete from totp_secrets where user_id = ${user} and confirmed_at is not null returning id`
  return rows.length > 0
})
