/** Lists of jobs, and of one job's hosts. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { JobId } from "#core/Ids.ts"
import type { JobHost, JobItem } from "#core/Job.ts"
import type { JobHostState, JobState } from "#core/JobState.ts"
import type { JobKind } from "#core/Order.ts"
import type { PackageFormat } from "#core/Package.ts"
import type { Page } from "#core/Page.ts"
import { undoAnswer, type UndoFacts } from "#core/plan/undo.ts"
import type { Principal } from "#core/User.ts"
import { readCursor, writeCursor } from "./cursor.ts"
import { hostScope } from "./hostScope.ts"
import { jobItemColumns, jobNotFound, jobSources } from "./JobStore.ts"

export interface JobListRequest {
  readonly state?: ReadonlyArray<JobState> | undefined
  readonly sort?: "created" | "-created" | undefined
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
}

/** Newest first unless asked otherwise; ids grow with time. */
export const listJobs = Effect.fnUntraced(function* (principal: Principal, request: JobListRequest) {
  const sql = yield* SqlClient.SqlClient
  const sort = request.sort ?? "-created"
  const limit = request.limit ?? 50
  const after = yield* readCursor(sort, request.cursor, "text")
  const matching = request.state ? sql`j.state = any(${request.state}::text[])` : sql`true`
  const beyond = after ? sql`j.id ${sql.literal(sort === "created" ? ">" : "<")} ${after.id}::text::uuid` : sql`true`
  const rows = yield* sql<{ job: JobItem }>`
    select row_to_json(r) as job from (
      select ${sql.literal(jobItemColumns)} ${jobSources(sql, principal)} where ${matching} and ${beyond}
      order by j.id ${sql.literal(sort === "created" ? "asc" : "desc")} limit ${limit + 1}
    ) r`
  const counted = yield* sql<{ total: number }>`
    select count(*)::int as total from patch_jobs j where ${matching} and exists (
      select 1 from patch_job_hosts o join hosts h on h.id = o.host_id where o.job_id = j.id and ${hostScope(sql, principal)})`
  const items = rows.slice(0, limit).map((row) => row.job)
  const last = items.at(-1)
  const page: Page<JobItem> = {
    items,
    total: counted[0]?.total ?? 0,
    next_cursor: rows.length > limit && last ? writeCursor(sort, { key: "", id: last.id }) : null
  }
  return page
})

export interface JobHostsRequest {
  readonly state?: ReadonlyArray<JobHostState> | undefined
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
}

/** What needs a person comes first. */
const urgency =
  "array['uncertain','failed','rebooting','verifying','running','dispatching','waiting','queued','deferred','cancelled','succeeded']"

export const listJobHosts = Effect.fnUntraced(function* (principal: Principal, id: JobId, request: JobHostsRequest) {
  const sql = yield* SqlClient.SqlClient
  const limit = request.limit ?? 100
  const after = yield* readCursor("job-hosts", request.cursor, "number")
  const seen = sql`o.job_id = ${id} and ${hostScope(sql, principal)}`
  const counted = yield* sql<{ everything: number; total: number }>`
    select count(*)::int as everything,
      (count(*) filter (where ${request.state ? sql`o.state = any(${request.state}::text[])` : sql`true`}))::int as total
    from patch_job_hosts o join hosts h on h.id = o.host_id where ${seen}`
  if ((counted[0]?.everything ?? 0) === 0) return yield* jobNotFound
  const rank = sql.literal(`array_position(${urgency}, o.state)`)
  const rows = yield* sql<{
    row: Omit<JobHost, "undo">
    rank: number
    kind: JobKind
    agent_version: string | null
    format: PackageFormat
    obtainable: UndoFacts["obtainable"] | null
  }>`
    select ${rank} as rank, j.kind, h.agent_version, h.package_format as format, (
        select json_object_agg(x->>'name', x->'available_versions') from jsonb_array_elements(e.effects) c
        join host_packages k on k.host_id = o.host_id, jsonb_array_elements(k.packages) x
        where x->>'name' = c->>'name' and x ? 'available_versions') as obtainable,
      json_build_object('order_id', o.id, 'job_id', o.job_id, 'host_id', o.host_id,
      'host_name', h.display_name, 'wave', o.wave, 'state', o.state, 'ended', o.ended,
      'progress_percent', o.progress_percent, 'foretold', o.foretold, 'waits_for', o.waits_for,
      'deferrals', o.deferrals, 'outcome', o.outcome, 'effects', e.effects, 'agent_job_id', o.agent_job_id, 'log', o.log,
      'started_at', o.started_at, 'finished_at', o.finished_at) as row
    from patch_job_hosts o join hosts h on h.id = o.host_id join patch_jobs j on j.id = o.job_id
      left join order_effects e on e.order_id = o.id
    where ${seen} and ${request.state ? sql`o.state = any(${request.state}::text[])` : sql`true`}
      and ${after ? sql`(${rank}, o.id) > (${after.key}::text::bigint, ${after.id}::text::uuid)` : sql`true`}
    order by ${rank}, o.id limit ${limit + 1}`
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  const page: Page<JobHost> = {
    items: shown.map(({ row, kind, agent_version, format, obtainable }) => ({
      ...row,
      undo:
        row.effects === null
          ? null
          : undoAnswer({
              kind,
              changes: row.effects,
              agent_version,
              format,
              obtainable: obtainable ?? {},
              when: "after"
            })
    })),
    total: counted[0]?.total ?? 0,
    next_cursor:
      rows.length > limit && last ? writeCursor("job-hosts", { key: String(last.rank), id: last.row.order_id }) : null
  }
  return page
})
