/** The queue of requests as administrators see it, and their decisions. */
import { Effect, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { type Approval, conflictWords, type Enrolment, type EnrolmentState } from "#core/Enrolment.ts"
import { Conflict, NotFound } from "#core/Errors.ts"
import { Fqdn } from "#core/Host.ts"
import type { EnrolmentId, HostId } from "#core/Ids.ts"
import type { Page } from "#core/Page.ts"
import type { Caller, Principal } from "#core/User.ts"
import { appendAudit, type AuditEntry, originOf } from "./AuditStore.ts"
import { insertHostCertificate, type MintedCertificate } from "./CertificateStore.ts"
import { readCursor, writeCursor } from "./cursor.ts"
import { changeGroupHosts } from "./groupMembers.ts"
import { hostScope } from "./hostScope.ts"
import { insertHost, refuseDuplicates } from "./HostStore.ts"

const DEFAULT_PORT = 12443

export const enrolmentNotFound = new NotFound({
  code: "enrolment_not_found",
  message: "There is no such request to join."
})

/** Hosts and other requests in the way of `enrolments e`. A host outside of the caller's scope is there without its name. */
const conflictsOf = (sql: SqlClient.SqlClient, principal: Principal) => sql`
  case when e.state <> 'pending' then '[]'::json else coalesce((
    select json_agg(json_build_object('kind', x.kind, 'host_id', x.host_id, 'enrolment_id', x.enrolment_id,
      'name', x.name) order by x.kind, x.id)
    from (
      select w.kind, w.host_id as id, h.id as host_id, null::uuid as enrolment_id, h.display_name as name
      from hosts_in_the_way(e.fqdn, e.address, e.machine_id) w
        left join hosts h on h.id = w.host_id and ${hostScope(sql, principal)}
      union all
      select 'request', o.id, null, o.id, o.fqdn || ' from ' || o.source_address
      from enrolments o
      where o.id <> e.id and o.state = 'pending' and o.expires_at > now()
        and (o.machine_id = e.machine_id or o.fqdn = e.fqdn or o.address = e.address)
    ) x), '[]'::json) end`

/** A request that became a host is as visible as that host; what waits, was denied or ran out belongs to no group. */
const scope = (sql: SqlClient.SqlClient, principal: Principal) => sql`(e.host_id is null
  or exists (select 1 from hosts h where h.id = e.host_id and ${hostScope(sql, principal)}))`

const columns = (sql: SqlClient.SqlClient, principal: Principal) => sql`
  e.id, case when e.state = 'pending' and e.expires_at <= now() then 'expired' else e.state end as state, e.machine_id, e.fqdn,
  host(e.address) as address, e.hostname, json_build_object('distro', e.os_details->>'distro',
    'version', e.os_details->>'version', 'kernel', e.os_details->>'kernel') as system,
  e.source_address, e.attempts, e.created_at, e.asked_at, e.expires_at, e.decided_at, e.decided_by, e.host_id,
  e.first_fetched_at, e.fetches, ${conflictsOf(sql, principal)} as conflicts`

export const getEnrolment = Effect.fnUntraced(function* (principal: Principal, id: EnrolmentId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ row: Enrolment }>`
    select row_to_json(x) as row from (
      select ${columns(sql, principal)} from enrolments e where e.id = ${id} and ${scope(sql, principal)}) x`
  const row = rows[0]
  if (row === undefined) return yield* enrolmentNotFound
  return row.row
})

export interface EnrolmentListRequest {
  readonly state?: ReadonlyArray<EnrolmentState> | undefined
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
}

/** Oldest first while they wait; the newest first among all. */
export const listEnrolments = Effect.fnUntraced(function* (principal: Principal, request: EnrolmentListRequest) {
  const sql = yield* SqlClient.SqlClient
  const limit = request.limit ?? 50
  const waiting = request.state?.length === 1 && request.state[0] === "pending"
  const sort = waiting ? "created" : "-created"
  const after = yield* readCursor(sort, request.cursor, "text")
  const effective = sql`case when e.state = 'pending' and e.expires_at <= now() then 'expired' else e.state end`
  const wanted = request.state ? sql`${effective} = any(${request.state}::text[])` : sql`true`
  const matching = sql`${wanted} and ${scope(sql, principal)}`
  const beyond = after ? sql`e.id ${sql.literal(waiting ? ">" : "<")} ${after.id}::text::uuid` : sql`true`
  const rows = yield* sql<{ row: Enrolment }>`
    select row_to_json(x) as row from (
      select ${columns(sql, principal)} from enrolments e where ${matching} and ${beyond}
      order by e.id ${sql.literal(waiting ? "asc" : "desc")} limit ${limit + 1}) x`
  const counted = yield* sql<{ total: number }>`select count(*)::int as total from enrolments e where ${matching}`
  const items = rows.slice(0, limit).map((row) => row.row)
  const last = items.at(-1)
  const page: Page<Enrolment> = {
    items,
    total: counted[0]?.total ?? 0,
    next_cursor: rows.length > limit && last ? writeCursor(sort, { key: "", id: last.id }) : null
  }
  return page
})

/** The request, locked, if it still waits. */
const lockPending = Effect.fnUntraced(function* (principal: Principal, id: EnrolmentId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ bundle_key: Uint8Array }>`select bundle_key from enrolments where id = ${id} for update`
  const row = rows[0]
  if (row === undefined) return yield* enrolmentNotFound
  const enrolment = yield* getEnrolment(principal, id)
  if (enrolment.state !== "pending") {
    return yield* new Conflict({
      code: "enrolment_decided",
      message:
        enrolment.state === "expired"
          ? "The request has expired. The agent has to ask again."
          : `The request is already ${enrolment.state}, by ${enrolment.decided_by}.`
    })
  }
  return { enrolment, bundle_key: row.bundle_key }
})

const isFqdn = Schema.is(Fqdn)

/** How the certificate is made and sealed; the store holds no key. */
export interface Issuing<C extends MintedCertificate, E> {
  readonly issue: (host: {
    readonly id: HostId
    readonly fqdn: string | null
    readonly address: string
  }) => Effect.Effect<C, E>
  readonly seal: (bundleKey: Uint8Array, id: EnrolmentId, certificate: C) => Uint8Array
}

/** Host, certificate and sealed bundle together or not at all; call inside a transaction, audit after it. */
export const approveEnrolment = Effect.fnUntraced(function* <C extends MintedCertificate, E>(
  caller: Caller,
  id: EnrolmentId,
  approval: Approval,
  issuing: Issuing<C, E>
) {
  const sql = yield* SqlClient.SqlClient
  const { enrolment, bundle_key } = yield* lockPending(caller.principal, id)
  const [first] = enrolment.conflicts
  if (first !== undefined) {
    return yield* new Conflict({ code: "enrolment_conflict", message: conflictWords(first) })
  }
  const fqdn = isFqdn(enrolment.fqdn) ? enrolment.fqdn : null
  const registration = {
    fqdn,
    address: enrolment.address,
    agent_port: approval.agent_port ?? DEFAULT_PORT,
    display_name: approval.display_name ?? (enrolment.hostname || enrolment.fqdn),
    bound_fingerprint: null
  }
  // A transaction within, so that a host registered this moment is a Conflict and not a broken transaction.
  const host = yield* refuseDuplicates(sql.withTransaction(insertHost(caller, registration)))
  const hostId = host.answer.id
  yield* sql`update hosts set machine_id = ${enrolment.machine_id} where id = ${hostId}`
  const minted = yield* issuing.issue({ id: hostId, fqdn, address: enrolment.address })
  const bundle = issuing.seal(bundle_key, id, minted)
  yield* appendAudit(originOf(caller), host.audit)
  for (const group of approval.group_ids ?? []) yield* changeGroupHosts(caller, group, "add", [hostId])
  const certificate = yield* insertHostCertificate(caller, hostId, minted)
  yield* sql`
    update enrolments set state = 'approved', decided_at = now(), decided_by = ${caller.principal.username},
      host_id = ${hostId}, certificate_id = ${certificate.id}, bundle = ${bundle}
    where id = ${id}`
  const answer = yield* getEnrolment(caller.principal, id)
  const audit: AuditEntry = {
    action: "enrolment.approve",
    object_type: "enrolment",
    object_id: id,
    before: { state: "pending" },
    after: {
      state: "approved",
      host_id: hostId,
      fqdn: enrolment.fqdn,
      address: enrolment.address,
      machine_id: enrolment.machine_id,
      serial: minted.serial
    }
  }
  return { answer, audit }
})

/** The agent is told at its next poll, and gives up. */
export const denyEnrolment = (caller: Caller, id: EnrolmentId) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(
      Effect.gen(function* () {
        const { enrolment } = yield* lockPending(caller.principal, id)
        yield* sql`
          update enrolments set state = 'denied', decided_at = now(), decided_by = ${caller.principal.username}
          where id = ${id}`
        yield* appendAudit(originOf(caller), {
          action: "enrolment.deny",
          object_type: "enrolment",
          object_id: id,
          before: { state: "pending" },
          after: { state: "denied", fqdn: enrolment.fqdn, machine_id: enrolment.machine_id }
        })
        return yield* getEnrolment(caller.principal, id)
      })
    )
  )
