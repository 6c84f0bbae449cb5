/** API tokens of scripts, as their owners and administrators see them. */
import { Schema } from "effect"
import { GroupId, TokenId, UserId } from "./Ids.ts"
import { Permission } from "./Permission.ts"
import { Timestamp } from "./Timestamp.ts"

/** No token outlives a year. */
export const TOKEN_DAYS = 365

export const ApiToken = Schema.Struct({
  id: TokenId,
  name: Schema.String,
  /** Whose rights bound it. */
  user: Schema.Struct({ id: UserId, username: Schema.String }),
  permissions: Schema.Array(Permission),
  /** Groups it is bounded to; null for all that its owner sees. */
  group_ids: Schema.NullOr(Schema.Array(GroupId)),
  created_at: Timestamp,
  expires_at: Timestamp,
  /** To the minute. */
  last_used_at: Schema.NullOr(Timestamp),
  revoked_at: Schema.NullOr(Timestamp)
}).annotate({ identifier: "ApiToken" })
export type ApiToken = typeof ApiToken.Type

export const TokenName = Schema.String.check(
  Schema.isTrimmed(),
  Schema.isMinLength(1),
  Schema.isMaxLength(100),
  // oxlint-disable-next-line no-control-regex
  Schema.isPattern(/^[^\u0000-\u001f\u007f-\u009f]*$/, { expected: "no control characters" })
)

export const NewApiToken = Schema.Struct({
  name: TokenName,
  permissions: Schema.Array(Permission).check(Schema.isMinLength(1), Schema.isUnique()),
  expires_in_days: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: TOKEN_DAYS })),
  /** Bounds the token to these groups: it then sees what an operator of them sees. */
  group_ids: Schema.optionalKey(
    Schema.Array(GroupId).check(Schema.isMinLength(1), Schema.isMaxLength(100), Schema.isUnique())
  )
}).annotate({ identifier: "NewApiToken" })
export type NewApiToken = typeof NewApiToken.Type

/** Shown once: only its hash is kept. Null where the same request was sent again. */
export const ApiTokenMade = Schema.Struct({ ...ApiToken.fields, token: Schema.NullOr(Schema.String) }).annotate({
  identifier: "ApiTokenMade"
})
export type ApiTokenMade = typeof ApiTokenMade.Type
