/**
 * Access tokens: short-lived JWTs, signed with Ed25519 and checked against exactly that. The key is replaced every 90 days, and
 * what the one before signed counts for 24 hours more. Web processes share the private key's file and tell each other the public
 * halves through the database.
 */
import { createPublicKey, hkdfSync, type KeyObject } from "node:crypto"
import { Context, Data, Effect, Layer, Schedule, Schema } from "effect"
import { SqlClient } from "effect/sql"
import * as jose from "jose"
import { Unauthorized } from "#core/Errors.ts"
import { SessionId, UserId } from "#core/Ids.ts"
import { newRequestId } from "#core/newId.ts"
import { announceKey, trustedKeys, withKeysLocked } from "#sql/SigningKeyStore.ts"
import { makeRateLimit } from "./rateLimit.ts"
import { type KeyPair, readSigningKey, replaceSigningKey } from "./signingKeyFile.ts"
import { WebConfig } from "./WebSettings.ts"

export const ACCESS_TOKEN_SECONDS = 900
const AUDIENCE = "patch-manager"
const TYPE = "at+jwt"
const ROTATE_AFTER_DAYS = 90
const OVERLAP_HOURS = 24
const LOOK_AGAIN = "1 minute"
/**
 * A key nobody knows makes us look at the database, so that what another process has just signed counts at once; whoever makes
 * such keys up uses up the looks in store, and then a new key may have to wait for a second.
 */
const LOOKS_FOR_UNKNOWN = { per_minute: 60, burst: 30, capacity: 1 }

export class SigningKeyError extends Data.TaggedError("SigningKeyError")<{
  readonly file: string
  readonly cause: unknown
}> {
  override get message(): string {
    return `The signing key ${this.file} cannot be read or replaced: ${String(this.cause)}. Make it readable for the web process alone, or delete it so that the next start makes a new one.`
  }
}

const Claims = Schema.Struct({ sub: UserId, sid: SessionId, exp: Schema.Number })
const decodeClaims = Schema.decodeUnknownEffect(Claims)

export interface AccessClaims {
  readonly user: UserId
  readonly session: SessionId
  readonly expiresAtMillis: number
  /** The key it was signed with. */
  readonly kid: string
}

const refused = new Unauthorized({ message: "The access token is not valid or has expired. Sign in again." })

const headerKeys = ["alg", "kid", "typ"]

/** The key a token names, from a header that says nothing else. */
const kidOf = (token: string): string | null => {
  try {
    const header = jose.decodeProtectedHeader(token)
    return Object.keys(header).toSorted().join() === headerKeys.join() ? (header.kid ?? null) : null
  } catch {
    return null
  }
}

const make = Effect.gen(function* () {
  const config = yield* WebConfig
  const sql = yield* SqlClient.SqlClient
  const file = config.jwtKeyFile
  const attempt = <A>(run: () => Promise<A>) =>
    Effect.tryPromise({ try: run, catch: (cause) => new SigningKeyError({ file, cause }) })
  const origin = () => ({
    actor: { kind: "machine", id: "web", name: "web process" } as const,
    request_id: newRequestId(),
    source_address: "local"
  })
  const announce = ({ kid, publicKey }: KeyPair, overlapHours: number) =>
    announceKey(
      origin(),
      { kid, public_key_pem: publicKey.export({ type: "spki", format: "pem" }).toString() },
      overlapHours
    )

  /** The file's key, known to everybody and not too old. A key that nobody announced replaces one that was lost: at once. */
  const take = withKeysLocked(
    Effect.gen(function* () {
      const found = yield* attempt(() => readSigningKey(file))
      yield* announce(found, 0)
      const known = (yield* trustedKeys).find(({ kid }) => kid === found.kid)
      if (known?.in_use === true && known.age_days < ROTATE_AFTER_DAYS) return found
      const next = yield* attempt(() => replaceSigningKey(file))
      yield* announce(next, OVERLAP_HOURS)
      yield* Effect.logInfo("The key for access tokens was replaced; the one before counts for a day more")
      return next
    })
  )

  const look = Effect.gen(function* () {
    const current = yield* take
    const keys = new Map<string, KeyObject>()
    for (const { kid, public_key_pem } of yield* trustedKeys) keys.set(kid, createPublicKey(public_key_pem))
    return { current, keys, secret: current.privateKey.export({ type: "pkcs8", format: "der" }) }
  }).pipe(Effect.provideService(SqlClient.SqlClient, sql))

  let now = yield* look
  const mustWait = makeRateLimit(LOOKS_FOR_UNKNOWN)
  const lookAgain = Effect.matchCauseEffect(look, {
    onFailure: (cause) =>
      Effect.logWarning("The keys for access tokens could not be looked at; this is tried again", cause),
    onSuccess: (found) =>
      Effect.sync(() => {
        now = found
      })
  })
  yield* Effect.forkScoped(Effect.repeat(Effect.delay(lookAgain, LOOK_AGAIN), Schedule.forever))

  const keyOf = Effect.fnUntraced(function* (kid: string) {
    if (!now.keys.has(kid) && mustWait("unknown") === 0) yield* lookAgain
    return now.keys.get(kid)
  })

  return {
    sign: (user: UserId, session: SessionId): Effect.Effect<string> =>
      Effect.promise(() =>
        new jose.SignJWT({ sid: session })
          .setProtectedHeader({ alg: "EdDSA", typ: TYPE, kid: now.current.kid })
          .setSubject(user)
          .setIssuer(config.publicUrl)
          .setAudience(AUDIENCE)
          .setIssuedAt()
          .setExpirationTime(`${ACCESS_TOKEN_SECONDS}s`)
          .sign(now.current.privateKey)
      ),
    /** Unauthorized for anything but a token of ours that is still valid. */
    verify: Effect.fnUntraced(function* (token: string) {
      const kid = kidOf(token)
      const key = kid === null ? undefined : yield* keyOf(kid)
      if (kid === null || key === undefined) return yield* refused
      const verified = yield* Effect.tryPromise({
        try: () =>
          jose.jwtVerify(token, key, {
            algorithms: ["EdDSA"],
            issuer: config.publicUrl,
            audience: AUDIENCE,
            typ: TYPE,
            requiredClaims: ["sub", "sid", "iat", "exp"]
          }),
        catch: () => refused
      })
      const { sub, sid, exp } = yield* Effect.mapError(decodeClaims(verified.payload), () => refused)
      const claims: AccessClaims = { user: sub, session: sid, expiresAtMillis: exp * 1000, kid }
      return claims
    }),
    /** Whether what this key signed still counts. */
    trusts: (kid: string): boolean => now.keys.has(kid),
    /** The refresh token that follows this one: the same for everybody who asks, and known to nobody without the key. */
    successorOf: (refreshToken: string): string =>
      Buffer.from(hkdfSync("sha256", now.secret, refreshToken, "refresh-token", 32)).toString("base64url")
  }
})

export class SigningKey extends Context.Service<SigningKey, Effect.Success<typeof make>>()(
  "patch-manager/http/SigningKey"
) {
  static readonly layer = Layer.effect(SigningKey, make)
}
