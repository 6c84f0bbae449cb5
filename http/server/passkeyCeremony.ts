/** Challenges for passkeys and what devices answer to them: Web Authentication Level 3, §7.1 and §7.2. */
import { randomBytes } from "node:crypto"
import { verifyAuthenticationResponse, verifyRegistrationResponse } from "@simplewebauthn/server"
import { Data, Effect, Schema } from "effect"
import { CHALLENGE_SECONDS } from "#core/Factor.ts"
import type { User } from "#core/User.ts"
import type {
  PasskeyAssertion,
  PasskeyAttestation,
  PasskeyCreationOptions,
  PasskeyRequestOptions
} from "#http/api/WebAuthn.ts"
import {
  type ChallengeHolder,
  type ChallengePurpose,
  findPasskey,
  keepChallenge,
  type Passkey,
  passkeysOf,
  takeChallenge
} from "#sql/PasskeyStore.ts"
import { WebConfig } from "./WebSettings.ts"

/** Why a device's answer does not count; for the audit log, not for the caller. */
export class PasskeyRefused extends Data.TaggedError("PasskeyRefused")<{ readonly reason: string }> {}

/** ES256, EdDSA and RS256 in the order they are preferred (RFC 9053). */
const algorithms = [-8, -7, -257]
const TIMEOUT_MILLIS = CHALLENGE_SECONDS * 1000

const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url")
const bytesOf = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(text, "base64url"))

/** How a device knows an account again: the bytes of its id. */
const userHandle = (user: string): Uint8Array => Buffer.from(user.replaceAll("-", ""), "hex")

const site = Effect.map(WebConfig, ({ publicUrl }) => ({
  origin: new URL(publicUrl).origin,
  rpId: new URL(publicUrl).hostname
}))

const descriptor = ({ credential_id, transports }: Passkey) => ({
  id: base64url(credential_id),
  type: "public-key" as const,
  transports: [...transports]
})

const newChallenge = Effect.fnUntraced(function* (purpose: ChallengePurpose, holder: ChallengeHolder) {
  const challenge = base64url(randomBytes(32))
  yield* keepChallenge(challenge, purpose, holder)
  return challenge
})

/** For one of these passkeys, or for any where none are named. */
export const requestOptions = Effect.fnUntraced(function* (
  purpose: ChallengePurpose,
  holder: ChallengeHolder,
  passkeys: ReadonlyArray<Passkey> | null
) {
  const { rpId } = yield* site
  const options: PasskeyRequestOptions = {
    challenge: yield* newChallenge(purpose, holder),
    timeout: TIMEOUT_MILLIS,
    rpId,
    ...(passkeys === null ? {} : { allowCredentials: passkeys.map(descriptor) }),
    userVerification: "required"
  }
  return options
})

export const creationOptions = Effect.fnUntraced(function* (user: User, holder: ChallengeHolder) {
  const { rpId } = yield* site
  const options: PasskeyCreationOptions = {
    challenge: yield* newChallenge("registration", holder),
    timeout: TIMEOUT_MILLIS,
    rp: { name: "Linux Patch Manager", id: rpId },
    user: { id: base64url(userHandle(user.id)), name: user.username, displayName: user.display_name },
    pubKeyCredParams: algorithms.map((alg) => ({ alg, type: "public-key" as const })),
    excludeCredentials: (yield* passkeysOf(user.id)).map(descriptor),
    authenticatorSelection: { residentKey: "required", requireResidentKey: true, userVerification: "required" },
    attestation: "none"
  }
  return options
})

const ClientData = Schema.fromJsonString(
  Schema.Struct({
    challenge: Schema.String,
    crossOrigin: Schema.optionalKey(Schema.Unknown),
    topOrigin: Schema.optionalKey(Schema.Unknown)
  })
)
const readClientData = Schema.decodeUnknownEffect(ClientData)

const refuse = (reason: string) => Effect.fail(new PasskeyRefused({ reason }))

/** Uses the challenge up before anything else is looked at: whatever follows, it counts no second time. */
const challengeOf = Effect.fnUntraced(function* (
  clientDataJSON: string,
  purpose: ChallengePurpose,
  holder: ChallengeHolder
) {
  const data = yield* readClientData(Buffer.from(clientDataJSON, "base64url").toString("utf8")).pipe(
    Effect.mapError(() => new PasskeyRefused({ reason: "the client data cannot be read" }))
  )
  const mine = yield* takeChallenge(data.challenge, purpose, holder)
  if (!mine) return yield* refuse("the challenge is unknown, used, too old or was given to somebody else")
  // A page in another site's frame; a browser that says nothing means false.
  if ((data.crossOrigin ?? false) !== false || data.topOrigin !== undefined) {
    return yield* refuse("the page was shown inside another site's")
  }
  return data.challenge
})

const verified = <A>(check: () => Promise<A>): Effect.Effect<A, PasskeyRefused> =>
  Effect.tryPromise({
    try: check,
    // The library's words tell which check failed, and hold what the caller sent.
    catch: (cause) =>
      new PasskeyRefused({ reason: (cause instanceof Error ? cause.message : String(cause)).slice(0, 200) })
  })

/** The passkey that signed, and its counter; whose it is, is the caller's to compare. */
export const verifyAssertion = Effect.fnUntraced(function* (
  response: PasskeyAssertion,
  purpose: ChallengePurpose,
  holder: ChallengeHolder
) {
  const { origin, rpId } = yield* site
  const challenge = yield* challengeOf(response.response.clientDataJSON, purpose, holder)
  const passkey = yield* findPasskey(bytesOf(response.id))
  if (passkey === null) return yield* refuse("nobody has this passkey")
  const { userHandle: handle } = response.response
  const named = handle === undefined || handle === null ? null : bytesOf(handle)
  if (named === null ? purpose === "first_factor" : !Buffer.from(named).equals(userHandle(passkey.user_id))) {
    return yield* refuse("the passkey is another account's")
  }
  const { clientDataJSON, authenticatorData, signature } = response.response
  const result = yield* verified(() =>
    verifyAuthenticationResponse({
      response: {
        id: response.id,
        rawId: response.rawId,
        type: response.type,
        clientExtensionResults: {},
        response: { clientDataJSON, authenticatorData, signature }
      },
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: rpId,
      requireUserVerification: true,
      credential: {
        id: base64url(passkey.credential_id),
        publicKey: Uint8Array.from(passkey.public_key),
        // Compared in the database, where two uses at once cannot both be the next.
        counter: 0
      }
    })
  )
  if (!result.verified) return yield* refuse("the signature is not this passkey's")
  return { passkey, signCount: result.authenticationInfo.newCounter }
})

/** A new passkey, not yet kept. */
export const verifyAttestation = Effect.fnUntraced(function* (response: PasskeyAttestation, holder: ChallengeHolder) {
  const { origin, rpId } = yield* site
  const challenge = yield* challengeOf(response.response.clientDataJSON, "registration", holder)
  const { clientDataJSON, attestationObject, transports = [] } = response.response
  const result = yield* verified(() =>
    verifyRegistrationResponse({
      response: {
        id: response.id,
        rawId: response.rawId,
        type: response.type,
        clientExtensionResults: {},
        response: { clientDataJSON, attestationObject }
      },
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: rpId,
      requireUserVerification: true,
      supportedAlgorithmIDs: algorithms
    })
  )
  if (!result.verified) return yield* refuse("the attestation does not hold")
  const { credential } = result.registrationInfo
  if (credential.id !== response.id) return yield* refuse("the credential's id is not the one the device signed")
  return {
    credential_id: bytesOf(credential.id),
    public_key: credential.publicKey,
    sign_count: credential.counter,
    transports
  }
})
