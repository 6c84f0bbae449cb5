/** Accounts. Password hashes leave this file only towards the comparison. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { Conflict, NotFound } from "#core/Errors.ts"
import { foldUsername } from "#core/foldUsername.ts"
import { type GroupId, type SessionId, UserId } from "#core/Ids.ts"
import { newId } from "#core/newId.ts"
import { type Role, rolePermissions } from "#core/Permission.ts"
import type { User } from "#core/User.ts"
import type { UserOrigin } from "#core/UserAccount.ts"
import { type AuditOrigin, appendAudit } from "./AuditStore.ts"
import { endSessionsOf } from "./SessionStore.ts"

export interface Account {
  readonly user: User
  readonly origin: UserOrigin
  readonly password_hash: string | null
  readonly disabled: boolean
  readonly group_ids: ReadonlyArray<GroupId>
}

interface Row {
  readonly user: Omit<User, "permissions">
  readonly origin: UserOrigin
  readonly password_hash: string | null
  readonly disabled: boolean
  readonly group_ids: ReadonlyArray<GroupId>
}

const find = Effect.fnUntraced(function* (column: "id" | "username", value: string) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<Row>`
    select json_build_object('id', u.id, 'username', u.username, 'display_name', u.display_name, 'role', u.role,
        'must_change_password', u.must_change_password, 'created_at', u.created_at) as user,
      u.origin, u.password_hash, u.disabled_at is not null or coalesce(u.expires_at <= now(), false) as disabled,
      coalesce((select json_agg(g.group_id) from user_groups g where g.user_id = u.id), '[]') as group_ids
    from users u where ${sql.literal(`u.${column}`)} = ${value} and u.deleted_at is null`
  const row = rows[0]
  if (row === undefined) return null
  const account: Account = { ...row, user: { ...row.user, permissions: rolePermissions[row.user.role] } }
  return account
})

/** Null for an unknown or deleted name; names that look alike are one, see `foldUsername`. */
export const findByUsername = (username: string) => find("username", foldUsername(username))

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

/** The same password under another cost: nothing about the account changes. */
export const replaceHash = Effect.fnUntraced(function* (id: UserId, before: string, passwordHash: string) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`update users set password_hash = ${passwordHash} where id = ${id} and password_hash = ${before}`
})

/** Ends every other session of the user. */
export const setPassword = Effect.fnUntraced(function* (
  origin: AuditOrigin,
  id: UserId,
  passwordHash: string,
  keepSession: SessionId | null
) {
  const sql = yield* SqlClient.SqlClient
  yield* sql.withTransaction(
    Effect.gen(function* () {
      const rows = yield* sql`
        update users set password_hash = ${passwordHash}, password_changed_at = now(), must_change_password = false,
          version = version + 1
        where id = ${id} returning id`
      if (rows.length === 0) return yield* new NotFound({ code: "user_not_found", message: "There is no such user." })
      const sessions_ended = yield* endSessionsOf(id, "password_changed", keepSession)
      yield* appendAudit(origin, {
        action: "user.password_change",
        object_type: "user",
        object_id: id,
        before: null,
        after: { sessions_ended }
      })
    })
  )
})
