/** How far somebody got in signing in, and with what. */
import { Schema } from "effect"
import { SessionId, UserId } from "./Ids.ts"
import { Timestamp } from "./Timestamp.ts"

/** `password`: a second factor is owed. `enrolling`: there is none yet, so one has to be set up. `full`: signed in. */
export const SessionStage = Schema.Literals(["password", "enrolling", "full"]).annotate({ identifier: "SessionStage" })
export type SessionStage = typeof SessionStage.Type

/** How a session became a full one; `sealed` is the emergency account's recovery code, `machine` a start of the manager itself. */
export const SessionFactor = Schema.Literals(["totp", "passkey", "recovery_code", "sso", "sealed", "machine"]).annotate(
  { identifier: "SessionFactor" }
)
export type SessionFactor = typeof SessionFactor.Type

/** What a second factor can be given as. */
export const FactorKind = Schema.Literals(["totp", "passkey", "recovery_code"]).annotate({ identifier: "FactorKind" })
export type FactorKind = typeof FactorKind.Type

/** What somebody without a second factor can set up. */
export const EnrolmentKind = Schema.Literals(["totp", "passkey"]).annotate({ identifier: "EnrolmentKind" })
export type EnrolmentKind = typeof EnrolmentKind.Type

/** For so long a proof of who is asking counts as fresh. */
export const STEP_UP_SECONDS = 300

/** A session as its owner and administrators see it. */
export const SessionItem = Schema.Struct({
  id: SessionId,
  user: Schema.Struct({ id: UserId, username: Schema.String }),
  /** The session that asks. */
  current: Schema.Boolean,
  stage: SessionStage,
  /** Null until a second factor was given. */
  factor: Schema.NullOr(SessionFactor),
  signed_in_at: Timestamp,
  /** When its owner last did something; what a page does by itself does not count. */
  last_active_at: Timestamp,
  /** When it ends if its owner does nothing more. */
  expires_at: Timestamp,
  source_address: Schema.NullOr(Schema.String),
  user_agent: Schema.String
}).annotate({ identifier: "SessionItem" })
export type SessionItem = typeof SessionItem.Type
