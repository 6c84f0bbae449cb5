/**
 * What must hold after every row, read from SQL, the fleet's ledger and the browsers alone: I1 to I9, I11 and I12 of the matrix.
 * I10 (no secrets anywhere) belongs to the security suite. Of I5 only the chain is checked: checkpoints do not exist yet.
 */
import { createHash } from "node:crypto"
import { isDeepStrictEqual } from "node:util"
import { Result, Schema } from "effect"
import { HostEvent } from "#core/HostEvent.ts"
import { JobEvent } from "#core/JobEvent.ts"
import { jobStep } from "#machines/jobStep.ts"
import type { StoredVersion } from "#machines/makeStep.ts"
import { hostStep } from "#machines/step.ts"
import type { Browser } from "#test/harness/openBrowser.ts"
import type { World } from "#test/harness/World.ts"
import { windowsHeld } from "./windowsHeld.ts"

/** What the checks read of a world. */
export type Checked = Pick<World, "query" | "fleet" | "hosts" | "acknowledged">

export interface CheckOptions {
  readonly browsers?: ReadonlyArray<Browser>
  readonly except?: ReadonlySet<string>
  /** How long what runs on has to come to agree. */
  readonly settleMs?: number
}

type Check = (world: Checked, browsers: ReadonlyArray<Browser>) => Promise<ReadonlyArray<string>>

const openStates = `('dispatching', 'running', 'verifying', 'rebooting', 'uncertain')`

/** I1: at most one open mutating job a host, and the index that refuses a second one stands. */
const oneOpenJob: Check = async ({ query }) => {
  const doubled = await query<{ host_id: string }>(
    `select host_id from patch_job_hosts where state in ${openStates} and not ended group by host_id having count(*) > 1`
  )
  const [index] = await query<{ stands: boolean }>(
    `select coalesce(bool_and(indisunique and indisvalid and indpred is not null), false) as stands
     from pg_index where indexrelid = to_regclass('one_open_job_per_host')`
  )
  return [
    ...doubled.map(({ host_id }) => `host ${host_id} has two open jobs`),
    ...(index?.stands === true ? [] : ["the index one_open_job_per_host is gone"])
  ]
}

/** I2: nothing was applied more often than an intent said it would be. */
const appliedOnce: Check = async ({ query, fleet, hosts }) => {
  const intents = await query<{ host_id: string; reboot: boolean; count: number }>(
    `select host_id, action = 'reboot' as reboot, count(*)::int as count from host_intents
     where verdict is distinct from 'no_effect' group by 1, 2`
  )
  const allowed = new Map(intents.map((row) => [`${row.host_id} ${row.reboot}`, row.count]))
  const byHost = Map.groupBy(
    fleet.readLedger().filter((entry) => entry.job_id !== null),
    (entry) => entry.host
  )
  return hosts.flatMap(({ id, address }) => {
    const entries = byHost.get(address) ?? []
    return [true, false].flatMap((reboot) => {
      const done = entries.filter((entry) => (entry.operation === "reboot") === reboot).length
      const may = allowed.get(`${id} ${reboot}`) ?? 0
      return done <= may ? [] : [`host ${id} was ${reboot ? "rebooted" : "changed"} ${done} times for ${may} intents`]
    })
  })
}

/** I3: what was answered with success is there. */
const acknowledgedIsThere: Check = async ({ query, acknowledged }) => {
  const lost: Array<string> = []
  for (const [table, rows] of Map.groupBy(acknowledged, (one) => one.table)) {
    const ids = rows.map((row) => row.id)
    const found = await query<{ id: string }>(`select id from ${table} where id = any($1::uuid[])`, [ids])
    const present = new Set(found.map((row) => row.id))
    lost.push(...ids.filter((id) => !present.has(id)).map((id) => `${id} was acknowledged and is not in ${table}`))
  }
  return lost
}

/** I4: each transition that a person or a policy caused has exactly one audit row. */
const audited: Check = async ({ query }) => {
  const ofJobs = await query<{ what: string; job_id: string; rows: number }>(
    `with caused as (
       select distinct 'job.create' as action, event->'order'->>'job_id' as job_id from host_transitions where event_type = 'order'
       union select 'job.cancel', o.job_id::text from host_transitions t
         join patch_job_hosts o on o.id = (t.event->>'order_id')::uuid where t.event_type = 'cancel'
       union select case event_type when 'start' then 'job.create' else 'job.' || event_type end, job_id::text
         from job_transitions where event ? 'by'
     )
     select action as what, job_id, (select count(*)::int from audit_log a
       where a.object_type = 'job' and a.object_id = c.job_id and (a.action = c.action
         or (c.action = 'job.create' and a.action in ('job.rollback', 'job.retry', 'job.automatic')))) as rows
     from caused c`
  )
  const ofHosts = await query<{ what: string; host_id: string; steps: number; rows: number }>(
    `select c.action as what, c.host_id, c.steps, (select count(*)::int from audit_log a
       where a.object_type = 'host' and a.object_id = c.host_id and a.action = c.action) as rows
     from (select case event_type when 'retire' then 'host.remove' else 'host.' || event_type end as action,
         host_id::text, count(*)::int as steps
       from host_transitions where event_type in ('retry.now', 'dismiss', 'settle.by_hand', 'retire') group by 1, 2) c`
  )
  return [
    ...ofJobs
      .filter(({ rows }) => rows !== 1)
      .map((row) => `${row.what} of job ${row.job_id} has ${row.rows} audit rows`),
    ...ofHosts
      .filter(({ rows, steps }) => rows < steps)
      .map((row) => `${row.steps} steps by ${row.what} of host ${row.host_id} have ${row.rows} audit rows`)
  ]
}

interface AuditText {
  readonly [field: string]: string | null
}

const auditFields = [
  "seq",
  "at",
  "actor_kind",
  "actor_id",
  "actor_name",
  "action",
  "object_type",
  "object_id",
  "before",
  "after",
  "request_id",
  "source_address",
  "prev_hash"
]

/** docs/audit.md, computed here and not by the database. */
const hashOf = (row: AuditText): string => {
  const hash = createHash("sha256")
  for (const field of auditFields) {
    const text = row[field] ?? null
    hash.update(text === null ? "-" : `${Buffer.byteLength(text)}:${text}`)
  }
  return hash.digest("hex")
}

/** I5: the chain of audit rows has no gap, no altered row and ends where its head says. */
const chained: Check = async ({ query }) => {
  // In one statement, so that an append meanwhile does not come between the rows and their head.
  const [log] = await query<{
    rows: ReadonlyArray<AuditText>
    head: { seq: number; row_hash: string }
    anchor: { seq: number; row_hash: string }
  }>(
    `select (select coalesce(json_agg(r order by r.seq::bigint), '[]') from (
         select seq::text, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at, actor_kind, actor_id,
           actor_name, action, object_type, object_id, before::text, after::text, request_id, source_address,
           encode(prev_hash, 'hex') as prev_hash, encode(row_hash, 'hex') as row_hash
         from audit_log) r) as rows,
       (select json_build_object('seq', seq, 'row_hash', encode(row_hash, 'hex')) from audit_head) as head,
       (select json_build_object('seq', seq, 'row_hash', encode(row_hash, 'hex')) from audit_anchor) as anchor`
  )
  const { rows, head, anchor } = log!
  const faults: Array<string> = []
  const first = anchor.seq + 1
  let previous = anchor.row_hash
  rows.forEach((row, index) => {
    if (row["seq"] !== String(first + index)) faults.push(`audit row ${first + index} is missing or out of place`)
    if (row["prev_hash"] !== previous) faults.push(`audit row ${row["seq"]} does not follow the one before it`)
    if (row["row_hash"] !== hashOf(row)) faults.push(`audit row ${row["seq"]} was altered`)
    previous = row["row_hash"] ?? ""
  })
  if (head.seq !== first - 1 + rows.length || head.row_hash !== previous) {
    faults.push("the head of the audit log differs from its last row")
  }
  return faults.slice(0, 5)
}

const decodeHostEvent = Schema.decodeUnknownSync(HostEvent)
const decodeJobEvent = Schema.decodeUnknownSync(JobEvent)
const asStored = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

/** I6: the stored events, played again from the start or from the oldest kept base, give the stored snapshots. */
const replays: Check = async ({ query }) => {
  interface Stored {
    readonly id: string
    readonly value: unknown
    readonly context: unknown
    readonly version: number
    readonly base: StoredVersion | null
    readonly events: ReadonlyArray<unknown> | null
  }
  const hosts = await query<Stored>(
    `select s.host_id as id, s.value, s.context, s.version::int, to_jsonb(b) as base,
       (select json_agg(t.event order by t.version) from host_transitions t
        where t.host_id = s.host_id and t.version > coalesce(b.version, 0)) as events
     from host_snapshots s left join lateral (
       select * from host_bases b where b.host_id = s.host_id order by version limit 1) b on true`
  )
  const jobs = await query<Stored>(
    `select s.job_id as id, s.value, s.context, s.version::int, null as base,
       (select json_agg(t.event order by t.version) from job_transitions t where t.job_id = s.job_id) as events
     from job_snapshots s`
  )
  const fault = (what: string, row: Stored, replayed: () => unknown): ReadonlyArray<string> => {
    try {
      const same = isDeepStrictEqual(asStored(replayed()), { value: row.value, context: row.context })
      return same ? [] : [`${what} ${row.id}: its ${row.version} transitions do not give its stored state`]
    } catch (cause) {
      return [`${what} ${row.id} cannot be replayed: ${String(cause)}`]
    }
  }
  const replayHost = (row: Stored): unknown => {
    let snapshot =
      row.base === null
        ? Result.getOrThrow(hostStep.initialStep()).snapshot
        : Result.getOrThrow(hostStep.restore(row.base))
    for (const event of row.events ?? [])
      snapshot = Result.getOrThrow(hostStep.step(snapshot, decodeHostEvent(event))).snapshot
    const { value, context } = hostStep.persist(snapshot)
    return { value, context }
  }
  const replayJob = (row: Stored): unknown => {
    let snapshot = Result.getOrThrow(jobStep.initialStep()).snapshot
    for (const event of row.events ?? [])
      snapshot = Result.getOrThrow(jobStep.step(snapshot, decodeJobEvent(event))).snapshot
    const { value, context } = jobStep.persist(snapshot)
    return { value, context }
  }
  return [
    ...hosts.flatMap((row) => fault("host", row, () => replayHost(row))),
    ...jobs.flatMap((row) => fault("job", row, () => replayJob(row)))
  ].slice(0, 5)
}

/** Seconds a worker may be silent before another one takes over. */
export const LEASE_SECONDS = 15

/** I7: no lease older than twice its length while there is somebody to take it over. */
const leaseIsAlive: Check = async ({ query }) => {
  const rows = await query<{ holder: string; age: number }>(
    `select holder, extract(epoch from now() - renewed_at)::float8 as age from worker_lease
     where epoch > 0 and exists (select 1 from pg_stat_activity
       where datname = current_database() and application_name = 'patch-manager worker')`
  )
  return rows
    .filter(({ age }) => age > 2 * LEASE_SECONDS)
    .map(({ holder, age }) => `the lease of ${holder} is ${Math.round(age)} s old`)
}

/** I8: what the browsers show is what the database holds. */
const browsersAgree: Check = async ({ query }, browsers) => {
  if (browsers.length === 0) return []
  const hosts = await query<{ id: string; version: number; summary: string }>(
    `select h.id, s.version::int, s.summary from hosts h join host_snapshots s on s.host_id = h.id where h.removed_at is null`
  )
  const jobs = await query<{ id: string; state: string }>("select id, state from patch_jobs")
  return browsers.flatMap((browser, index) => [
    ...hosts
      .filter(({ id, version, summary }) => {
        const seen = browser.hosts.get(id)
        return seen?.state_version !== version || seen.summary !== summary
      })
      .map(({ id }) => `browser ${index} shows host ${id} otherwise than it is`),
    ...[...browser.hosts.keys()]
      .filter((id) => !hosts.some((host) => host.id === id))
      .map((id) => `browser ${index} shows host ${id}, which is gone`),
    ...jobs
      .filter(({ id, state }) => browser.jobs.get(id)?.state !== state)
      .map(({ id, state }) => `browser ${index} shows job ${id} as ${browser.jobs.get(id)?.state}, it is ${state}`)
  ])
}

/** I9: nothing was begun after the window of its order had closed, by the time of the database. */
const insideWindows: Check = async ({ query }) => {
  const late = await query<{ id: string; host_id: string; seconds: number }>(
    `select n.id, n.host_id, extract(epoch from n.opened_at)::float8 - (t.event->'order'->>'closes_at')::float8 / 1000 as seconds
     from host_intents n join host_transitions t on t.host_id = n.host_id and t.event_type = 'order'
       and t.event->'order'->>'id' = n.order_id::text
     where n.action <> 'reboot' and t.event->'order'->>'closes_at' is not null
       and extract(epoch from n.opened_at) * 1000 > (t.event->'order'->>'closes_at')::float8`
  )
  return late.map(
    (row) => `host ${row.host_id} was sent ${row.id} ${Math.round(row.seconds)} s after its window closed`
  )
}

/** I12: every `done` rests on something read after the agent took the order. */
const doneIsProved: Check = async ({ query }) => {
  const bare = await query<{ id: string; host_id: string }>(
    `select o.id, o.host_id from patch_job_hosts o
     where o.outcome->>'verdict' = 'done'
       and not exists (select 1 from host_transitions t where t.host_id = o.host_id and t.order_id = o.id
         and t.event_type = 'settle.by_hand')
       and not exists (select 1 from host_transitions t where t.host_id = o.host_id and t.order_id = o.id
         and t.event_type in ('evidence', 'poll.ok')
         and t.version > (select max(n.opened_version) from host_intents n where n.order_id = o.id and n.host_id = o.host_id)
         and (t.event_type = 'evidence' or exists (select 1 from patch_jobs j where j.id = o.job_id and j.kind = 'reboot')))`
  )
  return bare.map(({ id, host_id }) => `order ${id} of host ${host_id} is done without evidence`)
}

const checks: Readonly<Record<string, Check>> = {
  I1: oneOpenJob,
  I2: appliedOnce,
  I3: acknowledgedIsThere,
  I4: audited,
  I5: chained,
  I6: replays,
  I7: leaseIsAlive,
  I8: browsersAgree,
  I9: async (world) => [...(await insideWindows(world, [])), ...(await windowsHeld(world))],
  I12: doneIsProved
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

const SETTLE_MS = 5_000

/** Every violation found, as `I2: …`; none for a sound world. What is under way gets five seconds to settle. */
export const checkInvariants = async (
  world: Checked,
  { browsers = [], except = new Set(), settleMs = SETTLE_MS }: CheckOptions = {}
): Promise<ReadonlyArray<string>> => {
  const until = Date.now() + settleMs
  for (;;) {
    const found: Array<string> = []
    for (const [name, check] of Object.entries(checks)) {
      if (!except.has(name)) found.push(...(await check(world, browsers)).map((text) => `${name}: ${text}`))
    }
    if (found.length === 0 || Date.now() > until) return found
    await pause(200)
  }
}

export interface Baseline {
  readonly sessions: number
  readonly connections: number
  readonly handles: number
  readonly rss: number
}

/** Sockets, pipes and children of this process, in which the fleet and the web run. */
const handles = (): number =>
  process.getActiveResourcesInfo().filter((name) => /TCPSocketWrap|TLSWrap|PipeWrap|ProcessWrap/.test(name)).length

export const baselineOf = async ({ query, fleet }: Pick<World, "query" | "fleet">): Promise<Baseline> => {
  const [row] = await query<{ count: number }>(
    `select count(*)::int as count from pg_stat_activity
     where datname = current_database() and application_name like 'patch-manager %'`
  )
  return {
    sessions: row!.count,
    connections: fleet.stats().open_connections,
    handles: handles(),
    rss: process.memoryUsage().rss
  }
}

/** Idle keep-alive and a database pool that shrinks later. */
const HANDLES_SLACK = 12
const MEMORY_SLACK = 512 * 1024 * 1024

/** I11: once a row's workers, webs and browsers are stopped, nothing of them is left. Has five seconds to come true. */
export const checkLeftovers = async (
  world: Pick<World, "query" | "fleet">,
  before: Baseline,
  except: ReadonlySet<string> = new Set(),
  settleMs = SETTLE_MS
): Promise<ReadonlyArray<string>> => {
  if (except.has("I11")) return []
  const until = Date.now() + settleMs
  for (;;) {
    const now = await baselineOf(world)
    const found = [
      ...(now.sessions > before.sessions ? [`I11: ${now.sessions - before.sessions} database sessions are left`] : []),
      ...(now.connections > before.connections
        ? [`I11: ${now.connections - before.connections} connections to agents are left`]
        : []),
      ...(now.handles > before.handles + HANDLES_SLACK
        ? [`I11: ${now.handles - before.handles} handles are left`]
        : []),
      ...(now.rss > before.rss + MEMORY_SLACK
        ? [`I11: memory grew by ${Math.round((now.rss - before.rss) / 1024 / 1024)} MiB`]
        : [])
    ]
    if (found.length === 0 || Date.now() > until) return found
    await pause(200)
  }
}
