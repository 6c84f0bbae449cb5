/** Who may do what: the one table that REST, RPC and sockets are checked against. */
import { Schema } from "effect"

export const Role = Schema.Literals(["admin", "operator", "auditor"]).annotate({ identifier: "Role" })
export type Role = typeof Role.Type

export const Permission = Schema.Literals([
  "account:read",
  "account:change",
  "hosts:read",
  "hosts:create",
  "hosts:change",
  "hosts:remove",
  "hosts:refresh",
  "hosts:decide",
  "certificates:read",
  "certificates:issue",
  "jobs:read",
  "jobs:create",
  "jobs:change",
  "jobs:cancel",
  "windows:read",
  "windows:change",
  "holds:read",
  "holds:change",
  "groups:read",
  "groups:change",
  "discovery:read",
  "discovery:run",
  "enrolments:read",
  "enrolments:decide",
  "settings:read",
  "settings:change",
  "fleet:read",
  "live:open",
  "docs:read",
  "users:read",
  "users:change",
  "sessions:read",
  "sessions:end",
  "tokens:read",
  "tokens:create",
  "tokens:end",
  "sso:read",
  "sso:change",
  "network:read",
  "network:change",
  "audit:read",
  "audit:verify",
  "audit:export"
]).annotate({ identifier: "Permission" })
export type Permission = typeof Permission.Type

const reading: ReadonlyArray<Permission> = [
  "account:read",
  "account:change",
  "hosts:read",
  "certificates:read",
  "jobs:read",
  "windows:read",
  "holds:read",
  "groups:read",
  "discovery:read",
  "enrolments:read",
  "settings:read",
  "fleet:read",
  "live:open",
  "docs:read",
  /** One's own tokens only, within one's own rights. */
  "tokens:create"
]

const operating: ReadonlyArray<Permission> = [
  ...reading,
  "hosts:create",
  "hosts:change",
  "hosts:remove",
  "hosts:refresh",
  "hosts:decide",
  "jobs:create",
  "jobs:change",
  "jobs:cancel",
  "windows:change",
  "holds:change"
]

/** An auditor changes nothing, but sees who may do what and what was done. */
const auditing: ReadonlyArray<Permission> = [
  ...reading,
  "users:read",
  "sessions:read",
  "tokens:read",
  "sso:read",
  "network:read",
  "audit:read",
  "audit:verify",
  "audit:export"
]

/**
 * Trust is the administrator's alone: certificates and enrolments decide which machine counts as which host, groups decide who
 * sees it.
 */
export const rolePermissions: Readonly<Record<Role, ReadonlyArray<Permission>>> = {
  admin: Permission.literals,
  operator: operating,
  auditor: auditing
}

/** An API token never changes accounts, tokens, trust or the rules of signing in, whatever it was made with. */
export const forbiddenForTokens: ReadonlyArray<Permission> = [
  "account:change",
  "certificates:issue",
  "enrolments:decide",
  "users:change",
  "sessions:end",
  "tokens:create",
  "tokens:end",
  "sso:change",
  "network:change",
  "settings:change"
]

/** What a token of this owner can be given at most. Bounded to groups it sees as an operator does, and has no more than an operator's. */
export const tokenPermissions = (role: Role, bounded: boolean): ReadonlyArray<Permission> =>
  rolePermissions[role].filter(
    (permission) => !forbiddenForTokens.includes(permission) && (!bounded || operating.includes(permission))
  )
