/** What somebody asked for and may not have stands in the audit log: PCI DSS 10.2.1.4 asks for every invalid attempt. */
import { Effect } from "effect"
import type { Caller } from "#core/User.ts"
import type { Permission } from "#core/Permission.ts"
import { appendRefusal, originOf } from "#sql/AuditStore.ts"

/** `call` as the contract names it. Nothing is noted where the caller had the permission and something else was missing. */
export const noteRefusal = (caller: Caller, call: string, need: Permission | "public" | undefined) =>
  need === undefined || need === "public" || caller.principal.permissions.has(need)
    ? Effect.void
    : appendRefusal(originOf(caller), {
        action: "access.refused",
        object_type: "call",
        object_id: call,
        before: null,
        after: { needed: need, role: caller.principal.role }
      }).pipe(Effect.catch((error) => Effect.logError("A refusal could not be written to the audit log", error)))
