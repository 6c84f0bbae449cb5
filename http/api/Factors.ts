/** Giving a second factor, signing in with a passkey alone, and one's own factors. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { PasskeyItem, PasskeyName, RecoveryCode, TotpCode } from "#core/Factor.ts"
import { PasskeyId } from "#core/Ids.ts"
import { Timestamp } from "#core/Timestamp.ts"
import { AllowedStage, RequiresStepUp } from "./AllowedStage.ts"
import { SignedIn } from "./Auth.ts"
import { Authentication } from "./Authentication.ts"
import { ConflictWire, ForbiddenWire, NotFoundWire, TooManyRequestsWire, UnauthorizedWire } from "./Errors.ts"
import { RequiredPermission } from "./RequiredPermission.ts"
import { PasskeyAssertion, PasskeyAttestation, PasskeyCreationOptions, PasskeyRequestOptions } from "./WebAuthn.ts"

export const Factors = Schema.Struct({
  totp: Schema.NullOr(Schema.Struct({ enrolled_at: Timestamp })),
  passkeys: Schema.Array(PasskeyItem),
  recovery_codes_left: Schema.Int
}).annotate({ identifier: "Factors" })
export type Factors = typeof Factors.Type

/** The secret counts only after a first code of it was given, within 15 minutes. */
export const TotpStarted = Schema.Struct({
  /** Base32, for typing it in. */
  secret: Schema.String,
  otpauth_uri: Schema.String,
  /** The same as a picture to scan: an SVG document. */
  qr_svg: Schema.String
}).annotate({ identifier: "TotpStarted" })
export type TotpStarted = typeof TotpStarted.Type

const codes = Schema.NullOr(Schema.Array(Schema.String))

export const FactorAdded = Schema.Struct({
  /** With the first factor only: shown once, kept as hashes. */
  recovery_codes: codes,
  signed_in: SignedIn
}).annotate({ identifier: "FactorAdded" })
export type FactorAdded = typeof FactorAdded.Type

export const PasskeyAdded = Schema.Struct({
  passkey: PasskeyItem,
  recovery_codes: codes,
  signed_in: SignedIn
}).annotate({
  identifier: "PasskeyAdded"
})
export type PasskeyAdded = typeof PasskeyAdded.Type

export const RecoveryCodes = Schema.Struct({ recovery_codes: Schema.Array(Schema.String) }).annotate({
  identifier: "RecoveryCodes"
})
export type RecoveryCodes = typeof RecoveryCodes.Type

const refusals = [UnauthorizedWire, ForbiddenWire, TooManyRequestsWire] as const
const code = { payload: Schema.Struct({ code: TotpCode }) }

/** A factor is given: ends a half-done sign-in, or proves anew who is asking. */
const giving = [
  HttpApiEndpoint.post("giveTotp", "/mfa/totp", { ...code, success: SignedIn, error: refusals })
    .middleware(Authentication)
    .annotate(AllowedStage, "password")
    .annotate(RequiredPermission, "account:change"),
  HttpApiEndpoint.post("giveRecoveryCode", "/mfa/recovery-code", {
    payload: Schema.Struct({ code: RecoveryCode }),
    success: SignedIn,
    error: refusals
  })
    .middleware(Authentication)
    .annotate(AllowedStage, "password")
    .annotate(RequiredPermission, "account:change"),
  HttpApiEndpoint.post("askPasskey", "/mfa/passkey/options", { success: PasskeyRequestOptions, error: ForbiddenWire })
    .middleware(Authentication)
    .annotate(AllowedStage, "password")
    .annotate(RequiredPermission, "account:change"),
  HttpApiEndpoint.post("givePasskey", "/mfa/passkey", {
    payload: Schema.Struct({ response: PasskeyAssertion }),
    success: SignedIn,
    error: refusals
  })
    .middleware(Authentication)
    .annotate(AllowedStage, "password")
    .annotate(RequiredPermission, "account:change")
] as const

/** A passkey as the only thing given: it is two factors in one, as the device asks for a finger or a PIN. */
const signingIn = [
  HttpApiEndpoint.post("askAnyPasskey", "/passkey/options", {
    success: PasskeyRequestOptions,
    error: [ForbiddenWire, TooManyRequestsWire]
  }).annotate(RequiredPermission, "public"),
  HttpApiEndpoint.post("signInWithPasskey", "/passkey", {
    payload: Schema.Struct({ response: PasskeyAssertion }),
    success: SignedIn,
    error: refusals
  }).annotate(RequiredPermission, "public")
] as const

/** With no factor yet these end the sign-in; a full session has to have fresh proof, which the handlers ask for. */
const enrolling = [
  HttpApiEndpoint.post("startTotp", "/factors/totp", { success: TotpStarted, error: [ForbiddenWire, ConflictWire] })
    .middleware(Authentication)
    .annotate(AllowedStage, "enrolling")
    .annotate(RequiredPermission, "account:change"),
  HttpApiEndpoint.post("confirmTotp", "/factors/totp/confirm", {
    ...code,
    success: FactorAdded,
    error: [ForbiddenWire, ConflictWire, TooManyRequestsWire]
  })
    .middleware(Authentication)
    .annotate(AllowedStage, "enrolling")
    .annotate(RequiredPermission, "account:change"),
  HttpApiEndpoint.post("startPasskey", "/factors/passkeys/options", {
    success: PasskeyCreationOptions,
    error: [ForbiddenWire, ConflictWire]
  })
    .middleware(Authentication)
    .annotate(AllowedStage, "enrolling")
    .annotate(RequiredPermission, "account:change"),
  HttpApiEndpoint.post("addPasskey", "/factors/passkeys", {
    payload: Schema.Struct({ name: PasskeyName, response: PasskeyAttestation }),
    success: PasskeyAdded,
    error: [ForbiddenWire, ConflictWire]
  })
    .middleware(Authentication)
    .annotate(AllowedStage, "enrolling")
    .annotate(RequiredPermission, "account:change")
] as const

const keeping = [
  HttpApiEndpoint.get("factors", "/factors", { success: Factors })
    .middleware(Authentication)
    .annotate(AllowedStage, "enrolling")
    .annotate(RequiredPermission, "account:read"),
  HttpApiEndpoint.delete("removeTotp", "/factors/totp", {
    success: HttpApiSchema.NoContent,
    error: [NotFoundWire, ConflictWire]
  })
    .middleware(Authentication)
    .annotate(RequiresStepUp, true)
    .annotate(RequiredPermission, "account:change"),
  HttpApiEndpoint.delete("removePasskey", "/factors/passkeys/:id", {
    params: { id: PasskeyId },
    success: HttpApiSchema.NoContent,
    error: [NotFoundWire, ConflictWire]
  })
    .middleware(Authentication)
    .annotate(RequiresStepUp, true)
    .annotate(RequiredPermission, "account:change"),
  HttpApiEndpoint.post("renewRecoveryCodes", "/factors/recovery-codes", { success: RecoveryCodes, error: ConflictWire })
    .middleware(Authentication)
    .annotate(RequiresStepUp, true)
    .annotate(RequiredPermission, "account:change")
] as const

export class FactorGroup extends HttpApiGroup.make("factors")
  .add(...giving)
  .add(...signingIn)
  .add(...enrolling)
  .add(...keeping)
  .prefix("/api/v1/auth")
  .annotateMerge(OpenApi.annotations({ title: "Second factors" })) {}
