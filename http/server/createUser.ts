/** A local account with a password, made from the machine itself: the first administrator and the CLI. */
import { Effect } from "effect"
import { newRequestId } from "#core/newId.ts"
import type { Role } from "#core/Permission.ts"
import { insertUser } from "#sql/UserStore.ts"
import { currentCost, type HashCost } from "./passwordCost.ts"
import { hashPassword } from "./PasswordHasher.ts"

export const createUser = Effect.fnUntraced(function* (user: {
  readonly username: string
  readonly displayName: string
  readonly role: Role
  readonly password: string
  readonly mustChangePassword?: boolean
  /** This installation's, where it is left out. */
  readonly cost?: HashCost
}) {
  const password_hash = yield* hashPassword(user.password, user.cost ?? (yield* currentCost))
  return yield* insertUser(
    {
      actor: { kind: "machine", id: "cli", name: "command line" },
      request_id: newRequestId(),
      source_address: "local"
    },
    {
      username: user.username,
      display_name: user.displayName,
      role: user.role,
      password_hash,
      must_change_password: user.mustChangePassword ?? false
    }
  )
})
