/** One's own second factors: setting up, removing, and new recovery codes. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { generateSecret, generateURI } from "otplib"
import { renderSVG } from "uqr"
import { Conflict, NotFound, refuseField, Unauthorized } from "#core/Errors.ts"
import type { PasskeyId, UserId } from "#core/Ids.ts"
import { newId } from "#core/newId.ts"
import { CurrentCaller } from "#http/api/Authentication.ts"
import type { FactorAdded, Factors, PasskeyAdded, RecoveryCodes, TotpStarted } from "#http/api/Factors.ts"
import type { PasskeyAttestation } from "#http/api/WebAuthn.ts"
import { appendAudit, originOf } from "#sql/AuditStore.ts"
import {
  confirmTotp,
  factorsOf,
  type FactorsHeld,
  findTotp,
  holdAccount,
  removeTotp,
  startTotp,
  TotpId
} from "#sql/FactorStore.ts"
import { forgive } from "#sql/LockStore.ts"
import { insertPasskey, listPasskeys, removePasskey } from "#sql/PasskeyStore.ts"
import { replaceRecoveryCodes } from "#sql/RecoveryCodeStore.ts"
import { findUser } from "#sql/UserStore.ts"
import { requireStepUp } from "./authorize.ts"
import { beginTries, failTries, takeBackTries } from "./checkPassword.ts"
import { ColumnCipher } from "./ColumnCipher.ts"
import { refusePasskey, totpPlace, totpStep } from "./giveFactor.ts"
import { creationOptions, verifyAttestation } from "./passkeyCeremony.ts"
import { newRecoveryCodes } from "./recoveryCodes.ts"
import { sessionEnded, signedInAfter } from "./signIn.ts"
import { WebConfig } from "./WebSettings.ts"

const elsewhere = new Unauthorized({
  code: "mfa_required",
  message: "Your account got a second factor meanwhile. Sign in again and give it."
})
const sealedStays = new Conflict({
  code: "break_glass_account",
  message: "The emergency account keeps the codes it was made with. Sign in as yourself to set up a factor."
})
const lastFactor = new Conflict({
  code: "last_factor",
  message: "This is your only second factor: set up another one first, then remove it."
})

/** Who may change his factors now: somebody who is setting up his first, or who has just proved who he is. */
const requireChange = Effect.gen(function* () {
  const { principal } = yield* CurrentCaller
  if (principal.sign_in?.stage !== "enrolling") yield* requireStepUp(principal)
})

/** Holds the account; refuses where a factor was set up elsewhere while this session was still about to. */
const holdForChange = Effect.gen(function* () {
  const { principal } = yield* CurrentCaller
  const origin = yield* Effect.catchTag(holdAccount(principal.user_id), "NotFound", () => Effect.fail(sessionEnded))
  if (origin === "break_glass") return yield* sealedStays
  const held = yield* factorsOf(principal.user_id)
  if (principal.sign_in?.stage === "enrolling" && (held.totp || held.passkeys > 0)) return yield* elsewhere
  return held
})

/** With the first factor, ten codes for the day it is lost. */
const codesFor = Effect.fnUntraced(function* (user: UserId, held: FactorsHeld) {
  if (held.totp || held.passkeys > 0) return null
  const codes = newRecoveryCodes()
  yield* replaceRecoveryCodes(user, codes)
  return codes
})

const audit = Effect.fnUntraced(function* (action: string, before: unknown, after: unknown) {
  const caller = yield* CurrentCaller
  const object_id = caller.principal.user_id
  yield* appendAudit(originOf(caller), { action, object_type: "user", object_id, before, after })
})

export const readFactors = Effect.gen(function* () {
  const { principal } = yield* CurrentCaller
  const totp = yield* findTotp(principal.user_id, "confirmed")
  const factors: Factors = {
    totp: totp === null ? null : { enrolled_at: totp.enrolled_at },
    passkeys: yield* listPasskeys(principal.user_id),
    recovery_codes_left: (yield* factorsOf(principal.user_id)).recovery_codes
  }
  return factors
})

export const beginTotp = Effect.gen(function* () {
  yield* requireChange
  const sql = yield* SqlClient.SqlClient
  const cipher = yield* ColumnCipher
  const config = yield* WebConfig
  const { principal } = yield* CurrentCaller
  const id = newId(TotpId)
  const secret = generateSecret()
  const sealed = yield* Effect.orDie(cipher.seal(totpPlace(id), secret))
  yield* sql.withTransaction(Effect.andThen(holdForChange, startTotp(id, principal.user_id, sealed)))
  const issuer = `Linux Patch Manager ${new URL(config.publicUrl).hostname}`
  const otpauth_uri = generateURI({ issuer, label: principal.username, secret })
  const started: TotpStarted = { secret, otpauth_uri, qr_svg: renderSVG(otpauth_uri, { ecc: "M", border: 2 }) }
  return started
})

const wrongFirstCode = refuseField(
  "payload.code",
  "The code does not fit: check the clock of the phone and take the next one."
)

export const endTotp = Effect.fnUntraced(function* (code: string) {
  yield* requireChange
  const sql = yield* SqlClient.SqlClient
  const caller = yield* CurrentCaller
  const { user_id, username } = caller.principal
  const tries = yield* beginTries(username, caller.source_address)
  const added = yield* sql.withTransaction(
    Effect.gen(function* () {
      const held = yield* holdForChange
      const pending = yield* findTotp(user_id, "pending")
      if (pending === null) {
        return yield* new Conflict({
          code: "no_enrolment",
          message: "No authenticator app is being set up, or it was begun more than 15 minutes ago. Begin again."
        })
      }
      const step = yield* totpStep(pending, code)
      if (step === null) return null
      yield* confirmTotp(pending.id, user_id, step)
      const recovery_codes = yield* codesFor(user_id, held)
      yield* audit(
        "factor.totp_add",
        { totp: held.totp },
        { totp: true, recovery_codes: recovery_codes?.length ?? null }
      )
      const added: FactorAdded = { recovery_codes, signed_in: yield* signedInAfter("totp") }
      return added
    })
  )
  if (added === null) {
    yield* failTries(tries, yield* findUser(user_id), originOf(caller), "factor.totp_wrong_code")
    return yield* wrongFirstCode
  }
  yield* takeBackTries(tries)
  yield* forgive(username)
  return added
})

export const beginPasskey = Effect.gen(function* () {
  yield* requireChange
  const sql = yield* SqlClient.SqlClient
  const { principal } = yield* CurrentCaller
  const account = yield* findUser(principal.user_id)
  if (account === null || principal.session_id === null) return yield* sessionEnded
  yield* sql.withTransaction(holdForChange)
  return yield* creationOptions(account.user, { session: principal.session_id })
})

export const endPasskey = Effect.fnUntraced(function* (name: string, response: PasskeyAttestation) {
  yield* requireChange
  const sql = yield* SqlClient.SqlClient
  const caller = yield* CurrentCaller
  const { session_id, user_id } = caller.principal
  if (session_id === null) return yield* sessionEnded
  const made = yield* Effect.catchTag(
    verifyAttestation(response, { session: session_id }),
    "PasskeyRefused",
    ({ reason }) => refusePasskey(originOf(caller), user_id, reason)
  )
  const added = yield* sql
    .withTransaction(
      Effect.gen(function* () {
        const held = yield* holdForChange
        const passkey = yield* insertPasskey(user_id, { name, ...made })
        const recovery_codes = yield* codesFor(user_id, held)
        yield* audit("factor.passkey_add", null, {
          id: passkey.id,
          name,
          recovery_codes: recovery_codes?.length ?? null
        })
        const added: PasskeyAdded = { passkey, recovery_codes, signed_in: yield* signedInAfter("passkey") }
        return added
      })
    )
    .pipe(Effect.tapErrorTag("Conflict", ({ code }) => audit("factor.passkey_refused", null, { code })))
  yield* forgive(caller.principal.username)
  return added
})

export const dropTotp = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const { principal } = yield* CurrentCaller
  yield* sql.withTransaction(
    Effect.gen(function* () {
      const { totp, passkeys } = yield* holdForChange
      if (!totp) return yield* new NotFound({ message: "There is no authenticator app to remove." })
      if (passkeys === 0) return yield* lastFactor
      yield* removeTotp(principal.user_id)
      yield* audit("factor.totp_remove", { totp: true }, { totp: false })
    })
  )
})

export const dropPasskey = Effect.fnUntraced(function* (id: PasskeyId) {
  const sql = yield* SqlClient.SqlClient
  const { principal } = yield* CurrentCaller
  yield* sql.withTransaction(
    Effect.gen(function* () {
      const { totp, passkeys } = yield* holdForChange
      const name = yield* removePasskey(principal.user_id, id)
      if (name === null) return yield* new NotFound({ message: "You have no such passkey." })
      if (!totp && passkeys === 1) return yield* lastFactor
      yield* audit("factor.passkey_remove", { id, name }, null)
    })
  )
})

export const renewCodes = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const { principal } = yield* CurrentCaller
  const codes = newRecoveryCodes()
  yield* sql.withTransaction(
    Effect.gen(function* () {
      const { recovery_codes: left } = yield* holdForChange
      yield* replaceRecoveryCodes(principal.user_id, codes)
      yield* audit("recovery_code.renew", { left }, { left: codes.length })
    })
  )
  const renewed: RecoveryCodes = { recovery_codes: codes }
  return renewed
})
