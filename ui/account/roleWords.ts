/** Roles in words. */
import type { Role } from "#core/Permission.ts"

export const roleWords: Readonly<Record<Role, string>> = {
  admin: "Administrator",
  operator: "Operator",
  auditor: "Auditor"
}
