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
  "tokens:create"
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
  "docs:read"
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

/**
 * Trust is the administrator's alone: certificates and enrolments decide which machine counts as which host, groups decide who
 * sees it.
 */
export const rolePermissions: Readonly<Record<Role, ReadonlyArray<Permission>>> = {
  admin: Permission.literals,
  operator: operating,
  auditor: reading
}

/** An API token never changes accounts, tokens or trust, whatever it was made with. */
export const forbiddenForTokens: ReadonlyArray<Permission> = [
  "account:change",
  "certificates:issue",
  "enrolments:decide",
  "tokens:create"
]

/** What a token of this owner can be given at most. */
export const tokenPermissions = (role: Role): ReadonlyArray<Permission> =>
  rolePermissions[role].filter((permission) => !forbiddenForTokens.includes(permission))
