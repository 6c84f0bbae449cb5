/** Accounts as administrators and auditors see them, and what administrators change about them. */
import { Schema } from "effect"
import { GroupId, UserId } from "./Ids.ts"
import { Role } from "./Permission.ts"
import { Timestamp } from "./Timestamp.ts"

/** Small letters of ASCII only, so that no two names look alike. */
export const Username = Schema.String.check(
  Schema.isPattern(/^[a-z0-9][a-z0-9._@-]{0,63}$/, {
    expected: "up to 64 small letters, digits and . _ - @, beginning with a letter or a digit"
  })
)

const DisplayName = Schema.String.check(
  Schema.isTrimmed(),
  Schema.isMinLength(1),
  Schema.isMaxLength(200),
  // oxlint-disable-next-line no-control-regex
  Schema.isPattern(/^[^\u0000-\u001f\u007f-\u009f]*$/, { expected: "no control characters" })
)

const Email = Schema.String.check(
  Schema.isMaxLength(254),
  Schema.isPattern(/^[^\s@<>"]{1,64}@[^\s@<>"]{1,189}$/, { expected: "a mail address" })
)

const GroupIds = Schema.Array(GroupId).check(Schema.isMaxLength(500), Schema.isUnique())

/** Who vouches for the person: a password here, the identity provider, or the sealed password for emergencies. */
export const UserOrigin = Schema.Literals(["local", "sso", "break_glass"]).annotate({ identifier: "UserOrigin" })
export type UserOrigin = typeof UserOrigin.Type

export const UserAccount = Schema.Struct({
  id: UserId,
  username: Schema.String,
  display_name: Schema.String,
  email: Schema.NullOr(Schema.String),
  role: Role,
  origin: UserOrigin,
  /** Cannot sign in until an administrator enables the account again. */
  disabled: Schema.Boolean,
  /** The password is not tried for a while after too many wrong ones; a passkey still is. */
  locked: Schema.Boolean,
  must_change_password: Schema.Boolean,
  /** Which second factors are enrolled. */
  factors: Schema.Struct({ totp: Schema.Boolean, passkeys: Schema.Int }),
  groups: Schema.Array(Schema.Struct({ id: GroupId, name: Schema.String })),
  last_sign_in_at: Schema.NullOr(Timestamp),
  created_at: Timestamp,
  /** Grows with each edit; the ETag. */
  version: Schema.Int
}).annotate({ identifier: "UserAccount" })
export type UserAccount = typeof UserAccount.Type

export const NewUser = Schema.Struct({
  username: Username,
  display_name: DisplayName,
  role: Role,
  group_ids: GroupIds,
  email: Schema.optionalKey(Email)
}).annotate({ identifier: "NewUser" })
export type NewUser = typeof NewUser.Type

/** Keys left out stay as they are. */
export const UserChange = Schema.Struct({
  display_name: Schema.optionalKey(DisplayName),
  email: Schema.optionalKey(Schema.NullOr(Email)),
  role: Schema.optionalKey(Role),
  group_ids: Schema.optionalKey(GroupIds),
  disabled: Schema.optionalKey(Schema.Boolean)
}).annotate({ identifier: "UserChange" })
export type UserChange = typeof UserChange.Type

/** Said once: it is kept nowhere. Null where the request was sent again; a reset gives another one. */
export const UserMade = Schema.Struct({
  user: UserAccount,
  temporary_password: Schema.NullOr(Schema.String)
}).annotate({ identifier: "UserMade" })
export type UserMade = typeof UserMade.Type

/** Has to be changed at the next sign-in. */
export const PasswordReset = Schema.Struct({
  temporary_password: Schema.String,
  sessions_ended: Schema.Int
}).annotate({ identifier: "PasswordReset" })
export type PasswordReset = typeof PasswordReset.Type

export const FactorsReset = Schema.Struct({
  /** Second factors that were taken away, recovery codes aside. */
  factors_removed: Schema.Int,
  sessions_ended: Schema.Int
}).annotate({ identifier: "FactorsReset" })
export type FactorsReset = typeof FactorsReset.Type

export const UserSort = Schema.Literals([
  "username",
  "-username",
  "display_name",
  "-display_name",
  "last_sign_in",
  "-last_sign_in",
  "created",
  "-created"
])
export type UserSort = typeof UserSort.Type
