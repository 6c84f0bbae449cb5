/**
 * The commit of host transitions: one statement for a batch of hosts.
 * Snapshot by compare-and-set, transition row, timers, intents, the order's row in its job, change feed and NOTIFY stand or
 * fall together per host. A refused row writes nothing and does not fail the others; the answer names the reason.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { IntentAction } from "#core/HostCommand.ts"
import type { HostEvent } from "#core/HostEvent.ts"
import type { HostId, IntentId, OrderId } from "#core/Ids.ts"
import type { HostSummary, LinkState, WorkState } from "#core/HostState.ts"
import { type JobHostState, openJobHostStates, unstartedJobHostStates } from "#core/JobState.ts"
import type { Outcome } from "#core/Order.ts"
import { numbers } from "./numbers.ts"

export interface HostCommitRow {
  readonly hostId: HostId
  readonly machineVersion: number
  /** The version this step was computed from; the row gets `was + 1`. */
  readonly was: number
  readonly from: { readonly link: LinkState; readonly work: WorkState }
  readonly to: { readonly link: LinkState; readonly work: WorkState; readonly summary: HostSummary }
  readonly value: unknown
  readonly context: unknown
  readonly event: HostEvent
  readonly orderId: OrderId | null
  /** The order this step takes up; refused unless its row is still waiting and the host has no other open one. */
  readonly claim: OrderId | null
  readonly timersSet: ReadonlyArray<{ readonly id: string; readonly delayMillis: number }>
  readonly timersCancelled: ReadonlyArray<string>
  readonly intentsOpened: ReadonlyArray<{
    readonly id: IntentId
    readonly action: IntentAction
    readonly baseline: unknown
  }>
  readonly intentsClosed: ReadonlyArray<{ readonly id: IntentId; readonly verdict: string }>
  readonly jobHost: {
    readonly orderId: OrderId
    readonly state: JobHostState
    readonly ended: boolean
    readonly outcome: Outcome | null
    readonly agentJobId: string | null
  } | null
  /** Alarms that this step raises and clears; one of a kind is open for a host at a time. */
  readonly alarms?: {
    readonly raised: ReadonlyArray<{ readonly kind: string; readonly message: string }>
    readonly cleared: ReadonlyArray<string>
  }
  /** The ended order whose work was found undone. */
  readonly reverted?: OrderId | null
}

/** `fenced`: another worker took over. `stale`: somebody else wrote this host. `unclaimable`: the order is no longer free. */
export type HostCommitResult = "ok" | "stale" | "fenced" | "illegal" | "missing" | "unclaimable"

const pairs = <A, B>(rows: ReadonlyArray<A>, pick: (row: A) => ReadonlyArray<B>): Array<readonly [A, B]> =>
  rows.flatMap((row) => pick(row).map((item) => [row, item] as const))

/** `compareVersions` is false only in a test that shows what rests on it. */
export const commitHosts = Effect.fnUntraced(function* (
  epoch: number,
  rows: ReadonlyArray<HostCommitRow>,
  compareVersions = true
) {
  const sql = yield* SqlClient.SqlClient
  const text = (pick: (row: HostCommitRow) => string) => rows.map(pick)
  const set = pairs(rows, (row) => row.timersSet)
  const cancelled = pairs(rows, (row) => row.timersCancelled)
  const opened = pairs(rows, (row) => row.intentsOpened)
  const closed = pairs(rows, (row) => row.intentsClosed)
  const raised = pairs(rows, (row) => row.alarms?.raised ?? [])
  const cleared = pairs(rows, (row) => row.alarms?.cleared ?? [])
  const reverted = pairs(rows, (row) => (row.reverted ? [row.reverted] : []))
  const orders = rows.flatMap((row) => (row.jobHost ? [{ hostId: row.hostId, ...row.jobHost }] : []))
  const answers = yield* sql<{ host_id: HostId; result: HostCommitResult }>`
    with lease as (select epoch from worker_lease where name = 'worker'),
    -- An array of nulls has no type for the driver, so absent texts travel empty.
    input as (
      select i.host_id, i.machine_version, i.was, i.from_link, i.to_link, i.from_work, i.to_work, i.summary, i.value,
        i.context, i.event_type, i.event, nullif(i.order_id, '')::uuid as order_id, nullif(i.claim, '')::uuid as claim
      from unnest(
        ${text((row) => row.hostId)}::uuid[], ${numbers(rows.map((row) => row.machineVersion))}::text[]::int[],
        ${numbers(rows.map((row) => row.was))}::text[]::bigint[],
        ${text((row) => row.from.link)}::text[], ${text((row) => row.to.link)}::text[],
        ${text((row) => row.from.work)}::text[], ${text((row) => row.to.work)}::text[],
        ${text((row) => row.to.summary)}::text[],
        ${text((row) => JSON.stringify(row.value))}::text[], ${text((row) => JSON.stringify(row.context))}::text[],
        ${text((row) => row.event.type)}::text[], ${text((row) => JSON.stringify(row.event))}::text[],
        ${text((row) => row.orderId ?? "")}::text[], ${text((row) => row.claim ?? "")}::text[]
      ) as i(host_id, machine_version, was, from_link, to_link, from_work, to_work, summary, value, context,
        event_type, event, order_id, claim)
    ),
    held as (
      select host_id, version, link, work from host_snapshots
      where host_id = any(${text((row) => row.hostId)}::uuid[]) order by host_id for update
    ),
    -- Sharing the job's row makes a pause or a cancellation that was answered come before every claim after it.
    free as (
      select o.id, o.host_id, o.job_id, j.max_concurrency, j.max_failed
      from patch_job_hosts o join patch_jobs j on j.id = o.job_id
      where o.id = any(${rows.flatMap((row) => (row.claim ? [row.claim] : []))}::uuid[])
        and o.state = any(${unstartedJobHostStates}::text[]) and not o.ended
        and j.paused_by is null and j.cancel_requested_by is null and j.stopped_reason is null
      order by o.id for update of o for share of j
    ),
    -- What each of their jobs has at work, and what counts against its limit.
    standing as (
      select f.job_id, count(*) filter (where o.state = any(${openJobHostStates}::text[]) and not o.ended) as open,
        count(*) filter (where f.max_failed is not null and (o.state = 'failed'
          or o.state = 'uncertain' and o.outcome->>'verdict' = 'unresolved'
          or o.state = 'succeeded' and s.link = 'unreachable')) as failed
      from (select distinct job_id, max_failed from free) f join patch_job_hosts o on o.job_id = f.job_id
        left join host_snapshots s on s.host_id = o.host_id and f.max_failed is not null and o.state = 'succeeded'
      group by f.job_id
    ),
    claimed as (
      select f.id, f.host_id
      from (select free.*, row_number() over (partition by job_id order by id) as turn from free) f
        join standing n on n.job_id = f.job_id
      where n.open + f.turn <= f.max_concurrency and (f.max_failed is null or n.failed <= f.max_failed)
    ),
    judged as (
      select i.*, case
        when h.host_id is null then 'missing'
        when l.epoch <> ${epoch}::float8 then 'fenced'
        when ${compareVersions} and (h.version <> i.was or h.link <> i.from_link or h.work <> i.from_work) then 'stale'
        when i.from_link <> i.to_link and not exists (select 1 from allowed_transitions a
          where a.machine = 'host' and a.version = i.machine_version and a.region = 'link'
            and a.from_state = i.from_link and a.event = i.event_type and a.to_state = i.to_link) then 'illegal'
        when i.from_work <> i.to_work and not exists (select 1 from allowed_transitions a
          where a.machine = 'host' and a.version = i.machine_version and a.region = 'work'
            and a.from_state = i.from_work and a.event = i.event_type and a.to_state = i.to_work) then 'illegal'
        when i.claim is not null and (not exists (select 1 from claimed c where c.id = i.claim and c.host_id = i.host_id)
          or exists (select 1 from patch_job_hosts o where o.host_id = i.host_id and not o.ended
            and o.state = any(${openJobHostStates}::text[]))) then 'unclaimable'
        else 'ok' end as result
      from input i cross join lease l left join held h on h.host_id = i.host_id
    ),
    cas as (
      update host_snapshots s set
        version = s.version + 1, machine_version = i.machine_version, link = i.to_link, work = i.to_work,
        summary = i.summary, value = i.value::jsonb, context = i.context::jsonb, updated_at = now(),
        since = case when i.from_link = i.to_link and i.from_work = i.to_work then s.since else now() end
      from judged i
      where s.host_id = i.host_id and i.result = 'ok' and (s.version = i.was or not ${compareVersions})
      returning s.host_id, s.version
    ),
    transitions as (
      insert into host_transitions
        (host_id, version, machine_version, event_type, event, from_link, to_link, from_work, to_work, order_id)
      select i.host_id, c.version, i.machine_version, i.event_type, i.event::jsonb, i.from_link, i.to_link,
        i.from_work, i.to_work, i.order_id
      from input i join cas c using (host_id)
    ),
    timers_cancelled as (
      delete from host_timers t
      using unnest(${cancelled.map(([row]) => row.hostId)}::uuid[], ${cancelled.map(([, id]) => id)}::text[]) x(host_id, id)
      join cas c on c.host_id = x.host_id
      where t.host_id = x.host_id and t.id = x.id
    ),
    timers_set as (
      insert into host_timers (host_id, id, due_at, armed_version)
      select x.host_id, x.id, now() + x.delay_ms * interval '1 millisecond', c.version
      from unnest(${set.map(([row]) => row.hostId)}::uuid[], ${set.map(([, timer]) => timer.id)}::text[],
        ${numbers(set.map(([, timer]) => timer.delayMillis))}::text[]::float8[]) x(host_id, id, delay_ms)
      join cas c on c.host_id = x.host_id
      on conflict (host_id, id) do update set due_at = excluded.due_at, armed_version = excluded.armed_version
    ),
    intents_closed as (
      update host_intents n set verdict = x.verdict, closed_version = c.version
      from unnest(${closed.map(([row]) => row.hostId)}::uuid[], ${closed.map(([, intent]) => intent.id)}::text[],
        ${closed.map(([, intent]) => intent.verdict)}::text[]) x(host_id, id, verdict)
      join cas c on c.host_id = x.host_id
      where n.id = x.id and n.host_id = x.host_id and n.verdict is null
      returning n.id
    ),
    intents_opened as (
      insert into host_intents (id, host_id, order_id, action, baseline, opened_version)
      select x.id, x.host_id, x.order_id, x.action, x.baseline::jsonb, c.version
      from unnest(${opened.map(([, intent]) => intent.id)}::text[], ${opened.map(([row]) => row.hostId)}::uuid[],
        ${opened.flatMap(([row]) => (row.orderId ? [row.orderId] : []))}::uuid[], ${opened.map(([, intent]) => intent.action)}::text[],
        ${opened.map(([, intent]) => JSON.stringify(intent.baseline))}::text[]) x(id, host_id, order_id, action, baseline)
      join cas c on c.host_id = x.host_id
      -- Waits for the closing of the same host's last intent, which the unique index wants first.
      where (select count(*) from intents_closed) >= 0
    ),
    orders as (
      update patch_job_hosts p set
        state = x.state, ended = x.ended and not x.again,
        outcome = case when x.again then null else coalesce(nullif(x.outcome, '')::jsonb, p.outcome) end,
        agent_job_id = coalesce(nullif(x.agent_job_id, ''), p.agent_job_id), waits_for = null,
        deferrals = p.deferrals + case when x.ended and x.state = 'deferred' then 1 else 0 end,
        started_at = case when x.again then null else coalesce(p.started_at, now()) end,
        finished_at = case when x.ended and not x.again then now() end
      from (
        select x.*, j.id as job_id,
          -- The window closed before anything was sent: the next one takes it up again.
          x.ended and x.state = 'deferred' and j.carries_over and j.cancel_requested_by is null
            and j.stopped_reason is null and (j.expires_at is null or j.expires_at > now()) as again
        from unnest(${orders.map((order) => order.hostId)}::uuid[], ${orders.map((order) => order.orderId)}::uuid[],
          ${orders.map((order) => order.state)}::text[], ${orders.map((order) => order.ended)}::boolean[],
          ${orders.map((order) => (order.outcome ? JSON.stringify(order.outcome) : ""))}::text[],
          ${orders.map((order) => order.agentJobId ?? "")}::text[]) x(host_id, order_id, state, ended, outcome, agent_job_id)
        join patch_job_hosts o on o.id = x.order_id join patch_jobs j on j.id = o.job_id
      ) x
      join cas c on c.host_id = x.host_id
      where p.id = x.order_id
      returning p.id, p.job_id, p.host_id
    ),
    -- A host of an ended job moved again, as one that returns late: the job is looked at again.
    reopened as (
      update patch_jobs j set finished_at = null
      where j.finished_at is not null and j.id in (select job_id from orders)
    ),
    alarms_cleared as (
      update alarms a set cleared_at = now()
      from unnest(${cleared.map(([row]) => row.hostId)}::uuid[], ${cleared.map(([, kind]) => kind)}::text[]) x(host_id, kind)
      join cas c on c.host_id = x.host_id
      where a.host_id = x.host_id and a.kind = x.kind and a.cleared_at is null
    ),
    alarms_raised as (
      insert into alarms (kind, host_id, message)
      select x.kind, x.host_id, x.message
      from unnest(${raised.map(([row]) => row.hostId)}::uuid[], ${raised.map(([, alarm]) => alarm.kind)}::text[],
        ${raised.map(([, alarm]) => alarm.message)}::text[]) x(host_id, kind, message)
      join cas c on c.host_id = x.host_id
      on conflict do nothing
    ),
    orders_reverted as (
      update patch_job_hosts p set reverted_at = now()
      from unnest(${reverted.map(([row]) => row.hostId)}::uuid[], ${reverted.map(([, id]) => id)}::uuid[]) x(host_id, order_id)
      join cas c on c.host_id = x.host_id
      where p.id = x.order_id
    ),
    removed as (
      update hosts h set removed_at = now(), version = h.version + 1
      from input i join cas c using (host_id)
      where h.id = i.host_id and i.to_work = 'retired' and h.removed_at is null
    ),
    feed_hosts as (
      insert into change_feed (topic, host_id, version) select 'host', host_id, version from cas order by host_id
    ),
    feed_orders as (
      insert into change_feed (topic, host_id, job_id) select 'job_host', host_id, job_id from orders order by host_id
    ),
    told as (select pg_notify('feed', '') where exists (select 1 from cas))
    select j.host_id::text as host_id,
      case when j.result = 'ok' and c.host_id is null then 'stale' else j.result end as result
    from judged j left join cas c on c.host_id = j.host_id left join told on true`
  return new Map(answers.map((answer) => [answer.host_id, answer.result]))
})

/** Whether exactly this row is what the database holds as that version; tells a lost answer from a foreign write. */
export const wasCommitted = Effect.fnUntraced(function* (row: HostCommitRow) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ same: boolean }>`
    select event = ${JSON.stringify(row.event)}::text::jsonb and to_work = ${row.to.work} and to_link = ${row.to.link} as same
    from host_transitions where host_id = ${row.hostId} and version = ${row.was + 1}::float8`
  return rows[0]?.same ?? false
})
