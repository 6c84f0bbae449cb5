/** What decides whether orders may start, read for many at once; windows are read elsewhere. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { WaitReason } from "#core/Dispatch.ts"
import type { AgentJobId, HostId, JobId, OrderId } from "#core/Ids.ts"
import type { LinkState } from "#core/HostState.ts"
import { unstartedJobHostStates } from "#core/JobState.ts"
import type { Outcome, Verdict } from "#core/Order.ts"
import type { Change } from "#core/Package.ts"
import { busyWith } from "./busyWith.ts"
import { numbers } from "./numbers.ts"

/** One order that has not started, with what the database knows about its host. */
export interface OrderFacts {
  readonly order_id: OrderId
  readonly host_id: HostId
  readonly job_number: number
  readonly wave: number
  readonly state: (typeof unstartedJobHostStates)[number]
  readonly deferrals: number
  readonly waits_for: WaitReason | null
  readonly expected_seconds: number
  /** Removed or parked: nobody will ever take the order. */
  readonly lost: boolean
  readonly leaving: boolean
  readonly link: LinkState
  /** The job that works on the host, or an older one that takes it as soon as it is free. */
  readonly busy_with: number | null
  readonly unresolved: boolean
}

/**
 * Orders of the job that have not started, in the order in which they are served; `hosts` narrows it to these.
 */
export const readOrderFacts = Effect.fnUntraced(function* (job: JobId, hosts: ReadonlyArray<HostId> | null) {
  const sql = yield* SqlClient.SqlClient
  const these = hosts === null ? sql`` : sql`and o.host_id = any(${hosts}::uuid[])`
  return yield* sql<OrderFacts>`
    select o.id as order_id, o.host_id, j.number::int as job_number, o.wave, o.state, o.deferrals, o.waits_for,
      o.expected_seconds, h.removed_at is not null or s.parked_reason is not null as lost,
      h.removal_requested_at is not null as leaving, s.link, s.work = 'unresolved' as unresolved,
      ${busyWith(sql, { host: "o.host_id", order: "o.id", jobNumber: "j.number" })} as busy_with
    from patch_job_hosts o join patch_jobs j on j.id = o.job_id join hosts h on h.id = o.host_id
      join host_snapshots s on s.host_id = o.host_id
    where o.job_id = ${job} and not o.ended and o.state = any(${unstartedJobHostStates}::text[]) ${these}
    order by o.wave, o.id`
})

export interface OrderContents {
  readonly order_id: OrderId
  readonly planned: ReadonlyArray<Change> | null
  readonly undone_agent_job_id: AgentJobId | null
}

/** What belongs to each host's share alone. */
export const readOrderContents = Effect.fnUntraced(function* (ids: ReadonlyArray<OrderId>) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<OrderContents>`
    select id as order_id, planned, undone_agent_job_id from patch_job_hosts where id = any(${ids}::uuid[])`
  return new Map(rows.map((row) => [row.order_id, row]))
})

export interface OrderWait {
  readonly order_id: OrderId
  readonly state: "waiting" | "deferred"
  readonly deferrals: number
  readonly waits_for: WaitReason
}

/** Locked in the order in which every statement locks them, so that none waits for another in a circle. */
const lockUnstarted = (sql: SqlClient.SqlClient, job: JobId, ids: ReadonlyArray<OrderId>) => sql`
  locked as materialized (
    select id from patch_job_hosts
    where id = any(${ids}::uuid[]) and job_id = ${job} and not ended and state = any(${unstartedJobHostStates}::text[])
    order by id for update
  )`

/** Why orders do not start; one that was taken meanwhile is left alone. */
export const noteWaits = Effect.fnUntraced(function* (job: JobId, waits: ReadonlyArray<OrderWait>) {
  if (waits.length === 0) return
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    with ${lockUnstarted(
      sql,
      job,
      waits.map((wait) => wait.order_id)
    )},
    noted as (
      update patch_job_hosts o set state = x.state, deferrals = x.deferrals, waits_for = x.waits_for::jsonb
      from unnest(${waits.map((wait) => wait.order_id)}::uuid[], ${waits.map((wait) => wait.state)}::text[],
        ${numbers(waits.map((wait) => wait.deferrals))}::text[]::int[],
        ${waits.map((wait) => JSON.stringify(wait.waits_for))}::text[]) x(id, state, deferrals, waits_for)
      where o.id = x.id and o.id in (select id from locked)
      returning o.host_id
    ),
    fed as (
      insert into change_feed (topic, host_id, job_id) select 'job_host', host_id, ${job}::text::uuid from noted returning 1
    )
    select pg_notify('feed', '') where exists (select 1 from fed)`
})

export interface OrderEnd {
  readonly order_id: OrderId
  readonly state: "failed" | "cancelled" | "deferred"
  readonly verdict: Verdict
  readonly message: string
}

const outcomeOf = ({ order_id, verdict, message }: OrderEnd): Outcome => ({
  order_id,
  verdict,
  message,
  ran: false,
  reboot_pending: false,
  rebooted: false,
  changes: [],
  installed: {},
  error_code: null,
  failure: null
})

/** Ends orders of which nothing was sent; one that was taken meanwhile is left alone. */
export const endOrders = Effect.fnUntraced(function* (job: JobId, ends: ReadonlyArray<OrderEnd>) {
  if (ends.length === 0) return
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    with ${lockUnstarted(
      sql,
      job,
      ends.map((end) => end.order_id)
    )},
    ended as (
      update patch_job_hosts o set state = x.state, ended = true, finished_at = now(), waits_for = null,
        outcome = x.outcome::jsonb, deferrals = o.deferrals + case when x.state = 'deferred' then 1 else 0 end
      from unnest(${ends.map((end) => end.order_id)}::uuid[], ${ends.map((end) => end.state)}::text[],
        ${ends.map((end) => JSON.stringify(outcomeOf(end)))}::text[]) x(id, state, outcome)
      where o.id = x.id and o.id in (select id from locked)
      returning o.host_id
    ),
    fed as (
      insert into change_feed (topic, host_id, job_id) select 'job_host', host_id, ${job}::text::uuid from ended returning 1
    )
    select pg_notify('feed', '') where exists (select 1 from fed)`
})
