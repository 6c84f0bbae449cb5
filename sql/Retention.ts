/**
 * What goes after its time. Transitions only go behind a base, a host's snapshot as it stood at one version, so that a replay
 * of what is left starts there. Audit rows only go from the front and up to a
 * checkpoint, and the anchor keeps the hash on which the rest stands.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

const BATCH = 2_000
const OPERATIONAL = "30 days"
/** A base a week: what is left of a host's transitions begins at most a week before the 30 days. */
const BASE_EVERY = "7 days"

const counted = (rows: ReadonlyArray<{ readonly n: number }>): number => rows[0]?.n ?? 0

/** Keeps where hosts stand now, for those without a young base. */
export const takeBases = Effect.flatMap(SqlClient.SqlClient, (sql) =>
  Effect.map(
    sql<{ n: number }>`
      with taken as (
        insert into host_bases (host_id, version, machine_version, value, context)
        select s.host_id, s.version, s.machine_version, s.value, s.context from host_snapshots s
        where s.version > coalesce((select max(b.version) from host_bases b where b.host_id = s.host_id), 0)
          and not exists (select 1 from host_bases b where b.host_id = s.host_id
            and b.taken_at > now() - ${BASE_EVERY}::interval)
        limit ${BATCH} on conflict do nothing returning 1
      )
      select count(*)::int as n from taken`,
    counted
  )
)

/** Those up to the newest base that is 30 days old. */
export const pruneTransitions = Effect.flatMap(SqlClient.SqlClient, (sql) =>
  Effect.map(
    sql<{ n: number }>`
      with old as (
        select t.host_id, t.version from host_transitions t
        where t.at < now() - ${OPERATIONAL}::interval and t.version <= (
          select max(b.version) from host_bases b
          where b.host_id = t.host_id and b.taken_at < now() - ${OPERATIONAL}::interval)
        order by t.at limit ${BATCH}
      ),
      gone as (delete from host_transitions t using old where t.host_id = old.host_id and t.version = old.version returning 1)
      select count(*)::int as n from gone`,
    counted
  )
)

/** Bases older than the one from which the replay starts. */
export const pruneBases = Effect.flatMap(
  SqlClient.SqlClient,
  (sql) => sql`
    delete from host_bases b where b.version < (
      select max(n.version) from host_bases n
      where n.host_id = b.host_id and n.taken_at < now() - ${OPERATIONAL}::interval)
      and not exists (select 1 from host_transitions t where t.host_id = b.host_id and t.version <= b.version)`
)

/** Rows of the day's work that nobody asks for any more; those that have tables of their own for longer are not among them. */
export const pruneOperational = Effect.flatMap(SqlClient.SqlClient, (sql) =>
  Effect.map(
    sql<{ n: number }>`
      with scans as (
        delete from discovery_scans where id in (
          select id from discovery_scans where created_at < now() - ${OPERATIONAL}::interval and state not in ('queued', 'running')
          limit ${BATCH})
        returning 1
      ),
      requests as (
        delete from host_requests where id in (
          select id from host_requests where created_at < now() - ${OPERATIONAL}::interval limit ${BATCH})
        returning 1
      ),
      effects as (
        update order_effects set packages_before = '[]' where order_id in (
          select e.order_id from order_effects e join patch_job_hosts o on o.id = e.order_id
          where o.finished_at < now() - ${OPERATIONAL}::interval and e.packages_before <> '[]' limit ${BATCH})
        returning 1
      )
      select ((select count(*) from scans) + (select count(*) from requests) + (select count(*) from effects))::int as n`,
    counted
  )
)

/** Jobs that ended so long ago, with their hosts' results and their own transitions; never one that another still refers to. */
export const pruneJobs = (months: number) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    Effect.map(
      sql<{ n: number }>`
        with gone as (
          delete from patch_jobs where id in (
            select j.id from patch_jobs j
            where j.finished_at < now() - ${months}::int * interval '1 month'
              and not exists (select 1 from patch_jobs c where c.parent_job_id = j.id)
            order by j.finished_at limit 50)
          returning 1
        )
        select count(*)::int as n from gone`,
      counted
    )
  )

export const pruneAudit = (months: number) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(
      Effect.map(
        sql<{ n: number }>`
          select audit_prune(least(now() - ${months}::int * interval '1 month', now() - interval '180 days'), ${BATCH})::int as n`,
        counted
      )
    )
  )
