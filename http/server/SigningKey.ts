/** Access tokens: short-lived JWTs, signed with Ed25519 and checked against exactly that. */
import { chmod, mkdir, open, readFile } from "node:fs/promises"
import { createPrivateKey, createPublicKey, generateKeyPairSync, hkdfSync } from "node:crypto"
import { dirname } from "node:path"
import { Context, Data, Effect, Layer, Schema } from "effect"
import * as jose from "jose"
import { Unauthorized } from "#core/Errors.ts"
import { SessionId, UserId } from "#core/Ids.ts"
import { WebConfig } from "./WebSettings.ts"

export const ACCESS_TOKEN_SECONDS = 900
const AUDIENCE = "patch-manager"
const TYPE = "at+jwt"

export class SigningKeyError extends Data.TaggedError("SigningKeyError")<{
  readonly file: string
  readonly cause: unknown
}> {
  override get message(): string {
    return `The signing key ${this.file} cannot be read: ${String(this.cause)}. Restore it from a backup, or delete it so that the next start makes a new one; everybody has to sign in again.`
  }
}

/** Makes the key file, mode 0600, where there is none. */
export const ensureSigningKey = async (file: string): Promise<void> => {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const handle = await open(file, "wx", 0o600).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "EEXIST") return null
    throw error
  })
  if (handle === null) return
  try {
    await handle.writeFile(generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }))
    await handle.sync()
  } finally {
    await handle.close()
  }
  await chmod(file, 0o600)
}

const Claims = Schema.Struct({ sub: UserId, sid: SessionId, exp: Schema.Number })
const decodeClaims = Schema.decodeUnknownEffect(Claims)

export interface AccessClaims {
  readonly user: UserId
  readonly session: SessionId
  readonly expiresAtMillis: number
}

const refused = new Unauthorized({ message: "The access token is not valid or has expired. Sign in again." })

const make = Effect.gen(function* () {
  const config = yield* WebConfig
  const file = config.jwtKeyFile
  const key = yield* Effect.tryPromise({
    try: async () => {
      const privateKey = createPrivateKey(await readFile(file))
      if (privateKey.asymmetricKeyType !== "ed25519") throw new TypeError("it is not an Ed25519 key")
      return { privateKey, publicKey: createPublicKey(privateKey) }
    },
    catch: (cause) => new SigningKeyError({ file, cause })
  })
  const secret = key.privateKey.export({ type: "pkcs8", format: "der" })
  return {
    sign: (user: UserId, session: SessionId): Effect.Effect<string> =>
      Effect.promise(() =>
        new jose.SignJWT({ sid: session })
          .setProtectedHeader({ alg: "EdDSA", typ: TYPE })
          .setSubject(user)
          .setIssuer(config.publicUrl)
          .setAudience(AUDIENCE)
          .setIssuedAt()
          .setExpirationTime(`${ACCESS_TOKEN_SECONDS}s`)
          .sign(key.privateKey)
      ),
    /** Unauthorized for anything but a token of ours that is still valid. */
    verify: Effect.fnUntraced(function* (token: string) {
      const verified = yield* Effect.tryPromise({
        try: () =>
          jose.jwtVerify(token, key.publicKey, {
            algorithms: ["EdDSA"],
            issuer: config.publicUrl,
            audience: AUDIENCE,
            typ: TYPE,
            requiredClaims: ["sub", "sid", "exp"]
          }),
        catch: () => refused
      })
      const { sub, sid, exp } = yield* Effect.mapError(decodeClaims(verified.payload), () => refused)
      const claims: AccessClaims = { user: sub, session: sid, expiresAtMillis: exp * 1000 }
      return claims
    }),
    /** The refresh token that follows this one: the same for everybody who asks, and known to nobody without the key. */
    successorOf: (refreshToken: string): string =>
      Buffer.from(hkdfSync("sha256", secret, refreshToken, "refresh-token", 32)).toString("base64url")
  }
})

export class SigningKey extends Context.Service<SigningKey, Effect.Success<typeof make>>()(
  "patch-manager/http/SigningKey"
) {
  static readonly layer = Layer.effect(SigningKey, make)
}
