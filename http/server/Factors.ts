/** The second factors of the contract: giving one, signing in with a passkey alone, and keeping one's own. */
import { Effect } from "effect"
import { HttpServerRequest } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { Api } from "#http/api/Api.ts"
import { RequestId } from "#http/api/Errors.ts"
import type { PasskeyAssertion } from "#http/api/WebAuthn.ts"
import { forgive } from "#sql/LockStore.ts"
import { findUser } from "#sql/UserStore.ts"
import {
  beginPasskey,
  beginTotp,
  dropPasskey,
  dropTotp,
  endPasskey,
  endTotp,
  readFactors,
  renewCodes
} from "./changeFactors.ts"
import { askPasskey, givePasskey, giveRecoveryCode, giveTotp, refusePasskey, usePasskey } from "./giveFactor.ts"
import { randomToken, tokenHash } from "./opaqueToken.ts"
import { PasskeyRefused, requestOptions, verifyAssertion } from "./passkeyCeremony.ts"
import { readPasskeyCookie, setPasskeyCookie } from "./passkeyCookie.ts"
import { requireSameOrigin } from "./refreshCookie.ts"
import { sessionEnded, signInAs } from "./signIn.ts"
import { sourceAddress } from "./sourceAddress.ts"
import { answered } from "./translate.ts"

const askAnyPasskey = Effect.gen(function* () {
  yield* requireSameOrigin
  const browser = randomToken()
  yield* setPasskeyCookie(browser)
  return yield* requestOptions("first_factor", { browserHash: tokenHash(browser) }, null)
})

/** A passkey opens although the password is paused, but not an account that signs in elsewhere or was disabled. */
const signInWithPasskey = Effect.fnUntraced(function* (response: PasskeyAssertion) {
  yield* requireSameOrigin
  const request = yield* HttpServerRequest.HttpServerRequest
  const check = Effect.gen(function* () {
    const browser = readPasskeyCookie(request)
    if (browser === null) return yield* new PasskeyRefused({ reason: "the browser did not ask for a challenge" })
    const { passkey, signCount } = yield* verifyAssertion(response, "first_factor", { browserHash: tokenHash(browser) })
    const account = yield* findUser(passkey.user_id)
    if (account === null || account.disabled) return yield* new PasskeyRefused({ reason: "the account is disabled" })
    if (passkey.origin === "sso") {
      return yield* new PasskeyRefused({ reason: "the account signs in at its identity provider" })
    }
    yield* usePasskey(passkey, account.user.username, signCount)
    return account
  })
  const origin = {
    actor: { kind: "anonymous", id: "-", name: "passkey" } as const,
    request_id: yield* RequestId,
    source_address: sourceAddress(request)
  }
  const account = yield* Effect.catchTag(check, "PasskeyRefused", ({ reason }) => refusePasskey(origin, "-", reason))
  const result = yield* signInAs(account, { stage: "full", factor: "passkey" })
  if (result.status !== "signed_in") return yield* sessionEnded
  yield* forgive(account.user.username)
  return result
})

export const layer = HttpApiBuilder.group(Api, "factors", (handlers) =>
  handlers.handleAll({
    giveTotp: ({ payload }) => answered(giveTotp(payload.code)),
    giveRecoveryCode: ({ payload }) => answered(giveRecoveryCode(payload.code)),
    askPasskey: () => answered(askPasskey),
    givePasskey: ({ payload }) => answered(givePasskey(payload.response)),
    askAnyPasskey: () => answered(askAnyPasskey),
    signInWithPasskey: ({ payload }) => answered(signInWithPasskey(payload.response)),
    startTotp: () => answered(beginTotp),
    confirmTotp: ({ payload }) => answered(endTotp(payload.code)),
    startPasskey: () => answered(beginPasskey),
    addPasskey: ({ payload }) => answered(endPasskey(payload.name, payload.response)),
    factors: () => answered(readFactors),
    removeTotp: () => answered(dropTotp),
    removePasskey: ({ params }) => answered(dropPasskey(params.id)),
    renewRecoveryCodes: () => answered(renewCodes)
  })
)
