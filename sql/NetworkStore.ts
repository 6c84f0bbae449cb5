/** Who may connect, and where agents may be: one row, of which a change that could lock somebody out is taken back unless confirmed. */
import { Effect, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { defaultNetworkPolicy, type NetworkChange, NetworkPolicy } from "#core/AllowList.ts"
import { Conflict, PreconditionFailed } from "#core/Errors.ts"
import { readNetwork, writeNetwork } from "#core/network.ts"
import type { Caller } from "#core/User.ts"
import { appendAudit, type AuditOrigin, originOf } from "./AuditStore.ts"

export interface StoredNetwork {
  readonly version: number
  readonly policy: NetworkPolicy
  readonly pending: {
    readonly confirm_by: string
    readonly changed_by: string
    readonly previous: NetworkPolicy
    /** Its time is over by the database's clock. */
    readonly due: boolean
  } | null
}

const decodePolicy = Schema.decodeUnknownEffect(NetworkPolicy)

/** A stored policy that cannot be read lets nobody in but the machine itself. */
const readPolicy = (stored: unknown) =>
  Effect.catch(decodePolicy(stored), (error) =>
    Effect.as(
      Effect.logError("The stored networks cannot be read: only this machine itself may connect", error),
      defaultNetworkPolicy
    )
  )

interface Row {
  readonly version: number
  readonly policy: unknown
  readonly previous: unknown
  readonly confirm_by: string | null
  readonly due: boolean | null
  readonly changed_by: string
}

const read = Effect.fnUntraced(function* (lock: boolean) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<Row>`
    select version::int as version, policy, previous, changed_by, confirm_by <= now() as due,
      to_char(confirm_by at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as confirm_by
    from network_access ${sql.literal(lock ? "for update" : "")}`
  const row = rows[0]
  if (row === undefined) return yield* Effect.die(new Error("The table network_access has lost its row."))
  const stored: StoredNetwork = {
    version: row.version,
    policy: yield* readPolicy(row.policy),
    pending:
      row.confirm_by === null
        ? null
        : {
            confirm_by: row.confirm_by,
            changed_by: row.changed_by,
            previous: yield* readPolicy(row.previous),
            due: row.due === true
          }
  }
  return stored
})

export const readNetworkPolicy = read(false)

const canonical = (texts: ReadonlyArray<string>): ReadonlyArray<string> => [
  ...new Set(
    texts.map((text) => {
      const network = readNetwork(text)
      return network === null ? text : writeNetwork(network)
    })
  )
]

const same = (one: ReadonlyArray<string>, other: ReadonlyArray<string>): boolean => one.join() === other.join()

/** Whether the two let in the same: then nobody needs to confirm anything. */
const letsInTheSame = (one: NetworkPolicy, other: NetworkPolicy): boolean =>
  same(one.allowed_networks, other.allowed_networks) && same(one.trusted_proxies, other.trusted_proxies)

const write = Effect.fnUntraced(function* (
  policy: NetworkPolicy,
  by: string,
  pending: { readonly previous: NetworkPolicy; readonly seconds: number } | null
) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    update network_access set version = version + 1, policy = ${JSON.stringify(policy)}::text::jsonb,
      previous = nullif(${pending === null ? "" : JSON.stringify(pending.previous)}, '')::jsonb,
      confirm_by = now() + ${pending?.seconds ?? null}::float8 * interval '1 second',
      changed_by = ${by}, changed_at = now()`
})

const mustBe = (stored: StoredNetwork, version: number) =>
  stored.version === version
    ? Effect.void
    : Effect.fail(
        new PreconditionFailed({
          message: `The networks were changed meanwhile: they are at version ${stored.version}. Read them again.`
        })
      )

/** `letsIn` says whether the caller's own request would come in under a policy. */
export const changeNetwork = Effect.fnUntraced(function* (
  caller: Caller,
  version: number,
  { confirm = false, ...change }: NetworkChange,
  letsIn: (policy: NetworkPolicy) => boolean
) {
  const sql = yield* SqlClient.SqlClient
  return yield* sql.withTransaction(
    Effect.gen(function* () {
      const before = yield* read(true)
      yield* mustBe(before, version)
      const policy: NetworkPolicy = {
        allowed_networks: canonical(change.allowed_networks ?? before.policy.allowed_networks),
        trusted_proxies: canonical(change.trusted_proxies ?? before.policy.trusted_proxies),
        agent_networks: canonical(change.agent_networks ?? before.policy.agent_networks),
        confirm_seconds: change.confirm_seconds ?? before.policy.confirm_seconds
      }
      if (!confirm && !letsIn(policy)) {
        return yield* new Conflict({
          code: "locks_out_editor",
          message: `This would lock out the address you come from (${caller.source_address}). Add it, or send "confirm": true; unconfirmed, the change is taken back after ${policy.confirm_seconds} s.`
        })
      }
      // Several changes in a row are taken back together, to what was confirmed last.
      const previous = before.pending?.previous ?? before.policy
      const pending = letsInTheSame(previous, policy) ? null : { previous, seconds: policy.confirm_seconds }
      yield* write(policy, caller.principal.username, pending)
      const after = yield* read(false)
      yield* appendAudit(originOf(caller), {
        action: "network.change",
        object_type: "network",
        object_id: "network",
        before: before.policy,
        after: { ...policy, confirm_by: after.pending?.confirm_by ?? null }
      })
      return after
    })
  )
})

/** The caller's request must come in under what he confirms. */
export const confirmNetwork = Effect.fnUntraced(function* (
  caller: Caller,
  version: number,
  letsIn: (policy: NetworkPolicy) => boolean
) {
  const sql = yield* SqlClient.SqlClient
  return yield* sql.withTransaction(
    Effect.gen(function* () {
      const before = yield* read(true)
      yield* mustBe(before, version)
      if (before.pending === null || before.pending.due) {
        return yield* new Conflict({
          code: "nothing_to_confirm",
          message: "No change waits for its confirmation: it was confirmed or taken back."
        })
      }
      if (!letsIn(before.policy)) {
        return yield* new Conflict({
          code: "locks_out_editor",
          message: `The change does not let in the address you come from (${caller.source_address}): confirm it from one that it lets in.`
        })
      }
      yield* write(before.policy, caller.principal.username, null)
      yield* appendAudit(originOf(caller), {
        action: "network.confirm",
        object_type: "network",
        object_id: "network",
        before: before.pending.previous,
        after: before.policy
      })
      return yield* read(false)
    })
  )
})

const clock: AuditOrigin = {
  actor: { kind: "machine", id: "network", name: "unconfirmed change" },
  request_id: "",
  source_address: ""
}

/** Takes back a change whose time to be confirmed is over; of several web processes one does it. True where it was this one. */
export const rollBackNetwork = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  return yield* sql.withTransaction(
    Effect.gen(function* () {
      const before = yield* read(true)
      if (before.pending?.due !== true) return false
      yield* write(before.pending.previous, clock.actor.name, null)
      yield* appendAudit(clock, {
        action: "network.roll_back",
        object_type: "network",
        object_id: "network",
        before: before.policy,
        after: before.pending.previous
      })
      return true
    })
  )
})

/** From the command line of the machine: what counts at once, unconfirmed. */
export const setNetwork = Effect.fnUntraced(function* (origin: AuditOrigin, change: Partial<NetworkPolicy>) {
  const sql = yield* SqlClient.SqlClient
  return yield* sql.withTransaction(
    Effect.gen(function* () {
      const before = yield* read(true)
      const policy = yield* Effect.orDie(decodePolicy({ ...before.policy, ...change }))
      yield* write({ ...policy, allowed_networks: canonical(policy.allowed_networks) }, origin.actor.name, null)
      yield* appendAudit(origin, {
        action: "network.change",
        object_type: "network",
        object_id: "network",
        before: before.policy,
        after: policy
      })
      return policy
    })
  )
})
