/** Somebody on the way through an identity provider: what was begun in which browser, and which account he gets. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { Conflict } from "#core/Errors.ts"
import { type GroupId, type SessionId, type SsoProviderId, UserId } from "#core/Ids.ts"
import { newId } from "#core/newId.ts"
import type { Role } from "#core/Permission.ts"
import { type Granted, usernameOf } from "#core/Sso.ts"
import type { UserOrigin } from "#core/UserAccount.ts"
import { appendAudit, type AuditOrigin } from "./AuditStore.ts"

/** For so long somebody may take at the provider. */
export const SIGN_IN_SECONDS = 600

export interface BegunSignIn {
  readonly state_hash: Uint8Array
  readonly browser_hash: Uint8Array
  readonly provider_id: SsoProviderId
  readonly return_to: string
  readonly fresh: boolean
}

export const beginSignIn = Effect.fnUntraced(function* (begun: BegunSignIn) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`delete from sso_sign_ins where expires_at < now()`
  yield* sql`
    insert into sso_sign_ins (state_hash, browser_hash, provider_id, return_to, fresh, expires_at)
    values (${begun.state_hash}, ${begun.browser_hash}, ${begun.provider_id}, ${begun.return_to}, ${begun.fresh},
      now() + make_interval(secs => ${SIGN_IN_SECONDS}::int))`
})

/** Takes it, once: null for a state that is unknown, used, too old, of another browser or of another provider. */
export const takeSignIn = Effect.fnUntraced(function* (
  stateHash: Uint8Array,
  browserHash: Uint8Array,
  provider: SsoProviderId
) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ return_to: string; fresh: boolean }>`
    delete from sso_sign_ins where state_hash = ${stateHash} and browser_hash = ${browserHash}
      and provider_id = ${provider} and expires_at > now()
    returning return_to, fresh`
  return rows[0] ?? null
})

/** Who somebody is at a provider: never his mail address or user name. */
export interface IdentityKey {
  readonly issuer: string
  /** Empty where the provider has no tenants. */
  readonly tenant: string
  /** `oid:…` or `sub:…`. */
  readonly subject: string
}

export interface Arrival {
  readonly origin: Omit<AuditOrigin, "actor">
  readonly provider: { readonly id: SsoProviderId; readonly name: string }
  readonly key: IdentityKey
  /** What the provider calls him, in the order to try; only for a new account's name. */
  readonly names: ReadonlyArray<string>
  readonly display_name: string
  readonly granted: Granted
}

interface Known {
  readonly id: UserId
  readonly username: string
  readonly role: Role
  readonly origin: UserOrigin
  readonly disabled: boolean
  readonly group_ids: ReadonlyArray<GroupId>
}

const provisioner = ({ origin, provider }: Arrival): AuditOrigin => ({
  ...origin,
  actor: { kind: "machine", id: provider.id, name: `sign-in through ${provider.name}` }
})

const setGroups = Effect.fnUntraced(function* (user: UserId, groupIds: ReadonlyArray<GroupId>) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`delete from user_groups where user_id = ${user}`
  // A group deleted in this moment is left out.
  yield* sql`
    insert into user_groups (user_id, group_id)
    select ${user}::text::uuid, g.id from groups g where g.id = any(${groupIds}::uuid[])`
})

const ATTEMPTS = 50

/** The first free one of `anna`, `anna-2`, …: an account that exists is never taken over. */
const freeUsername = Effect.fnUntraced(function* (names: ReadonlyArray<string>) {
  const sql = yield* SqlClient.SqlClient
  const base = names.map(usernameOf).find((name) => name !== "") ?? "sso"
  const candidates = Array.from({ length: ATTEMPTS }, (_, index) => (index === 0 ? base : `${base}-${index + 1}`))
  const taken = yield* sql<{ username: string }>`select username from users where username = any(${candidates}::text[])`
  const used = new Set(taken.map((row) => row.username))
  const free = candidates.find((candidate) => !used.has(candidate))
  if (free === undefined) {
    return yield* new Conflict({
      code: "username_unavailable",
      message: `There are ${ATTEMPTS} accounts named like ${base} already. An administrator has to rename or delete some.`
    })
  }
  return free
})

const provision = Effect.fnUntraced(function* (arrival: Arrival) {
  const sql = yield* SqlClient.SqlClient
  const { key, granted, provider } = arrival
  const id = newId(UserId)
  const username = yield* freeUsername(arrival.names)
  yield* sql`
    insert into users (id, username, display_name, role, password_hash, must_change_password, origin)
    values (${id}, ${username}, ${arrival.display_name || username}, ${granted.role}, null, false, 'sso')`
  yield* setGroups(id, granted.group_ids)
  yield* sql`
    insert into external_identities (issuer, tenant, subject, user_id, provider_id, last_sign_in_at)
    values (${key.issuer}, ${key.tenant}, ${key.subject}, ${id}, ${provider.id}, now())`
  yield* appendAudit(provisioner(arrival), {
    action: "user.create",
    object_type: "user",
    object_id: id,
    before: null,
    after: { username, display_name: arrival.display_name, origin: "sso", ...granted, identity: key }
  })
  return { id, username }
})

const sameGroups = (one: ReadonlyArray<GroupId>, other: ReadonlyArray<GroupId>): boolean =>
  one.toSorted().join() === other.toSorted().join()

const disabled = new Conflict({
  code: "account_disabled",
  message: "This account is disabled. An administrator can enable it again."
})

const lastAdministrator = new Conflict({
  code: "last_administrator",
  message:
    "The provider's groups would take the administrator role away from the last administrator. Make somebody else an administrator first."
})

/** Role and groups are what the provider's groups come to today. */
const adjust = Effect.fnUntraced(function* (arrival: Arrival, known: Known) {
  const sql = yield* SqlClient.SqlClient
  const { granted } = arrival
  if (known.role === granted.role && sameGroups(known.group_ids, granted.group_ids)) return
  if (known.role === "admin" && granted.role !== "admin") {
    const rows = yield* sql<{ others: number }>`select other_administrators(${known.id}::text::uuid) as others`
    if ((rows[0]?.others ?? 0) === 0) return yield* lastAdministrator
  }
  yield* sql`update users set role = ${granted.role}, version = version + 1 where id = ${known.id}`
  yield* setGroups(known.id, granted.group_ids)
  yield* appendAudit(provisioner(arrival), {
    action: "user.edit",
    object_type: "user",
    object_id: known.id,
    before: { role: known.role, group_ids: known.group_ids },
    after: granted
  })
})

/**
 * The account of somebody whom the provider vouches for, made at his first sign-in; role and groups follow the provider's groups
 * at each. A local account that its owner linked keeps its own. Conflict with `account_disabled`, `username_unavailable` or
 * `last_administrator`.
 */
export const arrive = (arrival: Arrival) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(
      Effect.gen(function* () {
        const { key, provider } = arrival
        yield* sql`select lock_administrators()`
        const rows = yield* sql<Known>`
          select u.id, u.username, u.role, u.origin, u.disabled_at is not null as disabled,
            coalesce((select json_agg(g.group_id) from user_groups g where g.user_id = u.id), '[]') as group_ids
          from external_identities i join users u on u.id = i.user_id
          where i.issuer = ${key.issuer} and i.tenant = ${key.tenant} and i.subject = ${key.subject}
          for no key update of u`
        const known = rows[0]
        if (known === undefined) return yield* provision(arrival)
        if (known.disabled) return yield* disabled
        yield* sql`
          update external_identities set last_sign_in_at = now(), provider_id = ${provider.id}
          where issuer = ${key.issuer} and tenant = ${key.tenant} and subject = ${key.subject}`
        if (known.origin === "sso") yield* adjust(arrival, known)
        return { id: known.id, username: known.username }
      })
    )
  )

/** For a session whose owner the provider knows from an earlier sign-in: that is no fresh proof of who is asking. */
export const withholdStepUp = Effect.fnUntraced(function* (session: SessionId) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`update sessions set stepped_up_at = null where id = ${session}`
})
