/** Second factors: what somebody proves who he is with beside the password. */
import { Schema } from "effect"
import { PasskeyId } from "./Ids.ts"
import { Timestamp } from "./Timestamp.ts"

/** As typed; spaces are left out before it is compared. */
export const TotpCode = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(32))

/** As typed; case, spaces and dashes do not count. */
export const RecoveryCode = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(64))

export const PasskeyName = Schema.String.check(
  Schema.isMinLength(1),
  Schema.isMaxLength(64),
  Schema.makeFilter(
    (name) => (name.trim() === name && !/\p{Cc}/u.test(name)) || "must begin and end with a visible character"
  )
)

/** The six digits, without the spaces some write between them; null for anything else, such as digits of other scripts. */
export const readTotpCode = (typed: string): string | null => {
  const code = typed.replaceAll(" ", "")
  return /^[0-9]{6}$/.test(code) ? code : null
}

/** Without I, L, O and U, which are taken for something else (Crockford's base 32). */
export const RECOVERY_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

/** Sixteen characters, 80 bits, however they were typed; null for anything else. */
export const readRecoveryCode = (typed: string): string | null => {
  const code = typed.toUpperCase().replaceAll(/[\s-]/g, "").replaceAll("O", "0").replaceAll(/[IL]/g, "1")
  return /^[0-9A-HJKMNP-TV-Z]{16}$/.test(code) ? code : null
}

/** How many recovery codes somebody gets at once. */
export const RECOVERY_CODES = 10

/** A challenge for a passkey counts for so long. */
export const CHALLENGE_SECONDS = 300

/** A passkey as its owner sees it. */
export const PasskeyItem = Schema.Struct({
  id: PasskeyId,
  name: Schema.String,
  created_at: Timestamp,
  /** Null until it was used to sign in. */
  last_used_at: Schema.NullOr(Timestamp)
}).annotate({ identifier: "PasskeyItem" })
export type PasskeyItem = typeof PasskeyItem.Type
