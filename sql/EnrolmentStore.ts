/** Requests of agents that ask to join, from the first word to the certificate handed out. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { Conflict, TooManyRequests } from "#core/Errors.ts"
import { ENROLMENT_HOURS, FETCH_GRACE_MINUTES } from "#core/Enrolment.ts"
import { EnrolmentId, type HostId } from "#core/Ids.ts"
import { newId } from "#core/newId.ts"
import { type AuditOrigin, appendAudit } from "./AuditStore.ts"
import { insertRequest } from "./HostStore.ts"

/** More requests than this wait only where somebody floods the queue. */
const MOST_PENDING = 1_000
/** A machine, its clone and one mistake; whoever knows a machine id cannot fill the queue with it. */
const MOST_FOR_ONE_MACHINE = 3

export interface NewEnrolment {
  readonly machine_id: string
  readonly fqdn: string
  readonly address: string
  readonly hostname: string | null
  readonly os_details: Readonly<Record<string, string>>
}

/** What stays of a polling token. */
export interface TokenTrace {
  readonly hash: string
  readonly public_key: Uint8Array
}

const anonymous = (
  origin: Pick<AuditOrigin, "request_id" | "source_address">,
  id: string,
  name: string
): AuditOrigin => ({
  ...origin,
  actor: { kind: "anonymous", id, name }
})

/**
 * A machine that asks again from where it asked before, as what it said before, keeps its place in the queue and gets a new token;
 * the old one ends. Anything else is a request of its own, shown beside the first as its conflict, so that nobody takes over
 * another's request unseen and nobody keeps the real machine out by asking first.
 */
export const requestEnrolment = (
  origin: Pick<AuditOrigin, "request_id" | "source_address">,
  wanted: NewEnrolment,
  token: TokenTrace
) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(
      Effect.gen(function* () {
        yield* sql`select pg_advisory_xact_lock(hashtextextended(${wanted.machine_id}, 7202614))`
        const registered = yield* sql`
          select 1 from hosts where machine_id = ${wanted.machine_id} and removed_at is null`
        if (registered.length > 0) {
          return yield* new Conflict({
            code: "machine_registered",
            message:
              "This machine is registered already. An administrator has to remove its host before it can join again."
          })
        }
        const repeated = yield* sql<{ id: EnrolmentId; attempts: number }>`
          update enrolments set token_hash = ${token.hash}, bundle_key = ${token.public_key}, attempts = attempts + 1,
            asked_at = now(), expires_at = now() + ${ENROLMENT_HOURS}::int * interval '1 hour',
            hostname = ${wanted.hostname}, os_details = ${JSON.stringify(wanted.os_details)}::text::jsonb
          where state = 'pending' and expires_at > now() and machine_id = ${wanted.machine_id} and fqdn = ${wanted.fqdn}
            and address = ${wanted.address}::text::inet and source_address = ${origin.source_address}
          returning id, attempts`
        const again = repeated[0]
        if (again !== undefined) {
          yield* appendAudit(anonymous(origin, again.id, wanted.fqdn), {
            action: "enrolment.repeat",
            object_type: "enrolment",
            object_id: again.id,
            before: null,
            after: { attempts: again.attempts }
          })
          return again.id
        }
        const pending = yield* sql<{ everyone: number; machine: number }>`
          select count(*)::int as everyone, (count(*) filter (where machine_id = ${wanted.machine_id}))::int as machine
          from enrolments where state = 'pending' and expires_at > now()`
        if ((pending[0]?.machine ?? 0) >= MOST_FOR_ONE_MACHINE) {
          return yield* new Conflict({
            code: "machine_pending",
            message: "Several requests with this machine id wait already. An administrator has to decide them first."
          })
        }
        if ((pending[0]?.everyone ?? 0) >= MOST_PENDING) {
          return yield* new TooManyRequests({
            message: "Too many requests wait for a decision. Ask again later.",
            details: { retry_after_seconds: 600 }
          })
        }
        const id = newId(EnrolmentId)
        yield* sql`
          insert into enrolments (id, machine_id, fqdn, address, hostname, os_details, source_address, token_hash, bundle_key,
            expires_at)
          values (${id}, ${wanted.machine_id}, ${wanted.fqdn}, ${wanted.address}::text::inet, ${wanted.hostname},
            ${JSON.stringify(wanted.os_details)}::text::jsonb, ${origin.source_address}, ${token.hash},
            ${token.public_key}, now() + ${ENROLMENT_HOURS}::int * interval '1 hour')`
        yield* appendAudit(anonymous(origin, id, wanted.fqdn), {
          action: "enrolment.request",
          object_type: "enrolment",
          object_id: id,
          before: null,
          after: wanted
        })
        return id
      })
    )
  )

export type EnrolmentAnswer =
  | { readonly status: "pending" | "denied" | "notfound" }
  | { readonly status: "approved"; readonly id: EnrolmentId; readonly bundle: Uint8Array }

interface Polled {
  readonly id: EnrolmentId
  readonly state: "pending" | "approved" | "denied" | "expired"
  readonly fqdn: string
  readonly alive: boolean
  readonly fetchable: boolean
  readonly bundle: Uint8Array | null
}

/** What the bearer of this token is told now. Each bundle handed out is counted and audited. */
export const pollEnrolment = (origin: Pick<AuditOrigin, "request_id" | "source_address">, tokenHash: string) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(
      Effect.gen(function* () {
        // Locked first and read after: a statement that waits for an approval would see its row but not yet its host.
        yield* sql`select 1 from enrolments where token_hash = ${tokenHash} for update`
        const rows = yield* sql<Polled>`
          select e.id, e.state, e.fqdn, e.expires_at > now() as alive, e.bundle,
            (e.first_fetched_at is null
              or e.first_fetched_at > now() - ${FETCH_GRACE_MINUTES}::int * interval '1 minute')
            and exists (select 1 from hosts h where h.id = e.host_id and h.removed_at is null)
            and exists (select 1 from certificates c where c.id = e.certificate_id and c.revoked_at is null) as fetchable
          from enrolments e where e.token_hash = ${tokenHash}`
        const row = rows[0]
        const nothing: EnrolmentAnswer = { status: "notfound" }
        if (row === undefined || !row.alive) return nothing
        if (row.state === "pending" || row.state === "denied") return { status: row.state } satisfies EnrolmentAnswer
        if (row.state === "expired" || row.bundle === null || !row.fetchable) return nothing
        const fetched = yield* sql<{ fetches: number }>`
          update enrolments set first_fetched_at = coalesce(first_fetched_at, now()), fetches = fetches + 1
          where id = ${row.id} returning fetches`
        yield* appendAudit(anonymous(origin, row.id, row.fqdn), {
          action: "enrolment.fetch",
          object_type: "enrolment",
          object_id: row.id,
          before: null,
          after: { fetches: fetched[0]?.fetches ?? 1 }
        })
        return { status: "approved", id: row.id, bundle: row.bundle } satisfies EnrolmentAnswer
      })
    )
  )

const clock: AuditOrigin = {
  actor: { kind: "machine", id: "enrolment", name: "enrolment expiry" },
  request_id: "expiry",
  source_address: "local"
}

/** Ends what is over: requests nobody decided, and bundles whose time is up. Safe to run in several processes at once. */
export const expireEnrolments = Effect.flatMap(SqlClient.SqlClient, (sql) =>
  sql.withTransaction(
    Effect.gen(function* () {
      const expired = yield* sql<{ id: EnrolmentId; fqdn: string }>`
        update enrolments set state = 'expired' where id in (
          select id from enrolments where state = 'pending' and expires_at <= now() order by id limit 500
          for update skip locked)
        returning id, fqdn`
      const cleared = yield* sql<{ id: EnrolmentId; fetched: boolean }>`
        update enrolments set bundle = null where id in (
          select id from enrolments where bundle is not null and (expires_at <= now()
            or first_fetched_at <= now() - ${FETCH_GRACE_MINUTES}::int * interval '1 minute')
          order by id limit 500 for update skip locked)
        returning id, first_fetched_at is not null as fetched`
      // The agent starts with its certificate some seconds after it fetched it; the next poll would be minutes away.
      const started = yield* sql<{ host_id: HostId }>`
        update enrolments set nudged = true where id in (
          select id from enrolments where state = 'approved' and not nudged and host_id is not null
            and first_fetched_at <= now() - interval '15 seconds' order by id limit 500 for update skip locked)
        returning host_id`
      for (const { host_id } of started) yield* insertRequest(host_id, { type: "refresh", by: "enrolment" })
      for (const { id, fqdn } of expired) {
        yield* appendAudit(clock, {
          action: "enrolment.expire",
          object_type: "enrolment",
          object_id: id,
          before: { state: "pending" },
          after: { state: "expired", fqdn }
        })
      }
      for (const { id, fetched } of cleared) {
        if (fetched) continue
        yield* appendAudit(clock, {
          action: "enrolment.bundle_expire",
          object_type: "enrolment",
          object_id: id,
          before: null,
          after: { fetches: 0 }
        })
      }
    })
  )
)
