/** How an account is spoken of. */
import type { Role } from "#core/Permission.ts"
import type { UserAccount } from "#core/UserAccount.ts"
import { plural } from "../format/numbers.ts"
import type { Shown } from "../format/states.ts"

export const roleHints: Readonly<Record<Role, string>> = {
  admin: "May do everything: accounts, groups, trust and settings.",
  operator: "Patches the hosts of his groups and those in no group.",
  auditor: "Reads everything, the audit log too, and changes nothing."
}

export const groupsHint = "Groups bound what an operator sees. Administrators and auditors see all hosts anyway."
export const noGroups = "There are no groups. Every operator sees every host."

export const originWords: Readonly<Record<UserAccount["origin"], string>> = {
  local: "Password of this manager",
  sso: "Identity provider",
  break_glass: "Emergency account"
}

/** What stands in the way of a sign-in first. */
export const userState = (user: UserAccount): Shown => {
  if (user.disabled) return { icon: "minus", word: "Disabled", tone: "idle" }
  if (user.locked) return { icon: "clock", word: "Locked", tone: "warn" }
  if (user.must_change_password) return { icon: "key", word: "Must change password", tone: "plain" }
  return { icon: "check", word: "Active", tone: "quiet" }
}

export const factorWords = ({ totp, passkeys }: UserAccount["factors"]): string => {
  const held = [...(totp ? ["Authenticator app"] : []), ...(passkeys > 0 ? [plural(passkeys, "passkey")] : [])]
  return held.length === 0 ? "None yet" : held.join(", ")
}
