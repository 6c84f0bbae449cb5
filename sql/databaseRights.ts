/** Whether this process' role has no more rights than it needs. */
import { Data, Effect } from "effect"
import { SqlClient } from "effect/sql"
import { appendAudit } from "./AuditStore.ts"

/** `single`: one role owns the tables or may change audit rows, so the database does not keep this process from anything. */
export type DatabaseRoles = "separate" | "single"

export class TooManyRights extends Data.TaggedError("TooManyRights")<{ readonly role: string; readonly may: string }> {
  override get message() {
    return (
      `The database role ${this.role} ${this.may}, so nothing but this program's own care keeps it from the audit log. ` +
      "Give the processes roles of their own (docs/runbooks/database-roles.md), or accept this with --single-role."
    )
  }
}

interface Found {
  readonly role: string
  readonly superuser: boolean
  readonly owns: boolean
  readonly alters: boolean
  readonly creates: boolean
}

/** Asks the database and not the settings. */
export const readDatabaseRights = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<Found>`
    select r.rolname::text as role, r.rolsuper as superuser,
      pg_has_role(c.relowner, 'member') as owns,
      has_table_privilege('audit_log', 'insert, update, delete, truncate, trigger')
        or has_table_privilege('audit_head', 'insert, update, delete, truncate, trigger') as alters,
      has_schema_privilege('public', 'create') or r.rolcreaterole or r.rolcreatedb or r.rolbypassrls as creates
    from pg_roles r, pg_class c where r.rolname = current_user and c.oid = 'audit_log'::regclass`
  const found = rows[0]!
  const may = found.superuser
    ? "is a superuser"
    : found.owns
      ? "owns the tables"
      : found.alters
        ? "may change audit rows"
        : found.creates
          ? "may create objects or roles, or sees every row"
          : null
  return { role: found.role, may, roles: may === null ? ("separate" as const) : ("single" as const) }
})

/** Fails where the role has too many rights and nobody has accepted that. */
export const requireSeparateRole = (singleRole: boolean) =>
  Effect.gen(function* () {
    const { role, may, roles } = yield* readDatabaseRights
    if (may !== null && !singleRole) return yield* new TooManyRights({ role, may })
    return roles
  })

/** At every start with one role for everything. */
export const noteSingleRole = Effect.gen(function* () {
  const { role, may } = yield* readDatabaseRights
  if (may === null) return
  yield* Effect.logWarning(
    `Everything runs with the database role ${role}, which ${may}: the audit log has no second lock`
  )
  yield* appendAudit(
    { actor: { kind: "machine", id: "web", name: "web process" }, request_id: "start", source_address: "local" },
    {
      action: "system.single_role",
      object_type: "database",
      object_id: "roles",
      before: null,
      after: { role, reason: may }
    }
  )
})
