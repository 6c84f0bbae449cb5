/** Accounts. Password hashes leave this file only towards the comparison. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { Conflict, NotFound } from "#core/Errors.ts"
import { type GroupId, UserId } from "#core/Ids.ts"
import { newId } from "#core/newId.ts"
import { type Role, rolePermissions } from "#core/Permission.ts"
import type { User } from "#core/User.ts"
import { type AuditOrigin, appendAudit } from "./AuditStore.ts"

export interface Account {
  readonly user: User
  readonly password_hash: string | null
  readonly disabled: boolean
  readonly group_ids: ReadonlyArray<GroupId>
}

interface Row {
  readonly user: Omit<User, "permissions">
  readonly password_hash: string | null
  readonly disabled: boolean
  readonly group_ids: ReadonlyArray<GroupId>
}

const find = Effect.fnUntraced(function* (column: "id" | "username", value: string) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<Row>`
    select json_build_object('id', u.id, 'username', u.username, 'display_name', u.display_name, 'role', u.role,
        'must_change_password', u.must_change_password, 'created_at', u.created_at) as user,
      u.password_hash, u.disabled_at is not null as disabled,
      coalesce((select json_agg(g.group_id) from user_groups g where g.user_id = u.id), '[]') as group_ids
    from users u where ${sql.literal(`u.${column}`)} = ${value}`
  const row = rows[0]
  if (row === undefined) return null
  const account: Account = { ...row, user: { ...row.user, permissions: rolePermissions[row.user.role] } }
  return account
})

/** Null for an unknown name; names are compared in small letters. */
export const findByUsername = (username: string) => find("username", username.toLowerCase())

export const findUser = (id: UserId) => find("id", id)

export interface NewUser {
  readonly username: string
  readonly display_name: string
  readonly role: Role
  readonly password_hash: string
  readonly must_change_password: boolean
}

/** Conflict where the name is taken. */
export const insertUser = Effect.fnUntraced(function* (origin: AuditOrigin, user: NewUser) {
  const sql = yield* SqlClient.SqlClient
  const id = newId(UserId)
  yield* sql
    .withTransaction(
      Effect.gen(function* () {
        yield* sql`
          insert into users (id, username, display_name, role, password_hash, must_change_password)
          values (${id}, ${user.username}, ${user.display_name}, ${user.role}, ${user.password_hash}, ${user.must_change_password})`
        yield* appendAudit(origin, {
          action: "user.create",
          object_type: "user",
          object_id: id,
          before: null,
          after: { username: user.username, display_name: user.display_name, role: user.role }
        })
      })
    )
    .pipe(
      Effect.catchReason("SqlError", "UniqueViolation", () =>
        Effect.fail(
          new Conflict({ code: "username_taken", message: `There is already a user named ${user.username}.` })
        )
      )
    )
  return id
})

/** Ends every other session of the user. */
export const setPassword = Effect.fnUntraced(function* (
  origin: AuditOrigin,
  id: UserId,
  passwordHash: string,
  keepSession: string | null
) {
  const sql = yield* SqlClient.SqlClient
  yield* sql.withTransaction(
    Effect.gen(function* () {
      const rows = yield* sql`
        update users set password_hash = ${passwordHash}, must_change_password = false, version = version + 1
        where id = ${id} returning id`
      if (rows.length === 0) return yield* new NotFound({ code: "user_not_found", message: "There is no such user." })
      yield* sql`
        update refresh_tokens set revoked_at = now()
        where user_id = ${id} and revoked_at is null and family_id is distinct from ${keepSession}::uuid`
      yield* appendAudit(origin, {
        action: "user.password_change",
        object_type: "user",
        object_id: id,
        before: null,
        after: { other_sessions_ended: true }
      })
    })
  )
})
