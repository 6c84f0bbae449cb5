/** Tells a statement that the database will never take from a database that is away for a while. */
import { Predicate } from "effect"
import type { SqlError } from "effect/sql"

const refusing: ReadonlySet<string> = new Set([
  "UniqueViolation",
  "ConstraintError",
  "SqlSyntaxError",
  "AuthorizationError"
])

/**
 * True where trying again cannot help: a constraint, bad data (SQLSTATE 22), a limit of the server (54), an exception raised by our own functions (P0001),
 * or a parameter that cannot be encoded. Everything else, a lost connection first of all, may pass.
 */
export const isRefusal = ({ reason }: SqlError.SqlError): boolean => {
  if (refusing.has(reason._tag)) return true
  const { cause } = reason
  if (Predicate.hasProperty(cause, "_tag") && cause._tag === "PgTypesCodecError") return true
  return Predicate.hasProperty(cause, "code") && typeof cause.code === "string" && /^(22|54|P0)/.test(cause.code)
}
