/** Why a host is not patched, from the rows that the dispatcher decides by. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { HostId } from "#core/Ids.ts"
import { openJobHostStates } from "#core/JobState.ts"
import type { HostReasons } from "#core/Reason.ts"
import type { EndedShare, OpenShare, ReasonHost } from "#core/reason/ReasonFacts.ts"
import { reasonsFor } from "#core/reason/reasonsFor.ts"
import type { Principal } from "#core/User.ts"
import { noWindows } from "#core/window/effective.ts"
import { busyWith } from "./busyWith.ts"
import { databaseNow } from "./Database.ts"
import { readClockSkew } from "./HeartbeatStore.ts"
import { readActiveHolds } from "./HoldStore.ts"
import { hostScope } from "./hostScope.ts"
import { hostNotFound } from "./HostStore.ts"
import { readEffectiveWindows } from "./WindowStore.ts"

/** So far back one looks for the last run that was about a package. */
const ENDED_SHARES = 50

const ms = (column: string): string => `floor(extract(epoch from ${column}) * 1000)`

const readOpen = Effect.fnUntraced(function* (id: HostId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ share: OpenShare }>`
    select json_build_object('order_id', o.id, 'job_id', j.id, 'job_number', j.number, 'kind', j.kind,
      'selection', j.selection, 'packages', j.packages, 'planned', o.planned, 'state', o.state,
      'job', json_build_object(
        'when', case j.run_when->>'kind' when 'at' then json_build_object('kind', 'at',
          'at', ${sql.literal(ms("(j.run_when->>'at')::timestamptz"))}) else j.run_when::json end,
        'ignore_blackout', j.ignore_blackout, 'cancelled_by', j.cancel_requested_by, 'paused_by', j.paused_by,
        'stopped_reason', j.stopped_reason, 'expires_at', ${sql.literal(ms("j.expires_at"))},
        'current_wave', coalesce(job_current_wave(j.id), o.wave),
        'max_concurrency', j.max_concurrency,
        'open', job_hosts_in(j.id, ${openJobHostStates}::text[])),
      'order', json_build_object('wave', o.wave, 'expected_seconds', o.expected_seconds),
      'busy_with', ${busyWith(sql, { host: "o.host_id", order: "o.id", jobNumber: "j.number" })}) as share
    from patch_job_hosts o join patch_jobs j on j.id = o.job_id join host_snapshots s on s.host_id = o.host_id
    where o.host_id = ${id} and not o.ended order by j.number`
  return rows.map((row) => row.share)
})

const readEnded = Effect.fnUntraced(function* (id: HostId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ share: EndedShare }>`
    select json_build_object('order_id', o.id, 'job_id', j.id, 'job_number', j.number, 'kind', j.kind,
      'finished_at', ${sql.literal(ms("coalesce(o.finished_at, j.finished_at, j.created_at)"))},
      'verdict', coalesce(o.outcome->>'verdict', case o.state when 'succeeded' then 'done' when 'uncertain' then 'unresolved'
        else o.state end), 'message', coalesce(o.outcome->>'message', 'It ended without a word.'),
      'changes', coalesce(nullif(o.outcome->'changes', '[]'), o.planned, '[]')) as share
    from patch_job_hosts o join patch_jobs j on j.id = o.job_id
    where o.host_id = ${id} and o.ended order by o.finished_at desc nulls last, o.id desc limit ${ENDED_SHARES}`
  return rows.map((row) => row.share)
})

type HostRow = Omit<ReasonHost, "skew_ms" | "holds" | "windows" | "open" | "ended">

export const readReasonHost = Effect.fnUntraced(function* (principal: Principal, id: HostId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ host: HostRow }>`
    select json_build_object('host_id', h.id, 'lost', s.parked_reason is not null, 'parked_reason', s.parked_reason,
      'leaving', h.removal_requested_at is not null, 'link', s.link,
      'link_since', ${sql.literal(ms("h.last_seen_at"))},
      'link_reason', case when s.link = 'unreachable' then d.failure_message end,
      'unresolved', s.work = 'unresolved', 'format', h.package_format,
      'patches_read_at', ${sql.literal(ms("p.read_at"))},
      'patches', case when p.host_id is not null then p.patches end) as host
    from hosts h join host_snapshots s on s.host_id = h.id left join host_patch_data p on p.host_id = h.id
      left join host_health_data d on d.host_id = h.id
    where h.id = ${id} and h.removed_at is null and ${hostScope(sql, principal)}`
  const row = rows[0]
  if (row === undefined) return yield* hostNotFound
  const host: ReasonHost = {
    ...row.host,
    skew_ms: yield* readClockSkew,
    holds: (yield* readActiveHolds([id])).get(id) ?? [],
    windows: (yield* readEffectiveWindows([id])).get(id) ?? noWindows,
    open: yield* readOpen(id),
    ended: yield* readEnded(id)
  }
  return host
})

/** NotFound for a host out of sight. */
export const readHostReasons = Effect.fnUntraced(function* (principal: Principal, id: HostId) {
  const host = yield* readReasonHost(principal, id)
  const at = yield* databaseNow
  const reasons: HostReasons = {
    host_id: id,
    as_of: new Date(at).toISOString(),
    read_at: host.patches_read_at === null ? null : new Date(host.patches_read_at).toISOString(),
    ...reasonsFor(host, at)
  }
  return reasons
})
