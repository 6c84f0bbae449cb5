/** What a caller needs for an endpoint, a procedure or a socket. Nothing said means nobody may. */
import { Context } from "effect"
import type { Permission } from "#core/Permission.ts"

export const RequiredPermission = Context.Reference<Permission | "public" | undefined>(
  "patch-manager/http/RequiredPermission",
  { defaultValue: () => undefined }
)
