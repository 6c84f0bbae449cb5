/** A second factor is given: it ends a half-done sign-in, or proves anew who is asking. */
import { Clock, Effect } from "effect"
import { SqlClient } from "effect/sql"
import { verifySync } from "otplib"
import { Unauthorized, Unavailable } from "#core/Errors.ts"
import { readRecoveryCode, readTotpCode } from "#core/Factor.ts"
import type { UserId } from "#core/Ids.ts"
import { CurrentCaller } from "#http/api/Authentication.ts"
import type { PasskeyAssertion } from "#http/api/WebAuthn.ts"
import { appendAudit, appendSignInFailure, type AuditOrigin, originOf } from "#sql/AuditStore.ts"
import { beginBreakGlass } from "#sql/BreakGlassStore.ts"
import { factorsOf, findTotp, holdAccount, takeTotpStep, type TotpSecret } from "#sql/FactorStore.ts"
import { forgive } from "#sql/LockStore.ts"
import { notePasskeyUse, type Passkey, passkeysOf, suspectPasskey } from "#sql/PasskeyStore.ts"
import { takeRecoveryCode } from "#sql/RecoveryCodeStore.ts"
import { findUser } from "#sql/UserStore.ts"
import { beginTries, failTries, takeBackTries } from "./checkPassword.ts"
import { ColumnCipher } from "./ColumnCipher.ts"
import { PasskeyRefused, requestOptions, verifyAssertion } from "./passkeyCeremony.ts"
import { sessionEnded, signedInAfter } from "./signIn.ts"

const wrongCode = new Unauthorized({
  code: "wrong_code",
  message: "The code is wrong, or it was used before. Take the next one your app shows."
})
const wrongRecoveryCode = new Unauthorized({
  code: "wrong_code",
  message: "The recovery code is wrong, or it was used before."
})
export const passkeyRefused = new Unauthorized({
  code: "passkey_refused",
  message: "The passkey was not accepted. Try again, or use another factor."
})

const unreadable = new Unavailable({
  code: "secret_unreadable",
  message:
    "The manager cannot read your authenticator app's secret; its log says why. Use another factor, or ask an administrator."
})

const PERIOD_SECONDS = 30

export const totpPlace = (id: string) => ({ table: "totp_secrets", column: "secret_sealed", row: id }) as const

/** The time step of a code that fits now, or one step before or after (RFC 6238, §5.2); null for any other. */
export const totpStep = Effect.fnUntraced(function* ({ id, secret_sealed }: TotpSecret, typed: string) {
  const token = readTotpCode(typed)
  if (token === null) return null
  const cipher = yield* ColumnCipher
  const secret = yield* cipher.open(totpPlace(id), secret_sealed).pipe(
    Effect.tapError((error) => Effect.logError(error.message)),
    Effect.mapError(() => unreadable)
  )
  const epoch = Math.floor((yield* Clock.currentTimeMillis) / 1000)
  const result = verifySync({
    strategy: "totp",
    secret,
    token,
    epoch,
    period: PERIOD_SECONDS,
    epochTolerance: PERIOD_SECONDS
  })
  return result.valid ? Math.floor(epoch / PERIOD_SECONDS) + result.delta : null
})

/** The try counts with the password's; what `use` did is undone unless the session was raised. */
const counted = <E, R>(
  wrong: Unauthorized,
  use: (user: UserId, origin: AuditOrigin) => Effect.Effect<"totp" | "recovery_code" | "sealed" | null, E, R>
) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const caller = yield* CurrentCaller
    const { user_id, username } = caller.principal
    const origin = originOf(caller)
    const tries = yield* beginTries(username, caller.source_address)
    const signedIn = yield* sql.withTransaction(
      Effect.gen(function* () {
        const factor = yield* use(user_id, origin)
        return factor === null ? null : yield* signedInAfter(factor)
      })
    )
    if (signedIn === null) {
      yield* failTries(tries, yield* findUser(user_id), origin, "session.second_factor_failed")
      return yield* wrong
    }
    yield* takeBackTries(tries)
    yield* forgive(username)
    return signedIn
  })

export const giveTotp = (code: string) =>
  counted(
    wrongCode,
    Effect.fnUntraced(function* (user) {
      const secret = yield* findTotp(user, "confirmed")
      const step = secret === null ? null : yield* totpStep(secret, code)
      if (secret === null || step === null || !(yield* takeTotpStep(secret.id, step))) return null
      return "totp" as const
    })
  )

/** For the emergency account it is the sealed code: from its first use on four hours are left, and everybody is told. */
export const giveRecoveryCode = (typed: string) =>
  counted(
    wrongRecoveryCode,
    Effect.fnUntraced(function* (user, origin) {
      const code = readRecoveryCode(typed)
      if (code === null || !(yield* takeRecoveryCode(user, code))) return null
      const { recovery_codes: left } = yield* factorsOf(user)
      const account = yield* Effect.catchTag(holdAccount(user), "NotFound", () => Effect.fail(sessionEnded))
      const sealed = account === "break_glass"
      const expires_at = sealed ? yield* beginBreakGlass(user, origin.actor.name, origin.source_address) : null
      yield* appendAudit(origin, {
        action: sealed ? "break_glass.use" : "recovery_code.use",
        object_type: "user",
        object_id: user,
        before: null,
        after: { recovery_codes_left: left, ...(sealed ? { expires_at } : {}) }
      })
      return sealed ? ("sealed" as const) : ("recovery_code" as const)
    })
  )

export const askPasskey = Effect.gen(function* () {
  const { principal } = yield* CurrentCaller
  if (principal.session_id === null) return yield* sessionEnded
  return yield* requestOptions("second_factor", { session: principal.session_id }, yield* passkeysOf(principal.user_id))
})

/** An audit row for each answer of a device that does not count. */
export const refusePasskey = Effect.fnUntraced(function* (origin: AuditOrigin, user: string, reason: string) {
  yield* appendSignInFailure(origin, {
    action: "session.passkey_refused",
    object_type: "user",
    object_id: user,
    before: null,
    after: { reason }
  })
  return yield* passkeyRefused
})

/** PasskeyRefused where the device's counter did not grow. */
export const usePasskey = Effect.fnUntraced(function* (passkey: Passkey, username: string, signCount: number) {
  if (yield* notePasskeyUse(passkey.id, signCount)) return
  yield* suspectPasskey(passkey.id, username)
  return yield* new PasskeyRefused({ reason: "the counter went back" })
})

export const givePasskey = Effect.fnUntraced(function* (response: PasskeyAssertion) {
  const caller = yield* CurrentCaller
  const { user_id, username, session_id } = caller.principal
  if (session_id === null) return yield* sessionEnded
  const check = Effect.gen(function* () {
    const { passkey, signCount } = yield* verifyAssertion(response, "second_factor", { session: session_id })
    if (passkey.user_id !== user_id) return yield* new PasskeyRefused({ reason: "the passkey is another account's" })
    yield* usePasskey(passkey, username, signCount)
  })
  yield* Effect.catchTag(check, "PasskeyRefused", ({ reason }) => refusePasskey(originOf(caller), user_id, reason))
  const signedIn = yield* signedInAfter("passkey")
  yield* forgive(username)
  return signedIn
})
