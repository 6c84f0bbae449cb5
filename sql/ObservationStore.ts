/** What was read from hosts: health, system facts, patches, packages, and the agent's log of a running job. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { AgentFailureKind } from "#core/AgentFailure.ts"
import type { HostId, OrderId } from "#core/Ids.ts"
import { packageEffects } from "#core/packageEffects.ts"
import type { InstalledPackage, PackageFormat, Patch } from "#core/Package.ts"
import { numbers } from "./numbers.ts"

export interface SeenRow {
  readonly hostId: HostId
  readonly health: "healthy" | "degraded"
  readonly reason: string | null
  readonly uptimeSeconds: number
  readonly agentVersion: string | null
  readonly nextPollMillis: number
  /** The agent answered, but something it was asked besides could not be read. */
  readonly failure: { readonly kind: AgentFailureKind; readonly message: string } | null
  /** Somebody waits for this answer, so the feed tells of it though nothing may have changed. */
  readonly announce: boolean
}

/** Answered polls of many hosts at once. */
export const writeSeen = Effect.fnUntraced(function* (rows: ReadonlyArray<SeenRow>) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    with input as (
      -- An array of nulls has no type for the driver, so absent texts travel empty.
      select i.host_id, i.health, nullif(i.reason, '') as reason, i.uptime_seconds,
        nullif(i.agent_version, '') as agent_version, i.next_poll_ms, nullif(i.failure_kind, '') as failure_kind,
        nullif(i.failure_message, '') as failure_message, i.announce
      from unnest(${rows.map((row) => row.hostId)}::uuid[], ${rows.map((row) => row.health)}::text[],
        ${rows.map((row) => row.reason ?? "")}::text[], ${numbers(rows.map((row) => row.uptimeSeconds))}::text[]::float8[],
        ${rows.map((row) => row.agentVersion ?? "")}::text[], ${numbers(rows.map((row) => row.nextPollMillis))}::text[]::float8[],
        ${rows.map((row) => row.failure?.kind ?? "")}::text[],
        ${rows.map((row) => row.failure?.message ?? "")}::text[], ${rows.map((row) => row.announce)}::boolean[]
      ) as i(host_id, health, reason, uptime_seconds, agent_version, next_poll_ms, failure_kind, failure_message, announce)
    ),
    alive as (
      update hosts h set last_seen_at = now(), agent_version = coalesce(i.agent_version, h.agent_version)
      from (select * from input order by host_id) i where h.id = i.host_id returning h.id
    ),
    health as (
      insert into host_health_data
        (host_id, health, reason, uptime_seconds, polled_at, next_poll_at, failure_kind, failure_message, failed_at)
      select i.host_id, i.health, i.reason, i.uptime_seconds, now(), now() + i.next_poll_ms * interval '1 millisecond',
        i.failure_kind, i.failure_message, case when i.failure_kind is not null then now() end
      from input i join alive a on a.id = i.host_id
      on conflict (host_id) do update set health = excluded.health, reason = excluded.reason,
        uptime_seconds = excluded.uptime_seconds, polled_at = excluded.polled_at, next_poll_at = excluded.next_poll_at,
        failure_kind = excluded.failure_kind, failure_message = excluded.failure_message, failed_at = excluded.failed_at
    ),
    fed as (
      insert into change_feed (topic, host_id) select 'host', host_id from input where announce returning 1
    )
    select pg_notify('feed', '') where exists (select 1 from fed)`
})

export interface MissedRow {
  readonly hostId: HostId
  readonly kind: AgentFailureKind
  readonly message: string
  readonly nextPollMillis: number
}

/** Failed polls of many hosts at once. */
export const writeMissed = Effect.fnUntraced(function* (rows: ReadonlyArray<MissedRow>) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    with missed as (
      insert into host_health_data (host_id, failure_kind, failure_message, failed_at, next_poll_at)
      select i.host_id, i.kind, i.message, now(), now() + i.next_poll_ms * interval '1 millisecond'
      from unnest(${rows.map((row) => row.hostId)}::uuid[], ${rows.map((row) => row.kind)}::text[],
        ${rows.map((row) => row.message)}::text[], ${numbers(rows.map((row) => row.nextPollMillis))}::text[]::float8[]
      ) as i(host_id, kind, message, next_poll_ms)
      join hosts h on h.id = i.host_id
      order by i.host_id
      on conflict (host_id) do update set failure_kind = excluded.failure_kind,
        failure_message = excluded.failure_message, failed_at = excluded.failed_at, next_poll_at = excluded.next_poll_at
      returning host_id
    ),
    fed as (insert into change_feed (topic, host_id) select 'host', host_id from missed returning 1)
    select pg_notify('feed', '') where exists (select 1 from fed)`
})

export interface SystemFacts {
  readonly os: string | null
  readonly osVersion: string | null
  readonly kernel: string | null
  readonly architecture: string | null
  readonly packageFormat: PackageFormat
  readonly rebootNeeded: boolean | null
}

const tellFeed = Effect.fnUntraced(function* (hostId: HostId) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    with fed as (insert into change_feed (topic, host_id) values ('host', ${hostId}) returning 1)
    select pg_notify('feed', '') from fed`
})

/** Whether anything changed. */
export const writeSystemFacts = Effect.fnUntraced(function* (hostId: HostId, facts: SystemFacts) {
  const sql = yield* SqlClient.SqlClient
  const changed = yield* sql`
    update hosts set os = ${facts.os}, os_version = ${facts.osVersion}, kernel = ${facts.kernel},
      architecture = ${facts.architecture}, package_format = ${facts.packageFormat},
      reboot_needed = ${facts.rebootNeeded}
    where id = ${hostId} and (os, os_version, kernel, architecture, package_format, reboot_needed) is distinct from
      (${facts.os}::text, ${facts.osVersion}::text, ${facts.kernel}::text, ${facts.architecture}::text,
       ${facts.packageFormat}::text, ${facts.rebootNeeded}::boolean)
    returning id`
  if (changed.length > 0) yield* tellFeed(hostId)
})

/** Stores the patch list; true when it differs from the one before. */
export const writePatches = Effect.fnUntraced(function* (hostId: HostId, patches: ReadonlyArray<Patch>) {
  const sql = yield* SqlClient.SqlClient
  const content = JSON.stringify(patches)
  const security = patches.filter((patch) => patch.security).length
  const rows = yield* sql<{ changed: boolean }>`
    with before as (select content_hash from host_patch_data where host_id = ${hostId})
    insert into host_patch_data as d (host_id, patches, pending, security, oldest_security_at, content_hash)
    select id, ${content}::text::jsonb, ${patches.length}, ${security}, case when ${security} > 0 then now() end,
      sha256(convert_to(${content}::text, 'UTF8'))
    from hosts where id = ${hostId}
    on conflict (host_id) do update set read_at = now(),
      patches = excluded.patches, pending = excluded.pending, security = excluded.security,
      oldest_security_at = case when excluded.security > 0 then coalesce(d.oldest_security_at, now()) end,
      changed_at = case when d.content_hash = excluded.content_hash then d.changed_at else now() end,
      content_hash = excluded.content_hash
    returning (select content_hash from before) is distinct from d.content_hash as changed`
  const changed = rows[0]?.changed ?? false
  if (changed) yield* tellFeed(hostId)
  return changed
})

/** Stores the full package list. An unchanged list only gets a new reading time. */
export const writePackages = Effect.fnUntraced(function* (hostId: HostId, packages: ReadonlyArray<InstalledPackage>) {
  const sql = yield* SqlClient.SqlClient
  const content = JSON.stringify(packages)
  const same = yield* sql`
    update host_packages set read_at = now()
    where host_id = ${hostId} and content_hash = sha256(convert_to(${content}::text, 'UTF8')) returning host_id`
  if (same.length > 0) return
  yield* sql`
    insert into host_packages (host_id, packages, total, content_hash)
    select id, ${content}::text::jsonb, ${packages.length}, sha256(convert_to(${content}::text, 'UTF8'))
    from hosts where id = ${hostId}
    on conflict (host_id) do update set packages = excluded.packages, total = excluded.total,
      content_hash = excluded.content_hash, changed_at = now(), read_at = now()`
  yield* tellFeed(hostId)
})

/** The agent's log and progress of a host's order while it runs. */
export const writeProgress = Effect.fnUntraced(function* (
  orderId: OrderId,
  progress: { readonly percent: number; readonly log: ReadonlyArray<string> }
) {
  const sql = yield* SqlClient.SqlClient
  const log = JSON.stringify(progress.log)
  yield* sql`
    with changed as (
      update patch_job_hosts set progress_percent = ${progress.percent}, log = ${log}::text::jsonb
      where id = ${orderId} and (progress_percent <> ${progress.percent} or log <> ${log}::text::jsonb)
      returning job_id, host_id
    ),
    fed as (
      insert into change_feed (topic, host_id, job_id) select 'job_host', host_id, job_id from changed returning 1
    )
    select pg_notify('feed', '') from fed`
})

/** All packages before an order changes anything: the last list before its first call stays, whatever is read later. */
export const keepPackagesBefore = Effect.fnUntraced(function* (
  orderId: OrderId,
  packages: ReadonlyArray<InstalledPackage>,
  sends: number
) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    insert into order_effects (order_id, packages_before)
    select id, ${JSON.stringify(packages)}::text::jsonb from patch_job_hosts where id = ${orderId}
    on conflict (order_id) do update set packages_before = excluded.packages_before, taken_at = now() where ${sends === 0}`
})

/** What the order has changed up to this reading, dependencies included. Without a list from before nothing is written. */
export const writeEffects = Effect.fnUntraced(function* (
  orderId: OrderId,
  packagesNow: ReadonlyArray<InstalledPackage>
) {
  const sql = yield* SqlClient.SqlClient
  const [kept] = yield* sql<{ before: ReadonlyArray<InstalledPackage> }>`
    select packages_before as before from order_effects where order_id = ${orderId}`
  if (kept === undefined) return
  const effects = JSON.stringify(packageEffects(kept.before, packagesNow))
  yield* sql`
    update order_effects set effects = ${effects}::text::jsonb, taken_at = now()
    where order_id = ${orderId} and effects is distinct from ${effects}::text::jsonb`
})
