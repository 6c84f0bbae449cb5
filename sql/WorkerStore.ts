/** The worker's own rows: who is the worker, that it lives, and what people asked of hosts. */
import { Effect, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { HostId, type OrderId } from "#core/Ids.ts"
import { ownsLog } from "./HeartbeatStore.ts"

const WORKER_LOCK = 7_202_612

/** A session that holds the workers' lock for as long as its scope is open; a worker that dies gives it back at once. */
export const openLockSession = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const session = yield* sql.reserve
  return {
    /** True where the lock is this session's now. */
    take: session
      .executeValues("select pg_try_advisory_lock($1)", [WORKER_LOCK])
      .pipe(Effect.map((rows) => rows[0]?.[0] === true))
  }
})

/** Ends the session of a holder that has stopped renewing: it may be frozen and would keep the lock for ever. */
export const endLockHolder = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    select pg_terminate_backend(pid) from pg_locks
    where locktype = 'advisory' and granted and classid = 0 and objid = ${WORKER_LOCK}::int::oid and pid <> pg_backend_pid()
      and database = (select oid from pg_database where datname = current_database())`
})

export interface Lease {
  readonly epoch: number
  readonly holder: string
  readonly renewals: number
}

export const readLease = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<Lease>`
    select epoch::int as epoch, holder, renewals::int as renewals from worker_lease where name = 'worker'`
  return rows[0]!
})

/** Raises the epoch: from now on every commit of an earlier worker is refused. `died`: the last one did not give it back. */
export const takeLease = Effect.fnUntraced(function* (workerId: string) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ epoch: number; died: boolean }>`
    with before as (select name, released from worker_lease where name = 'worker' for update)
    update worker_lease l set epoch = l.epoch + 1, holder = ${workerId}, taken_at = now(), renewed_at = now(),
      renewals = l.renewals + 1, released = false
    from before where l.name = before.name returning l.epoch::int as epoch, not before.released as died`
  return rows[0]!
})

/** Says that this worker ends in order. */
export const releaseLease = Effect.fnUntraced(function* (epoch: number) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    update worker_lease set released = true, deaths = 0, blamed_order = null, blame_is_sure = false,
      begun_order = null
    where name = 'worker' and epoch = ${epoch}::float8`
})

/** Where it is known whose call began last, three deaths are enough; elsewhere chance may point at the same order. */
const DEATHS_IN_CALL = 3
const DEATHS = 5

/**
 * After a worker died: blames the order whose call began last, or where calls did not yet begin one by one, the order that moved
 * last. One that is blamed again and again ends as failed and its host is set aside, or its work would end every worker.
 * Answers the sentence that says so, or null; `suspects`: some order is blamed, so calls should begin one by one.
 */
export const blameOrder = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ host_name: string; deaths: number; poison: boolean; host_id: string; order_id: string }>`
    with last as (
      select s.host_id, h.display_name, s.work, o.id as order_id, o.id is not distinct from l.begun_order as sure
      from worker_lease l cross join host_snapshots s join hosts h on h.id = s.host_id
      join patch_job_hosts o on o.host_id = s.host_id and not o.ended
        and o.state in ('dispatching', 'running', 'verifying', 'rebooting', 'uncertain')
      where l.name = 'worker' and s.parked_reason is null
      order by sure desc, s.updated_at desc limit 1
    ),
    blamed as (
      update worker_lease l set blamed_order = last.order_id, blame_is_sure = last.sure, begun_order = null,
        -- A guess may have named another order for the same death.
        deaths = case when l.blamed_order = last.order_id or (last.sure and l.blamed_order is not null and not l.blame_is_sure)
          then l.deaths + 1 else 1 end
      from last where l.name = 'worker' returning l.deaths
    )
    select last.host_id::text as host_id, last.order_id::text as order_id, last.display_name as host_name, blamed.deaths,
      blamed.deaths >= case when last.sure or last.work in ('patching.dispatching', 'rebooting.leaving')
        then ${DEATHS_IN_CALL}::int else ${DEATHS}::int end as poison
    from last cross join blamed`
  const found = rows[0]
  if (found === undefined) return { poison: null, suspects: false }
  if (!found.poison) return { poison: null, suspects: true }
  const message = `The worker died ${found.deaths} times in a row while it worked on this host (poison). Its order ended as failed and the host is set aside: look at the host and at the worker's log, then remove it and register it again.`
  yield* sql`
    with parked as (update host_snapshots set parked_reason = ${message} where host_id = ${found.host_id}::text::uuid),
    ended as (
      update patch_job_hosts o set state = 'failed', ended = true, finished_at = now(),
        outcome = jsonb_build_object('order_id', o.id, 'verdict', 'unresolved', 'message', ${message}::text, 'ran', true,
          'reboot_pending', null, 'rebooted', false, 'changes', '[]'::jsonb, 'installed', '{}'::jsonb, 'error_code', 'POISON',
          'failure', null)
      where o.id = ${found.order_id}::text::uuid returning o.host_id, o.job_id
    ),
    fed as (
      insert into change_feed (topic, host_id, job_id) select 'job_host', host_id, job_id from ended
      union all select 'host', host_id, null from ended returning 1
    ),
    cleared as (update worker_lease set blamed_order = null, blame_is_sure = false, deaths = 0 where name = 'worker' returning 1)
    select pg_notify('feed', '') from cleared`
  return { poison: `${found.host_name}: ${message}`, suspects: false }
})

/** Says whose call begins now. */
export const markBegun = Effect.fnUntraced(function* (epoch: number, order: OrderId) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    update worker_lease set begun_order = ${order}::text::uuid where name = 'worker' and epoch = ${epoch}::float8`
})

/** False where another worker has taken over. */
export const renewLease = Effect.fnUntraced(function* (epoch: number) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`
    update worker_lease set renewals = renewals + 1, renewed_at = now()
    where name = 'worker' and epoch = ${epoch}::float8 returning true`
  return rows.length > 0
})

export const beat = Effect.fnUntraced(function* (worker: {
  readonly id: string
  readonly epoch: number
  readonly pid: number
  readonly programVersion: string
  readonly role: "active" | "standby"
  /** How far the database's clock is ahead of that machine's; a standby does not compare them. */
  readonly clock_skew_ms?: number
}) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    insert into worker_heartbeat (worker_id, epoch, pid, program_version, role, clock_skew_ms, database_roles)
    values (${worker.id}, ${worker.epoch}::int, ${worker.pid}, ${worker.programVersion}, ${worker.role},
      ${Math.round(worker.clock_skew_ms ?? 0)}::float8,
      case when ${sql.literal(ownsLog)} then 'single' else 'separate' end)
    on conflict (worker_id) do update set beat_at = now(), epoch = excluded.epoch, role = excluded.role,
      clock_skew_ms = excluded.clock_skew_ms`
  yield* sql`delete from worker_heartbeat where beat_at < now() - interval '1 day'`
})

const HostRequest = Schema.Struct({ id: Schema.String, host_id: HostId, event: Schema.Unknown })
export type HostRequest = typeof HostRequest.Type
const decodeRequests = Schema.decodeUnknownEffect(Schema.Array(HostRequest))

/** What people asked, oldest first. Rows stay until `finishRequests`, so a crash in between asks again. */
export const readRequests = Effect.fnUntraced(function* (limit: number) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`select id, host_id, event from host_requests order by created_at, id limit ${limit}`
  return yield* Effect.orDie(decodeRequests(rows))
})

export const finishRequests = Effect.fnUntraced(function* (ids: ReadonlyArray<string>) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`delete from host_requests where id = any(${ids}::uuid[])`
})

/**
 * Requests to hosts that no actor can answer: a parked host is removed as soon as that is asked for, and what was asked of a
 * removed host goes.
 */
export const settleOrphans = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    with removed as (
      update hosts h set removed_at = now(), version = h.version + 1
      where h.removed_at is null and h.removal_requested_at is not null
        and exists (select 1 from host_snapshots s where s.host_id = h.id and s.parked_reason is not null)
      returning h.id
    ),
    given_up as (
      update patch_job_hosts o set state = 'failed', ended = true, finished_at = now(),
        outcome = jsonb_build_object('order_id', o.id, 'verdict', 'unresolved',
          'message', 'The host was removed while it was parked; what became of its work was never found out.',
          'ran', true, 'reboot_pending', null, 'rebooted', false, 'changes', '[]'::jsonb, 'installed', '{}'::jsonb,
          'error_code', null, 'failure', null)
      from removed where o.host_id = removed.id and not o.ended returning o.host_id
    ),
    fed as (
      insert into change_feed (topic, host_id)
      select 'host', id from removed where (select count(*) from given_up) >= 0 returning 1
    )
    select pg_notify('feed', '') where exists (select 1 from fed)`
  yield* sql`
    delete from host_requests r using hosts h join host_snapshots s on s.host_id = h.id
    where h.id = r.host_id and (h.removed_at is not null or s.parked_reason is not null)`
})

/** Every host with what changes when it is edited or gets another certificate. */
export const readHostVersions = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  return yield* sql<{ id: HostId; state: string }>`
    select id, version || '/' || trust_generation as state from hosts where removed_at is null`
})

/** How full the database's queue of notifications is, from 0 to 1. */
export const notificationQueueUsage = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ usage: number }>`select pg_notification_queue_usage()::float8 as usage`
  return rows[0]!.usage
})
