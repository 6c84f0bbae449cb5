/** Hosts as people register, look at, edit and remove them. What the worker writes about hosts is elsewhere. */
import { randomUUID } from "node:crypto"
import { Effect, Result } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { Conflict, NotFound, PreconditionFailed } from "#core/Errors.ts"
import type { HostDetail } from "#core/Host.ts"
import type { HostEvent } from "#core/HostEvent.ts"
import { type GroupId, HostId } from "#core/Ids.ts"
import { newId } from "#core/newId.ts"
import type { Caller, Principal } from "#core/User.ts"
import { canTake, initialStep, machineVersion, persist, placeOf, restore } from "#machines/step.ts"
import { appendAudit, type AuditEntry, originOf } from "./AuditStore.ts"
import { certificateColumns, hostItemColumns, hostSources } from "./hostColumns.ts"
import { joinGroups } from "./groupMembers.ts"
import { groupScope } from "./groupScope.ts"
import { hostScope } from "./hostScope.ts"

/** Also for a host the caller may not see. */
export const hostNotFound = new NotFound({
  code: "host_not_found",
  message: "There is no such host among those you can see."
})

/** Everything about one host. */
export const getHost = Effect.fnUntraced(function* (principal: Principal, id: HostId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ host: HostDetail }>`
    select row_to_json(r) as host from (
      select ${sql.literal(hostItemColumns)}, h.kernel, h.architecture, h.package_format, h.bound_fingerprint,
        coalesce((select json_agg(json_build_object('id', g.id, 'name', g.name) order by g.name)
          from host_groups m join groups g on g.id = m.group_id
          where m.host_id = h.id and ${groupScope(sql, principal)}), '[]') as groups,
        h.registered_at, h.registered_by, h.removal_requested_at, s.parked_reason,
        (select json_build_object('health', d.health, 'reason', d.reason, 'uptime_seconds', d.uptime_seconds,
          'polled_at', d.polled_at, 'failure_kind', d.failure_kind, 'failure_message', d.failure_message,
          'failed_at', d.failed_at, 'next_poll_at', d.next_poll_at)
          from (select h.id) one left join host_health_data d on d.host_id = one.id) as health,
        coalesce((select json_agg(json_build_object('id', t.id, 'due_at', t.due_at) order by t.due_at)
          from host_timers t where t.host_id = h.id), '[]') as deadlines,
        (select json_build_object('id', o.id, 'job_id', o.job_id, 'job_number', j.number, 'state', o.state,
          'progress_percent', o.progress_percent)
          from patch_job_hosts o join patch_jobs j on j.id = o.job_id
          where o.host_id = h.id and not o.ended
            and o.state in ('dispatching', 'running', 'verifying', 'rebooting', 'uncertain')) as "order",
        (select row_to_json(x) from (select ${sql.literal(certificateColumns)} from certificates c
          where c.host_id = h.id and c.kind = 'host' and c.revoked_at is null
          order by c.issued_at desc limit 1) x) as certificate
      ${sql.literal(hostSources)}
      where h.id = ${id} and h.removed_at is null and ${hostScope(sql, principal)}
    ) r`
  const row = rows[0]
  if (row === undefined) return yield* hostNotFound
  return row.host
})

export interface Registration {
  readonly fqdn: string | null
  readonly address: string
  readonly agent_port: number
  readonly display_name: string
  readonly bound_fingerprint: string | null
}

/** For 409: which registered host is in the way of this name or address. */
const taken = (constraint: string): Conflict =>
  constraint === "hosts_fqdn"
    ? new Conflict({
        code: "fqdn_taken",
        message: "Another host is registered under this name. Remove it first or edit it."
      })
    : new Conflict({
        code: "address_taken",
        message: "Another host is registered at this address and port. Remove it first or edit it."
      })

/** Turns the unique indexes' refusal into a Conflict; use it outside of the transaction. */
export const refuseDuplicates = <A, E, R>(effect: Effect.Effect<A, E | SqlError.SqlError, R>) =>
  Effect.catchReason(effect, "SqlError", "UniqueViolation", (reason) => Effect.fail(taken(reason.constraint)))

/**
 * Rows of a new host, its machine in the first state, its groups (see joinGroups), and the hints; call inside a
 * transaction, audit after it.
 */
export const insertHost = Effect.fnUntraced(function* (
  caller: Caller,
  registration: Registration,
  groups?: ReadonlyArray<GroupId>
) {
  const sql = yield* SqlClient.SqlClient
  const id = newId(HostId)
  const first = yield* Effect.orDie(Effect.fromResult(initialStep()))
  const { value, context } = persist(first.snapshot)
  const { link, work, summary } = placeOf(first.snapshot)
  yield* sql`
    insert into hosts (id, fqdn, display_name, address, agent_port, bound_fingerprint, registered_by)
    values (${id}, ${registration.fqdn}, ${registration.display_name}, ${registration.address}::text::inet,
      ${registration.agent_port}, ${registration.bound_fingerprint}, ${caller.principal.username})`
  yield* sql`
    insert into host_snapshots (host_id, machine_version, version, link, work, summary, value, context)
    values (${id}, ${machineVersion}, 0, ${link}, ${work}, ${summary}, ${JSON.stringify(value)}::text::jsonb,
      ${JSON.stringify(context)}::text::jsonb)`
  const group_ids = yield* joinGroups(caller.principal, id, groups)
  yield* sql`insert into change_feed (topic, host_id) values ('host', ${id})`
  yield* sql`select pg_notify('worker', ${`host_registered ${id}`}), pg_notify('feed', '')`
  const answer = yield* Effect.catchTag(getHost(caller.principal, id), "NotFound", Effect.die)
  const audit: AuditEntry = {
    action: "host.register",
    object_type: "host",
    object_id: id,
    before: null,
    after: { ...registration, group_ids }
  }
  return { answer, audit }
})

interface Editable extends Registration {
  readonly version: number
  readonly trust_generation: number
}

const lockHost = Effect.fnUntraced(function* (principal: Principal, id: HostId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<Editable>`
    select h.fqdn, host(h.address) as address, h.agent_port, h.display_name, h.bound_fingerprint,
      h.version::int as version, h.trust_generation
    from hosts h where h.id = ${id} and h.removed_at is null and ${hostScope(sql, principal)} for update of h`
  const row = rows[0]
  if (row === undefined) return yield* hostNotFound
  return row
})

/** PreconditionFailed where somebody edited the host since `version` was read. */
export const updateHost = (caller: Caller, id: HostId, version: number, change: Partial<Registration>) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(
      Effect.gen(function* () {
        const { version: found, trust_generation, ...before } = yield* lockHost(caller.principal, id)
        if (found !== version) {
          return yield* new PreconditionFailed({
            code: "version_mismatch",
            message: `Somebody changed this host meanwhile: it is at version ${found}, you edited ${version}. Read it again.`
          })
        }
        const after: Registration = { ...before, ...change }
        const moved =
          after.fqdn !== before.fqdn ||
          after.address !== before.address ||
          after.agent_port !== before.agent_port ||
          after.bound_fingerprint !== before.bound_fingerprint
        yield* sql`
          update hosts set fqdn = ${after.fqdn}, address = ${after.address}::text::inet, agent_port = ${after.agent_port},
            display_name = ${after.display_name}, bound_fingerprint = ${after.bound_fingerprint}, version = version + 1,
            trust_generation = ${trust_generation + (moved ? 1 : 0)}
          where id = ${id}`
        if (moved) yield* insertRequest(id, { type: "refresh", by: caller.principal.username })
        yield* sql`insert into change_feed (topic, host_id) values ('host', ${id})`
        yield* sql`select pg_notify('worker', ${`host_changed ${id}`}), pg_notify('feed', '')`
        const host = yield* getHost(caller.principal, id)
        yield* appendAudit(originOf(caller), {
          action: "host.edit",
          object_type: "host",
          object_id: id,
          before,
          after
        })
        return host
      })
    )
  )

/** A wish as its row in host_requests: the machine's fact without its time, or a refresh. */
type Wish<T> = T extends { readonly at: number } ? Omit<T, "at"> : never
export type HostWish = Wish<
  Extract<HostEvent, { readonly type: "cancel" | "retry.now" | "dismiss" | "settle.by_hand" | "retire" }>
>
type HostRequest = HostWish | { readonly type: "refresh"; readonly by: string }

/** Leaves a request for the worker; inside the transaction of the change it belongs to. */
export const insertRequest = Effect.fnUntraced(function* (id: HostId, event: HostRequest) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    insert into host_requests (id, host_id, event)
    values (${randomUUID()}, ${id}, ${JSON.stringify(event)}::text::jsonb)`
  yield* sql`select pg_notify('worker', ${`host_requested ${id}`})`
})

const ask = <E>(
  caller: Caller,
  id: HostId,
  event: HostRequest,
  action: string,
  before: Effect.Effect<unknown, E, SqlClient.SqlClient>
) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(
      Effect.gen(function* () {
        yield* lockHost(caller.principal, id)
        yield* before
        yield* insertRequest(id, event)
        yield* appendAudit(originOf(caller), { action, object_type: "host", object_id: id, before: null, after: event })
      })
    )
  )

/** Polls the host now and reads its patches. */
export const requestRefresh = (caller: Caller, id: HostId) =>
  ask(caller, id, { type: "refresh", by: caller.principal.username }, "host.refresh", Effect.void)

/** The worker retires the host when its machine allows it; with force also in the middle of work. */
export const requestRemoval = (caller: Caller, id: HostId, force: boolean) =>
  ask(
    caller,
    id,
    { type: "retire", force, by: caller.principal.username },
    "host.remove",
    Effect.flatMap(SqlClient.SqlClient, (sql) =>
      Effect.andThen(
        sql`update hosts set removal_requested_at = coalesce(removal_requested_at, now()) where id = ${id}`,
        sql`with fed as (insert into change_feed (topic, host_id) values ('host', ${id}))
          select pg_notify('feed', '')`
      )
    )
  )

/** Conflict where the host's machine takes no such event in the state it is in. */
const mustTake = (id: HostId, event: HostEvent) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const rows = yield* sql<{ machine_version: number; value: unknown; context: unknown; summary: string }>`
      select machine_version, value, context, summary from host_snapshots where host_id = ${id}`
    const row = rows[0]
    const snapshot = row && restore(row)
    if (snapshot && Result.isSuccess(snapshot) && canTake(snapshot.success, event)) return
    return yield* new Conflict({
      code: "not_possible_now",
      message: `The host is ${row?.summary ?? "unknown"}: that can only be decided while it waits for a decision or another try.`
    })
  })

/** A person's decision about a host that waits for one. */
export const requestDecision = (
  caller: Caller,
  id: HostId,
  wish: Extract<HostWish, { readonly type: "retry.now" | "dismiss" | "settle.by_hand" }>
) => ask(caller, id, wish, `host.${wish.type}`, mustTake(id, { ...wish, at: Date.now() }))
