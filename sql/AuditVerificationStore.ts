/** Runs of the audit log's verification: asked for by people or due, carried out by the worker, kept with what they found. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { Finding } from "#core/audit/Finding.ts"
import type { Verification } from "#core/audit/Verification.ts"
import { Conflict, NotFound } from "#core/Errors.ts"
import { AuditVerificationId } from "#core/Ids.ts"
import { newId } from "#core/newId.ts"
import type { Page } from "#core/Page.ts"
import type { Caller } from "#core/User.ts"
import { raiseAlarm, clearAlarm } from "./AlarmStore.ts"
import { appendAudit, type AuditEntry, type AuditOrigin, originOf } from "./AuditStore.ts"
import { readCursor, writeCursor } from "./cursor.ts"

/** The kind of the alarm that stands while something is wrong with the log. */
export const AUDIT_ALARM = "audit_log"

const machine: AuditOrigin = {
  actor: { kind: "machine", id: "worker", name: "worker" },
  request_id: "audit-verification",
  source_address: "local"
}

const json = (column: string): string => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

const columns = `json_build_object('id', v.id, 'cause', v.cause, 'requested_by', v.requested_by,
  'requested_at', ${json("v.requested_at")}, 'state', v.state, 'started_at', ${json("v.started_at")},
  'finished_at', ${json("v.finished_at")}, 'cancel_requested', v.cancel_requested_at is not null,
  'rows_total', v.rows_total, 'rows_done', v.rows_done, 'checkpoints_checked', v.checkpoints_checked,
  'findings', v.findings, 'notices', v.notices)`

const notFound = new NotFound({ message: "There is no such verification." })

const entry = (action: string, id: string, after: unknown): AuditEntry => ({
  action,
  object_type: "audit_verification",
  object_id: id,
  before: null,
  after
})

/** Adds a run that waits; for `once`, which appends the audit row. */
export const insertVerification = Effect.fnUntraced(function* (caller: Caller) {
  const sql = yield* SqlClient.SqlClient
  const id = newId(AuditVerificationId)
  const made = yield* sql<{ verification: Verification }>`
    insert into audit_verifications as v (id, cause, requested_by)
    values (${id}, 'request', ${originOf(caller).actor.name}) on conflict do nothing
    returning ${sql.literal(columns)} as verification`
  const [row] = made
  if (row === undefined) {
    return yield* new Conflict({ message: "A verification waits or runs already. Look at it, or cancel it first." })
  }
  yield* sql`select pg_notify('worker', 'audit_verification')`
  return { answer: row.verification, audit: entry("audit.verify", id, null) }
})

/** Adds one for somebody on the machine itself; the one that is open counts as his as well. */
export const requestVerification = Effect.fnUntraced(function* (origin: AuditOrigin) {
  const sql = yield* SqlClient.SqlClient
  return yield* sql.withTransaction(
    Effect.gen(function* () {
      const id = newId(AuditVerificationId)
      const rows = yield* sql<{ id: AuditVerificationId }>`
        with made as (
          insert into audit_verifications (id, cause, requested_by) values (${id}, 'request', ${origin.actor.name})
          on conflict do nothing returning id
        )
        select id from made union all
        select id from audit_verifications where state in ('queued', 'running') and not exists (select 1 from made)`
      const found = rows[0]
      if (found === undefined) return yield* notFound
      yield* sql`select pg_notify('worker', 'audit_verification')`
      yield* appendAudit(origin, entry("audit.verify", found.id, null))
      return found
    })
  )
})

/** Adds one for the worker itself, unless one is open. */
export const insertOwnVerification = Effect.fnUntraced(function* (why: string) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    insert into audit_verifications (id, cause, requested_by)
    values (${newId(AuditVerificationId)}, 'periodic', ${why}) on conflict do nothing`
})

/** Whether the last run that came to an end is older than this. */
export const isVerificationDue = Effect.fnUntraced(function* (hours: number) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ due: boolean }>`
    select not exists (select 1 from audit_verifications
      where finished_at > now() - ${hours}::int * interval '1 hour' and state in ('passed', 'failed')) as due`
  return rows[0]?.due ?? false
})

export const listVerifications = Effect.fnUntraced(function* (request: {
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
}) {
  const sql = yield* SqlClient.SqlClient
  const limit = request.limit ?? 20
  const after = yield* readCursor("audit-verifications", request.cursor, "text")
  const rows = yield* sql<{ verification: Verification }>`
    select ${sql.literal(columns)} as verification from audit_verifications v
    where ${after ? sql`v.id < ${after.id}::text::uuid` : sql`true`} order by v.id desc limit ${limit + 1}::int`
  const counted = yield* sql<{ total: number }>`select count(*)::int as total from audit_verifications`
  const items = rows.slice(0, limit).map((row) => row.verification)
  const last = items.at(-1)
  const page: Page<Verification> = {
    items,
    total: counted[0]?.total ?? 0,
    next_cursor: rows.length > limit && last ? writeCursor("audit-verifications", { key: "", id: last.id }) : null
  }
  return page
})

export const getVerification = Effect.fnUntraced(function* (id: AuditVerificationId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ verification: Verification }>`
    select ${sql.literal(columns)} as verification from audit_verifications v where v.id = ${id}`
  return rows[0]?.verification ?? (yield* notFound)
})

/** The newest, whatever became of it. */
export const readLastVerification = Effect.flatMap(SqlClient.SqlClient, (sql) =>
  Effect.map(
    sql<{ verification: Verification }>`
      select ${sql.literal(columns)} as verification from audit_verifications v order by v.id desc limit 1`,
    (rows) => rows[0]?.verification ?? null
  )
)

export const cancelVerification = Effect.fnUntraced(function* (caller: Caller, id: AuditVerificationId) {
  const sql = yield* SqlClient.SqlClient
  yield* sql.withTransaction(
    Effect.gen(function* () {
      const found = yield* getVerification(id)
      const changed = yield* sql`
        update audit_verifications set cancel_requested_at = coalesce(cancel_requested_at, now()),
          state = case when state = 'queued' then 'cancelled' else state end,
          finished_at = case when state = 'queued' then now() else finished_at end
        where id = ${id} and state in ('queued', 'running') returning id`
      if (changed.length === 0) {
        return yield* new Conflict({ message: `This verification is over already: it has ${found.state}.` })
      }
      yield* appendAudit(originOf(caller), entry("audit.verify_cancel", id, null))
    })
  )
})

/** Where a run stands between two stretches; what a worker that takes over goes on from. */
export interface ClaimedVerification {
  readonly id: AuditVerificationId
  readonly progress: unknown
}

/** The run that waits, or one that a worker before this one began. */
export const claimVerification = Effect.flatMap(SqlClient.SqlClient, (sql) =>
  Effect.map(
    sql<ClaimedVerification>`
      update audit_verifications set state = 'running', started_at = coalesce(started_at, now())
      where state in ('queued', 'running') returning id, progress`,
    (rows) => rows[0] ?? null
  )
)

/** Says whether to go on. */
export const writeVerificationProgress = Effect.fnUntraced(function* (
  id: AuditVerificationId,
  at: {
    readonly rowsTotal: number
    readonly rowsDone: number
    readonly checkpoints: number
    readonly progress: unknown
  }
) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ cancelled: boolean }>`
    update audit_verifications set rows_total = ${String(at.rowsTotal)}::text::bigint,
      rows_done = ${String(at.rowsDone)}::text::bigint, checkpoints_checked = ${String(at.checkpoints)}::text::bigint,
      progress = ${JSON.stringify(at.progress)}::text::jsonb
    where id = ${id} and state = 'running' returning cancel_requested_at is not null as cancelled`
  return rows[0]?.cancelled === false
})

export interface VerificationEnd {
  readonly state: "passed" | "failed" | "cancelled"
  readonly findings: ReadonlyArray<Finding>
  readonly notices: ReadonlyArray<string>
}

const summary = (findings: ReadonlyArray<Finding>): string =>
  `The audit log failed its verification. ${findings[0]?.message ?? ""}${
    findings.length > 1 ? ` ${findings.length - 1} more ${findings.length === 2 ? "finding" : "findings"}.` : ""
  } Keep the database as it is and see Audit.`

/**
 * Ends the run: its result, and the alarm and message that findings raise, or the alarm's end. The audit row comes after it: a log
 * that somebody broke may take no row any more, and just then the result has to be kept.
 */
export const finishVerification = Effect.fnUntraced(function* (id: AuditVerificationId, end: VerificationEnd) {
  const sql = yield* SqlClient.SqlClient
  const isEnded = yield* sql.withTransaction(
    Effect.gen(function* () {
      const ended = yield* sql`
        update audit_verifications set state = ${end.state}, finished_at = now(), progress = null,
          findings = ${JSON.stringify(end.findings)}::text::jsonb, notices = ${JSON.stringify(end.notices)}::text::jsonb
        where id = ${id} and state = 'running' returning id`
      if (ended.length === 0) return false
      if (end.state === "passed") yield* clearAlarm(AUDIT_ALARM)
      if (end.state === "failed") {
        yield* tellFindings(summary(end.findings), { verification_id: id, findings: end.findings })
      }
      return end.state !== "cancelled"
    })
  )
  if (!isEnded) return
  yield* appendAudit(
    machine,
    entry(`audit.verification_${end.state}`, id, {
      findings: end.findings.slice(0, 20).map(({ first_seq, kind }) => ({ kind, first_seq }))
    })
  ).pipe(Effect.catch((error) => Effect.logError("The audit log takes no row for the verification's result", error)))
})

/** The banner, and a message to send out the first time. */
export const tellFindings = Effect.fnUntraced(function* (message: string, body: object) {
  const sql = yield* SqlClient.SqlClient
  const isNews = yield* raiseAlarm(AUDIT_ALARM, message)
  if (!isNews) return
  yield* sql`
    insert into outbox (kind, body) values ('audit_finding', ${JSON.stringify({ message, ...body })}::text::jsonb)`
})
