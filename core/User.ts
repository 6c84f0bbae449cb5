/** People who sign in, and who is asking when something is done. */
import { Schema } from "effect"
import { UserId, type GroupId, type SessionId, type TokenId } from "./Ids.ts"
import { Permission, Role } from "./Permission.ts"
import { Timestamp } from "./Timestamp.ts"

/** Accepted whole, whatever characters it has. */
export const NewPassword = Schema.String.check(Schema.isMinLength(12), Schema.isMaxLength(256))

export const User = Schema.Struct({
  id: UserId,
  username: Schema.String,
  display_name: Schema.String,
  role: Role,
  permissions: Schema.Array(Permission),
  must_change_password: Schema.Boolean,
  created_at: Timestamp
}).annotate({ identifier: "User" })
export type User = typeof User.Type

/** Somebody whose credential was checked for this request. */
export interface Principal {
  readonly kind: "user" | "token"
  readonly user_id: UserId
  readonly username: string
  readonly role: Role
  readonly permissions: ReadonlySet<Permission>
  /** Groups that bound what an operator sees; hosts without a group are open to every operator. */
  readonly group_ids: ReadonlyArray<GroupId>
  readonly session_id: SessionId | null
  readonly token: { readonly id: TokenId; readonly name: string } | null
}

/** A request as the audit log remembers it. */
export interface Caller {
  readonly principal: Principal
  readonly request_id: string
  readonly source_address: string
}
