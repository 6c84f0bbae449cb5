/** People who sign in, and who is asking when something is done. */
import { Schema } from "effect"
import { UserId, type GroupId, type SessionId, type TokenId } from "./Ids.ts"
import { Permission, Role } from "./Permission.ts"
import type { SessionStage } from "./Session.ts"
import { Timestamp } from "./Timestamp.ts"

/** Compared whole, whatever characters it has; what else is asked of it depends on the settings, see PasswordPolicy. */
export const NewPassword = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(1024))

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

/** How far the caller's session is. */
export interface SignIn {
  readonly stage: SessionStage
  /** Whether he proved who he is within the last minutes. */
  readonly fresh: boolean
  readonly stepped_up_at: string | null
  readonly must_change_password: boolean
}

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
  /** Left out for a token, and where no request was authenticated; a person without it is let in nowhere. */
  readonly sign_in?: SignIn
  readonly token: { readonly id: TokenId; readonly name: string } | null
}

/** A request as the audit log remembers it. */
export interface Caller {
  readonly principal: Principal
  readonly request_id: string
  readonly source_address: string
}
