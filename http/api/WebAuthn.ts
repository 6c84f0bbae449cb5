/** What a browser and the manager tell each other about passkeys: the JSON forms of Web Authentication Level 3, §5.1. */
import { Schema } from "effect"

const base64url = (maximum: number) =>
  Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(maximum), Schema.isPattern(/^[A-Za-z0-9_-]+$/))

const credential = {
  id: base64url(1400),
  rawId: base64url(1400),
  type: Schema.Literal("public-key"),
  authenticatorAttachment: Schema.optionalKey(Schema.NullOr(Schema.String.check(Schema.isMaxLength(32)))),
  /** Not looked at. */
  clientExtensionResults: Schema.optionalKey(Schema.Record(Schema.String, Schema.Unknown))
}

const Descriptor = Schema.Struct({
  id: Schema.String,
  type: Schema.Literal("public-key"),
  transports: Schema.optionalKey(Schema.Array(Schema.String))
})

export const PasskeyRequestOptions = Schema.Struct({
  challenge: Schema.String,
  /** Milliseconds. */
  timeout: Schema.Int,
  rpId: Schema.String,
  /** Left out where the browser shall offer what it has. */
  allowCredentials: Schema.optionalKey(Schema.Array(Descriptor)),
  userVerification: Schema.Literal("required")
}).annotate({ identifier: "PasskeyRequestOptions" })
export type PasskeyRequestOptions = typeof PasskeyRequestOptions.Type

export const PasskeyCreationOptions = Schema.Struct({
  challenge: Schema.String,
  timeout: Schema.Int,
  rp: Schema.Struct({ name: Schema.String, id: Schema.String }),
  user: Schema.Struct({ id: Schema.String, name: Schema.String, displayName: Schema.String }),
  /** COSE algorithm numbers: EdDSA, ES256 or RS256. */
  pubKeyCredParams: Schema.Array(Schema.Struct({ alg: Schema.Int, type: Schema.Literal("public-key") })),
  excludeCredentials: Schema.Array(Descriptor),
  authenticatorSelection: Schema.Struct({
    residentKey: Schema.Literal("required"),
    requireResidentKey: Schema.Boolean,
    userVerification: Schema.Literal("required")
  }),
  attestation: Schema.Literal("none")
}).annotate({ identifier: "PasskeyCreationOptions" })
export type PasskeyCreationOptions = typeof PasskeyCreationOptions.Type

/** What `navigator.credentials.get` answers. */
export const PasskeyAssertion = Schema.Struct({
  ...credential,
  response: Schema.Struct({
    clientDataJSON: base64url(4096),
    authenticatorData: base64url(8192),
    signature: base64url(4096),
    userHandle: Schema.optionalKey(Schema.NullOr(Schema.String.check(Schema.isMaxLength(128))))
  })
}).annotate({ identifier: "PasskeyAssertion" })
export type PasskeyAssertion = typeof PasskeyAssertion.Type

/** What `navigator.credentials.create` answers. */
export const PasskeyAttestation = Schema.Struct({
  ...credential,
  response: Schema.Struct({
    clientDataJSON: base64url(4096),
    attestationObject: base64url(32_768),
    transports: Schema.optionalKey(
      Schema.Array(Schema.String.check(Schema.isMaxLength(32))).check(Schema.isMaxLength(8))
    ),
    authenticatorData: Schema.optionalKey(base64url(8192)),
    publicKey: Schema.optionalKey(base64url(8192)),
    publicKeyAlgorithm: Schema.optionalKey(Schema.Int)
  })
}).annotate({ identifier: "PasskeyAttestation" })
export type PasskeyAttestation = typeof PasskeyAttestation.Type
