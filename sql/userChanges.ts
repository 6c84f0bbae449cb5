/**
 * What administrators change about accounts. Nobody takes his own account away, and an administrator who can sign in always
 * remains: whoever may take one away waits for the one before him and then counts. See keep_an_administrator in the database.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { Conflict, PreconditionFailed } from "#core/Errors.ts"
import { type GroupId, UserId } from "#core/Ids.ts"
import { newId } from "#core/newId.ts"
import type { Role } from "#core/Permission.ts"
import type { Caller } from "#core/User.ts"
import type { FactorsReset, NewUser, UserAccount, UserChange, UserOrigin } from "#core/UserAccount.ts"
import { appendAudit, type AuditEntry, originOf } from "./AuditStore.ts"
import { groupNotFound } from "./groupScope.ts"
import { forgive } from "./LockStore.ts"
import { settlePasskeyAlarm } from "./PasskeyStore.ts"
import { endSessionsOf } from "./SessionStore.ts"
import { getUser, userNotFound } from "./userList.ts"

interface Locked {
  readonly username: string
  readonly display_name: string
  readonly email: string | null
  readonly role: Role
  readonly origin: UserOrigin
  readonly disabled: boolean
  readonly group_ids: ReadonlyArray<GroupId>
  readonly version: number
}

const lockUser = Effect.fnUntraced(function* (id: UserId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<Locked>`
    select u.username, u.display_name, u.email, u.role, u.origin, u.disabled_at is not null as disabled,
      coalesce((select json_agg(m.group_id order by m.group_id) from user_groups m where m.user_id = u.id), '[]') as group_ids,
      u.version::int as version
    from users u where u.id = ${id} and u.deleted_at is null for no key update of u`
  const row = rows[0]
  if (row === undefined) return yield* userNotFound
  return row
})

const mustNotBeOwn = (caller: Caller, id: UserId, what: string): Effect.Effect<void, Conflict> =>
  caller.principal.user_id === id
    ? Effect.fail(
        new Conflict({
          code: "own_account",
          message: `This is your own account: ${what} Another administrator can do it.`
        })
      )
    : Effect.void

const mustNotBeBreakGlass = ({ origin }: Locked): Effect.Effect<void, Conflict> =>
  origin === "break_glass"
    ? Effect.fail(
        new Conflict({
          code: "break_glass_account",
          message: "This account is for emergencies: it can only be disabled or deleted. Make a new one instead."
        })
      )
    : Effect.void

/** Fails, and so refuses the change, also where the count cannot be taken. */
const mustLeaveAnAdministrator = Effect.fnUntraced(function* (id: UserId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ others: number }>`select other_administrators(${id}::text::uuid) as others`
  if ((rows[0]?.others ?? 0) > 0) return
  return yield* new Conflict({
    code: "last_administrator",
    message:
      "This is the last administrator who can sign in. Make somebody else an administrator, or enable one, before you change this account."
  })
})

const isAdministrator = (user: Pick<Locked, "role" | "disabled" | "origin">): boolean =>
  user.role === "admin" && !user.disabled && user.origin !== "break_glass"

/** NotFound for all of them where one is unknown. */
const joinGroups = Effect.fnUntraced(function* (id: UserId, groups: ReadonlyArray<GroupId>) {
  const sql = yield* SqlClient.SqlClient
  const found = yield* sql`select 1 from groups g where g.id = any(${groups}::uuid[]) for share of g`
  if (found.length < groups.length) return yield* groupNotFound
  yield* sql`delete from user_groups where user_id = ${id} and not group_id = any(${groups}::uuid[])`
  yield* sql`
    insert into user_groups (user_id, group_id) select ${id}::text::uuid, x from unnest(${groups}::uuid[]) x
    on conflict do nothing`
})

/** How many second factors there were; recovery codes go with them and do not count. */
export const removeFactors = Effect.fnUntraced(function* (id: UserId) {
  const sql = yield* SqlClient.SqlClient
  const totp = yield* sql<{ confirmed: boolean }>`
    delete from totp_secrets where user_id = ${id} returning confirmed_at is not null as confirmed`
  const passkeys = yield* sql`delete from passkeys where user_id = ${id} returning id`
  yield* sql`delete from recovery_codes where user_id = ${id}`
  yield* settlePasskeyAlarm
  return totp.filter(({ confirmed }) => confirmed).length + passkeys.length
})

/** Conflict where the name is taken, also by a deleted user; call inside a transaction, audit after it. */
export const insertAccount = Effect.fnUntraced(function* (user: NewUser, passwordHash: string) {
  const sql = yield* SqlClient.SqlClient
  const id = newId(UserId)
  const made = yield* sql`
    insert into users (id, username, display_name, email, role, password_hash, must_change_password)
    values (${id}, ${user.username}, ${user.display_name}, nullif(${user.email ?? ""}, ''), ${user.role}, ${passwordHash}, true)
    on conflict (username) do nothing returning id`
  if (made.length === 0) {
    return yield* new Conflict({
      code: "username_taken",
      message: `The user name ${user.username} is taken, or belonged to somebody whose account was deleted. Choose another.`
    })
  }
  yield* joinGroups(id, user.group_ids)
  const answer = yield* Effect.catchTag(getUser(id), "NotFound", Effect.die)
  const audit: AuditEntry = {
    action: "user.create",
    object_type: "user",
    object_id: id,
    before: null,
    after: { ...user, origin: "local" }
  }
  return { answer, audit }
})

const auditOf = ({ username, display_name, email, role, disabled, group_ids }: Omit<Locked, "version" | "origin">) => ({
  username,
  display_name,
  email,
  role,
  disabled,
  group_ids
})

/** PreconditionFailed where somebody edited the account since `version` was read. */
export const updateUser = (caller: Caller, id: UserId, version: number, change: UserChange) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(
      Effect.gen(function* () {
        yield* sql`select lock_administrators()`
        const before = yield* lockUser(id)
        if (before.version !== version) {
          return yield* new PreconditionFailed({
            code: "version_mismatch",
            message: `Somebody changed this account meanwhile: it is at version ${before.version}, you edited ${version}. Read it again.`
          })
        }
        const after: Locked = {
          ...before,
          ...change,
          group_ids: [...(change.group_ids ?? before.group_ids)].toSorted()
        }
        if (after.role !== before.role || after.disabled !== before.disabled) {
          yield* mustNotBeOwn(caller, id, "you can neither change your role nor disable yourself.")
        }
        if (after.role !== before.role) yield* mustNotBeBreakGlass(before)
        if (isAdministrator(before) && !isAdministrator(after)) yield* mustLeaveAnAdministrator(id)
        yield* sql`
          update users set display_name = ${after.display_name}, email = nullif(${after.email ?? ""}, ''),
            role = ${after.role}, version = version + 1,
            disabled_at = case when ${after.disabled}::boolean then coalesce(disabled_at, now()) end
          where id = ${id}`
        yield* joinGroups(id, after.group_ids)
        const reason =
          after.disabled && !before.disabled ? "account_disabled" : after.role !== before.role ? "role_changed" : null
        const sessions_ended = reason === null ? 0 : yield* endSessionsOf(id, reason)
        const user: UserAccount = yield* getUser(id)
        yield* appendAudit(originOf(caller), {
          action: "user.edit",
          object_type: "user",
          object_id: id,
          before: auditOf(before),
          after: { ...auditOf(after), ...(sessions_ended === 0 ? {} : { sessions_ended }) }
        })
        return user
      })
    )
  )

/** The row stays, disabled and without anything to sign in with: the name in jobs and in the audit log stays his alone. */
export const deleteUser = (caller: Caller, id: UserId) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(
      Effect.gen(function* () {
        yield* sql`select lock_administrators()`
        const before = yield* lockUser(id)
        yield* mustNotBeOwn(caller, id, "you cannot delete it.")
        if (isAdministrator(before)) yield* mustLeaveAnAdministrator(id)
        yield* sql`
          update users set deleted_at = now(), disabled_at = coalesce(disabled_at, now()), password_hash = null,
            email = null, version = version + 1
          where id = ${id}`
        yield* sql`delete from user_groups where user_id = ${id}`
        yield* removeFactors(id)
        const tokens = yield* sql`
          update api_tokens set revoked_at = now() where user_id = ${id} and revoked_at is null returning id`
        const sessions_ended = yield* endSessionsOf(id, "account_deleted")
        yield* appendAudit(originOf(caller), {
          action: "user.delete",
          object_type: "user",
          object_id: id,
          before: auditOf(before),
          after: { sessions_ended, tokens_revoked: tokens.length }
        })
      })
    )
  )

/** Takes the second factors away and ends the sessions; only the user himself enrols new ones, at his next sign-in. */
export const resetFactors = (caller: Caller, id: UserId) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(
      Effect.gen(function* () {
        const user = yield* lockUser(id)
        yield* mustNotBeOwn(caller, id, "you cannot reset its second factors.")
        yield* mustNotBeBreakGlass(user)
        const reset: FactorsReset = {
          factors_removed: yield* removeFactors(id),
          sessions_ended: yield* endSessionsOf(id, "factors_reset")
        }
        yield* sql`update users set version = version + 1 where id = ${id}`
        yield* appendAudit(originOf(caller), {
          action: "user.reset_mfa",
          object_type: "user",
          object_id: id,
          before: { username: user.username },
          after: reset
        })
        return reset
      })
    )
  )

/** Gives the account a password that has to be changed at the next sign-in; how many sessions it ended. */
export const resetPassword = (caller: Caller, id: UserId, passwordHash: string) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(
      Effect.gen(function* () {
        const user = yield* lockUser(id)
        yield* mustNotBeOwn(caller, id, "change your password on your account page, with the one you have.")
        yield* mustNotBeBreakGlass(user)
        if (user.origin === "sso") {
          return yield* new Conflict({
            code: "no_password",
            message: `${user.username} signs in through the identity provider and has no password here.`
          })
        }
        yield* sql`
          insert into password_history (user_id, password_hash)
          select id, password_hash from users where id = ${id} and password_hash is not null`
        yield* sql`
          update users set password_hash = ${passwordHash}, password_changed_at = now(), must_change_password = true,
            version = version + 1
          where id = ${id}`
        yield* forgive(user.username)
        const sessions_ended = yield* endSessionsOf(id, "password_reset")
        yield* appendAudit(originOf(caller), {
          action: "user.reset_password",
          object_type: "user",
          object_id: id,
          before: { username: user.username },
          after: { sessions_ended }
        })
        return sessions_ended
      })
    )
  )
