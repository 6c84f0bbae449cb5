/**
 * The password step. Whatever is wrong - no such name, another password, a disabled account, one that signs in elsewhere - has one
 * answer and takes one hash; after too many failures of a name or an address nothing is looked at for a while.
 */
import { Effect } from "effect"
import { HttpEffect, HttpServerRequest, HttpServerResponse } from "effect/http"
import { TooManyRequests, Unauthorized } from "#core/Errors.ts"
import type { UserId } from "#core/Ids.ts"
import { foldUsername } from "#core/foldUsername.ts"
import { RequestId } from "#http/api/Errors.ts"
import { appendAudit, appendSignInFailure, type AuditOrigin } from "#sql/AuditStore.ts"
import { factorsOf } from "#sql/FactorStore.ts"
import { ALARM_AT, beginTry, forgive, pausedSeconds, raiseFailures, takeBack, type Try } from "#sql/LockStore.ts"
import { type Account, findByUsername, replaceHash } from "#sql/UserStore.ts"
import { PasswordHasher } from "./PasswordHasher.ts"
import { bucketOf } from "./rateLimit.ts"
import { sourceAddress } from "./sourceAddress.ts"

const wrong = new Unauthorized({ code: "wrong_credentials", message: "User name or password is wrong." })

/** Says the same for a name and for an address, known or not. */
const paused = (seconds: number) =>
  HttpEffect.appendPreResponseHandler((_request, response) =>
    Effect.succeed(HttpServerResponse.setHeader(response, "retry-after", String(seconds)))
  ).pipe(
    Effect.andThen(
      Effect.fail(
        new TooManyRequests({
          code: "sign_in_paused",
          message: `Too many failed tries to sign in. Try again in ${seconds} s, or sign in with a passkey.`,
          details: { retry_after_seconds: seconds }
        })
      )
    )
  )

/** Counts a try for the name and for the address; TooManyRequests where either has to wait. */
export const beginTries = Effect.fnUntraced(function* (name: string, source_address: string) {
  const bucket = bucketOf(source_address)
  const address = yield* beginTry("address", bucket)
  if (address === null) return yield* paused(Math.max(1, yield* pausedSeconds("address", bucket)))
  const account = yield* beginTry("account", name)
  if (account === null) {
    yield* takeBack(address)
    return yield* paused(Math.max(1, yield* pausedSeconds("account", name)))
  }
  return { address, account }
})

export interface Tries {
  readonly address: Try
  readonly account: Try
}

export const takeBackTries = ({ address, account }: Tries) => Effect.andThen(takeBack(address), takeBack(account))

/** After a wrong password or code: an audit row, and somebody is told from the tenth on. */
export const failTries = Effect.fnUntraced(function* (
  { account: { failures } }: Tries,
  account: Account | null,
  origin: AuditOrigin,
  action: string
) {
  yield* appendSignInFailure(origin, {
    action,
    object_type: "user",
    object_id: account?.user.id ?? "-",
    before: null,
    after: { failures }
  })
  if (account === null || failures < ALARM_AT) return
  if (!(yield* raiseFailures(account.user.username, failures, origin.source_address))) return
  yield* appendAudit(origin, {
    action: "session.sign_in_paused",
    object_type: "user",
    object_id: account.user.id,
    before: null,
    after: { failures }
  })
})

/** Where it was hashed at another cost; left for the next time where everybody is busy. */
const rehash = Effect.fnUntraced(function* (id: UserId, before: string, password: string) {
  const hasher = yield* PasswordHasher
  if (!hasher.isOutdated(before)) return
  yield* Effect.flatMap(hasher.hash(password), (hash) => replaceHash(id, before, hash)).pipe(
    Effect.catchTag("TooManyRequests", () => Effect.void)
  )
})

/** The account the password opens. What is owed after it (a second factor) is the caller's to ask for. */
export const checkPassword = Effect.fnUntraced(function* (given: {
  readonly username: string
  readonly password: string
}) {
  const hasher = yield* PasswordHasher
  const request = yield* HttpServerRequest.HttpServerRequest
  const request_id = yield* RequestId
  const source_address = sourceAddress(request)
  const name = foldUsername(given.username)
  const tries = yield* beginTries(name, source_address)
  const account = yield* findByUsername(name)
  const matches = yield* hasher
    .verify(account?.password_hash ?? null, given.password)
    .pipe(Effect.tapError(() => takeBackTries(tries)))
  if (account === null || account.password_hash === null || account.disabled || !matches) {
    const actor = { kind: "anonymous", id: account?.user.id ?? "-", name: given.username } as const
    yield* failTries(tries, account, { actor, request_id, source_address }, "session.sign_in_failed")
    return yield* wrong
  }
  yield* takeBackTries(tries)
  yield* rehash(account.user.id, account.password_hash, given.password)
  // With a second factor the failures count until it was given, or one could go on guessing codes after each right password.
  const held = yield* factorsOf(account.user.id)
  if (!held.totp && held.passkeys === 0 && held.recovery_codes === 0) yield* forgive(name)
  return account
})
