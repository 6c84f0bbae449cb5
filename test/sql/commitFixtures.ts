/** Hosts, orders and rows for tests of the commit, on a database of their own. */
import { orderDefaults } from "#core/Order.ts"
import { PgClient } from "@effect/sql-pg"
import { Effect, Layer, type Scope } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { HostId, JobId, OrderId } from "#core/Ids.ts"
import { newId } from "#core/newId.ts"
import { machineVersion } from "#machines/step.ts"
import { parseDatabaseUrl } from "#sql/DatabaseUrl.ts"
import type { HostCommitRow } from "#sql/HostCommit.ts"
import { testDatabase } from "#test/setup/Database.ts"

/** Runs the body on a fresh migrated database. */
export const onDatabase = <A, E>(
  body: Effect.Effect<A, E, SqlClient.SqlClient | PgClient.PgClient | Scope.Scope>,
  maxConnections = 4
): Effect.Effect<A, E, Scope.Scope> =>
  Effect.flatMap(testDatabase, ({ url }) =>
    Effect.scoped(body).pipe(
      Effect.provide(
        PgClient.layer({ ...parseDatabaseUrl(url), maxConnections, applicationName: "under test" }).pipe(Layer.orDie)
      )
    )
  )

let made = 0

/** Registered, never polled, at version 0; `work` and `link` may be put elsewhere. */
export const makeHost = Effect.fnUntraced(function* (place: { readonly link?: string; readonly work?: string } = {}) {
  const sql = yield* SqlClient.SqlClient
  const id = newId(HostId)
  const address = `127.9.${(++made >> 8) & 255}.${made & 255}`
  yield* sql`
    insert into hosts (id, fqdn, display_name, address, registered_by)
    values (${id}, ${`h${made}.example.org`}, ${`h${made}`}, ${address}::text::inet, 'test')`
  yield* sql`
    insert into host_snapshots (host_id, machine_version, version, link, work, summary, value, context)
    values (${id}, ${machineVersion}, 0, ${place.link ?? "unknown"}, ${place.work ?? "idle"}, 'unknown', '{}', '{}')`
  return id
})

export const makeHosts = (count: number): Effect.Effect<Array<HostId>, SqlError.SqlError, SqlClient.SqlClient> =>
  Effect.map(
    Effect.forEach(Array.from({ length: count }), () => makeHost()),
    (hosts) => [...hosts].sort()
  )

/** A job with one waiting order for each host. */
export const makeJob = Effect.fnUntraced(function* (hosts: ReadonlyArray<HostId>) {
  const sql = yield* SqlClient.SqlClient
  const job = newId(JobId)
  yield* sql`
    insert into patch_jobs (id, kind, selection, reboot, requested_by)
    values (${job}, 'patch_apply', '{"kind":"all"}', 'never', 'test')`
  const orders: Array<OrderId> = []
  for (const host of hosts) {
    const order = newId(OrderId)
    orders.push(order)
    yield* sql`insert into patch_job_hosts (id, job_id, host_id) values (${order}, ${job}, ${host})`
  }
  return { job, orders }
})

/** The commit of a first healthy poll; the rest as given. */
export const row = (hostId: HostId, fields: Partial<HostCommitRow> = {}): HostCommitRow => ({
  hostId,
  machineVersion,
  was: 0,
  from: { link: "unknown", work: "idle" },
  to: { link: "healthy", work: "idle", summary: "healthy" },
  value: { managed: { link: "healthy", work: "idle" } },
  context: { seq: 0 },
  event: { type: "poll.ok", at: 1, health: "healthy", reason: null, uptime_seconds: 1 },
  orderId: null,
  claim: null,
  timersSet: [],
  timersCancelled: [],
  intentsOpened: [],
  intentsClosed: [],
  jobHost: null,
  ...fields
})

/** The commit by which an idle host takes up an order. */
export const takesUp = (
  hostId: HostId,
  orderId: OrderId,
  jobId: JobId,
  fields: Partial<HostCommitRow> = {}
): HostCommitRow =>
  row(hostId, {
    from: { link: "unknown", work: "idle" },
    to: { link: "unknown", work: "patching.preparing", summary: "patching" },
    event: {
      type: "order",
      at: 1,
      by: "test",
      order: {
        ...orderDefaults,
        id: orderId,
        job_id: jobId,
        kind: "patch_apply",
        selection: { kind: "all" },
        reboot: "never",
        reboot_delay_seconds: 0,
        closes_at: null
      }
    },
    orderId,
    claim: orderId,
    jobHost: { orderId, state: "dispatching", ended: false, outcome: null, agentJobId: null },
    ...fields
  })

/** Rows of every table a commit may write, for a host. */
export const writtenFor = Effect.fnUntraced(function* (host: HostId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{
    version: number
    transitions: number
    timers: number
    intents: number
    feed: number
    orders: number
  }>`
    select s.version::int as version,
      (select count(*)::int from host_transitions where host_id = s.host_id) as transitions,
      (select count(*)::int from host_timers where host_id = s.host_id) as timers,
      (select count(*)::int from host_intents where host_id = s.host_id) as intents,
      (select count(*)::int from change_feed where host_id = s.host_id) as feed,
      (select count(*)::int from patch_job_hosts where host_id = s.host_id and state <> 'queued') as orders
    from host_snapshots s where s.host_id = ${host}`
  return rows[0]!
})
