/**
 * The change feed as a reader sees it. Rows are taken in the order (transaction, seq), and only those of transactions
 * below every running one: neither the identity's order nor the clock's is the order in which rows become visible.
 */
import { Effect, Schedule, Stream } from "effect"
import { PgClient } from "@effect/sql-pg"
import { SqlClient } from "effect/sql"
import type { HostId, JobId } from "#core/Ids.ts"
import type { LiveHost, LiveJob, LiveJobHost } from "#core/Live.ts"
import type { Principal } from "#core/User.ts"
import { hostScope } from "./hostScope.ts"
import { jobSources } from "./JobStore.ts"

export interface FeedRow {
  /** The writing transaction; what a browser calls `seq`. */
  readonly xid: number
  readonly seq: number
  readonly topic: "host" | "job" | "job_host"
  readonly host_id: HostId | null
  readonly job_id: JobId | null
  readonly version: number | null
}

export interface FeedPosition {
  readonly xid: number
  readonly seq: number
}

/** Everything that is final by now lies before this position. */
export const feedEnd = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ xid: number }>`
    select pg_snapshot_xmin(pg_current_snapshot())::text::float8 - 1 as xid`
  const position: FeedPosition = { xid: rows[0]!.xid, seq: Number.MAX_SAFE_INTEGER }
  return position
})

/** Rows after the position, oldest first. */
export const readFeed = Effect.fnUntraced(function* (after: FeedPosition, limit: number) {
  const sql = yield* SqlClient.SqlClient
  return yield* sql<FeedRow>`
    select xid::text::float8 as xid, seq::float8 as seq, topic, host_id, job_id, version::float8 as version
    from change_feed
    where (xid, seq) > (${String(after.xid)}::text::xid8, ${String(after.seq)}::text::bigint)
      and xid < pg_snapshot_xmin(pg_current_snapshot())
    order by xid, seq limit ${limit}`
})

/** Rows of one span of transactions, both ends included; null where its beginning was cleared away, or it is too long. */
export const readFeedSpan = Effect.fnUntraced(function* (
  from: number,
  to: number,
  options: { readonly limit: number; readonly knownComplete: boolean }
) {
  const sql = yield* SqlClient.SqlClient
  if (!options.knownComplete) {
    const oldest = yield* sql<{ reaches: boolean }>`
      select coalesce(min(xid) <= ${String(from)}::text::xid8, false) as reaches from change_feed`
    if (oldest[0]?.reaches !== true) return null
  }
  const rows = yield* sql<FeedRow>`
    select xid::text::float8 as xid, seq::float8 as seq, topic, host_id, job_id, version::float8 as version
    from change_feed where xid >= ${String(from)}::text::xid8 and xid <= ${String(to)}::text::xid8
    order by xid, seq limit ${options.limit + 1}`
  return rows.length > options.limit ? null : rows
})

/** A hint for each wake-up of the feed; listens again after the connection was lost, and hints then too. */
export const feedHints = Stream.unwrap(
  Effect.map(PgClient.PgClient, (pg) =>
    Stream.unwrap(
      Effect.map(pg.listen("feed"), (queue) =>
        Stream.concat(
          Stream.succeed(null),
          Stream.map(Stream.fromQueue(queue), () => null)
        )
      )
    ).pipe(Stream.retry(Schedule.spaced("1 second")))
  )
)

/** How these hosts stand now, as far as the caller may see them. */
export const readLiveHosts = Effect.fnUntraced(function* (principal: Principal, ids: ReadonlyArray<HostId>) {
  const sql = yield* SqlClient.SqlClient
  if (ids.length === 0) return []
  const rows = yield* sql<{ host: LiveHost; removed: boolean }>`
    select h.removed_at is not null as removed, json_build_object('id', h.id, 'state_version', s.version, 'link', s.link,
      'work', s.work, 'summary', s.summary, 'since', s.since, 'pending', p.pending, 'security', p.security,
      'reboot_needed', h.reboot_needed, 'last_seen_at', h.last_seen_at) as host
    from hosts h join host_snapshots s on s.host_id = h.id left join host_patch_data p on p.host_id = h.id
    where h.id = any(${ids}::uuid[]) and ${hostScope(sql, principal)}`
  return rows
})

export const readLiveJobs = Effect.fnUntraced(function* (principal: Principal, ids: ReadonlyArray<JobId>) {
  const sql = yield* SqlClient.SqlClient
  if (ids.length === 0) return []
  const rows = yield* sql<{ job: LiveJob }>`
    select json_build_object('id', j.id, 'number', j.number, 'state', j.state, 'hosts_total', n.hosts_total,
      'counts', n.counts, 'started_at', j.started_at, 'finished_at', j.finished_at) as job
    ${jobSources(sql, principal)} where j.id = any(${ids}::uuid[])`
  return rows.map((row) => row.job)
})

export const readLiveJobHosts = Effect.fnUntraced(function* (
  principal: Principal,
  of: ReadonlyArray<{ readonly job_id: JobId; readonly host_id: HostId }>
) {
  const sql = yield* SqlClient.SqlClient
  if (of.length === 0) return []
  const rows = yield* sql<{ row: LiveJobHost }>`
    select json_build_object('order_id', o.id, 'job_id', o.job_id, 'host_id', o.host_id, 'state', o.state,
      'ended', o.ended, 'progress_percent', o.progress_percent, 'started_at', o.started_at,
      'finished_at', o.finished_at) as row
    from patch_job_hosts o join hosts h on h.id = o.host_id
    where (o.job_id, o.host_id) in (select * from unnest(${of.map((one) => one.job_id)}::uuid[],
      ${of.map((one) => one.host_id)}::uuid[])) and ${hostScope(sql, principal)}`
  return rows.map(({ row }) => row)
})
