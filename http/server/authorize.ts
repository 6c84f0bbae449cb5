/** The one place where a permission is asked for: REST, RPC and sockets all come through here. */
import { Effect } from "effect"
import { Forbidden } from "#core/Errors.ts"
import type { Permission } from "#core/Permission.ts"
import type { Principal } from "#core/User.ts"

/** Forbidden where the caller lacks it, and where the contract names none. */
export const authorize = (
  principal: Principal,
  need: Permission | "public" | undefined
): Effect.Effect<void, Forbidden> => {
  if (need !== undefined && (need === "public" || principal.permissions.has(need))) return Effect.void
  return Effect.fail(
    new Forbidden({
      message:
        principal.token === null
          ? `Your role (${principal.role}) does not allow this${need === undefined ? "" : `: it needs ${need}`}. Ask an administrator.`
          : `This API token does not allow this${need === undefined ? "" : `: it needs ${need}`}.`
    })
  )
}
