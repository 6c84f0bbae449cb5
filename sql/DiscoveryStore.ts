/** Scans and their results: what people ask for and look at, and what the worker writes while one runs. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { Conflict, NotFound } from "#core/Errors.ts"
import {
  DISCOVERY_NETWORKS,
  type DiscoveryResult,
  type DiscoveryScan,
  registrableVerdicts,
  type RegisterOutcome,
  type RegisterOutcomes,
  type Verdict
} from "#core/Discovery.ts"
import { DiscoveryId, type GroupId, type HostId } from "#core/Ids.ts"
import type { Page } from "#core/Page.ts"
import { newId } from "#core/newId.ts"
import type { Caller, Principal } from "#core/User.ts"
import { appendAudit, type AuditEntry, type AuditOrigin, originOf } from "./AuditStore.ts"
import { readCursor, writeCursor } from "./cursor.ts"
import { mustSeeGroup } from "./groupScope.ts"
import { hostScope } from "./hostScope.ts"
import { insertHost, refuseDuplicates } from "./HostStore.ts"

/** Results are for registering hosts soon; older scans go when a new one is made. */
const KEPT_SCANS = 20

export const scanNotFound = new NotFound({
  code: "scan_not_found",
  message: "There is no such scan; old ones are deleted."
})

/** The networks that may be scanned, as the administrator wrote them; read each time, so a change counts at once. */
export const readDiscoveryNetworks = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ network: string }>`
    select jsonb_array_elements_text(value) as network from system_config
    where key = ${DISCOVERY_NETWORKS} and jsonb_typeof(value) = 'array'`
  return rows.map((row) => row.network)
})

/** Only where nothing was ever said about networks: an administrator's later choice, an empty one too, is kept. */
export const addFirstDiscoveryNetwork = (origin: AuditOrigin, network: string) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(
      Effect.gen(function* () {
        const added = yield* sql`
          insert into system_config (key, value) values (${DISCOVERY_NETWORKS}, ${JSON.stringify([network])}::text::jsonb)
          on conflict (key) do nothing returning key`
        if (added.length === 0) return
        yield* appendAudit(origin, {
          action: "settings.change",
          object_type: "settings",
          object_id: "settings",
          before: { [DISCOVERY_NETWORKS]: [] },
          after: { [DISCOVERY_NETWORKS]: [network] }
        })
      })
    )
  )

/** Callers who may scan see every verdict, everybody else our own agents alone. */
const seesAll = (principal: Principal): boolean => principal.permissions.has("discovery:run")

/** A scan takes ten seconds at most and writes several times a second; the worker of one that stands still is gone. */
const isAbandoned = "s.state = 'running' and s.progress_at < now() - interval '20 seconds'"
const abandonedMessage = "The worker ended while the scan ran. Start it again."

const scanColumns = (principal: Principal): string => `
  s.id, s.cidr, s.port, case when ${isAbandoned} then 'interrupted' else s.state end as state, s.addresses_total,
  s.addresses_probed, n.agent as found, ${
    seesAll(principal)
      ? `json_build_object('agent', n.agent, 'agent_other_certificate', n.agent_other_certificate,
          'other_service', n.other_service, 'closed', n.closed, 'no_answer', n.no_answer)`
      : "null"
  } as counts, case when ${isAbandoned} then '${abandonedMessage}' else s.message end as message, s.requested_by,
  s.cancel_requested_at, s.created_at, s.started_at, case when ${isAbandoned} then s.progress_at else s.finished_at end as finished_at`

const scanSources = `
  from discovery_scans s cross join lateral (
    select (count(*) filter (where r.verdict = 'agent'))::int as agent,
      (count(*) filter (where r.verdict = 'agent_other_certificate'))::int as agent_other_certificate,
      (count(*) filter (where r.verdict = 'other_service'))::int as other_service,
      (count(*) filter (where r.verdict = 'closed'))::int as closed,
      (count(*) filter (where r.verdict = 'no_answer'))::int as no_answer
    from discovery_results r where r.scan_id = s.id
  ) n`

export const getScan = Effect.fnUntraced(function* (principal: Principal, id: DiscoveryId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ scan: DiscoveryScan }>`
    select row_to_json(x) as scan from (
      select ${sql.literal(scanColumns(principal))} ${sql.literal(scanSources)} where s.id = ${id}) x`
  const row = rows[0]
  if (row === undefined) return yield* scanNotFound
  return row.scan
})

interface Paging {
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
}

/** Newest first. */
export const listScans = Effect.fnUntraced(function* (principal: Principal, request: Paging) {
  const sql = yield* SqlClient.SqlClient
  const limit = request.limit ?? 50
  const after = yield* readCursor("scans", request.cursor, "text")
  const rows = yield* sql<{ scan: DiscoveryScan }>`
    select row_to_json(x) as scan from (
      select ${sql.literal(scanColumns(principal))} ${sql.literal(scanSources)}
      where ${after ? sql`s.id < ${after.id}::text::uuid` : sql`true`} order by s.id desc limit ${limit + 1}) x`
  const counted = yield* sql<{ total: number }>`select count(*)::int as total from discovery_scans`
  const items = rows.slice(0, limit).map((row) => row.scan)
  const last = items.at(-1)
  const page: Page<DiscoveryScan> = {
    items,
    total: counted[0]?.total ?? 0,
    next_cursor: rows.length > limit && last ? writeCursor("scans", { key: "", id: last.id }) : null
  }
  return page
})

export interface ResultsRequest extends Paging {
  readonly verdict?: ReadonlyArray<Verdict> | undefined
}

/** In the order of the addresses. A registered host outside of the caller's scope looks like none. */
export const listResults = Effect.fnUntraced(function* (
  principal: Principal,
  id: DiscoveryId,
  request: ResultsRequest
) {
  const sql = yield* SqlClient.SqlClient
  yield* getScan(principal, id)
  const limit = request.limit ?? 250
  const after = yield* readCursor("scan-results", request.cursor, "number")
  const wanted = seesAll(principal) ? request.verdict : ["agent"]
  const matching = sql`r.scan_id = ${id} and ${wanted ? sql`r.verdict = any(${wanted}::text[])` : sql`true`}`
  const start = Number(after?.key ?? 0)
  const rows = yield* sql<{ result: DiscoveryResult }>`
    select json_build_object('address', host(r.address), 'verdict', r.verdict, 'fqdn', r.fqdn, 'registered', (
      select json_build_object('host_id', h.id, 'display_name', h.display_name, 'address', host(h.address),
        'by', case when h.id = r.host_id then 'certificate' else 'address' end)
      from hosts h where h.removed_at is null and ${hostScope(sql, principal)}
        and (h.id = r.host_id or (h.address = r.address and h.agent_port = s.port))
      order by h.id = r.host_id desc nulls last limit 1)) as result
    from discovery_results r join discovery_scans s on s.id = r.scan_id
    where ${matching} order by r.address offset ${start} limit ${limit + 1}`
  const counted = yield* sql<{
    total: number
  }>`select count(*)::int as total from discovery_results r where ${matching}`
  const page: Page<DiscoveryResult> = {
    items: rows.slice(0, limit).map((row) => row.result),
    total: counted[0]?.total ?? 0,
    next_cursor: rows.length > limit ? writeCursor("scan-results", { key: String(start + limit), id }) : null
  }
  return page
})

/** Closes scans that no worker carries on. */
const settleAbandoned = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    update discovery_scans s set state = 'interrupted', message = ${abandonedMessage}, finished_at = now()
    where ${sql.literal(isAbandoned)}`
})

const oneAtATime = (
  open: { readonly cidr: string; readonly requested_by: string; readonly state: string } | undefined
) =>
  new Conflict({
    code: "scan_in_progress",
    message: open
      ? `One scan at a time: ${open.cidr} by ${open.requested_by} is ${open.state}. Wait for it or cancel it.`
      : "One scan at a time: another one was started just now. Wait for it or cancel it."
  })

/** Rows of a new scan and the hint; call inside a transaction, audit after it. The network was checked by the caller. */
export const insertScan = Effect.fnUntraced(function* (
  caller: Caller,
  scan: { readonly cidr: string; readonly port: number; readonly addresses_total: number }
) {
  const sql = yield* SqlClient.SqlClient
  yield* settleAbandoned
  const open = yield* sql<{ cidr: string; requested_by: string; state: string }>`
    select cidr, requested_by, state from discovery_scans where state in ('queued', 'running')`
  if (open[0] !== undefined) return yield* oneAtATime(open[0])
  yield* sql`
    delete from discovery_scans where id not in (select id from discovery_scans order by id desc limit ${KEPT_SCANS - 1})`
  const id = newId(DiscoveryId)
  const made = yield* sql`
    insert into discovery_scans (id, cidr, port, addresses_total, requested_by)
    values (${id}, ${scan.cidr}, ${scan.port}, ${scan.addresses_total}, ${caller.principal.username})
    on conflict do nothing returning id`
  if (made.length === 0) return yield* oneAtATime(undefined)
  yield* sql`select pg_notify('worker', ${`discovery_enqueued ${id}`})`
  const answer = yield* Effect.catchTag(getScan(caller.principal, id), "NotFound", Effect.die)
  const audit: AuditEntry = {
    action: "discovery.scan",
    object_type: "discovery",
    object_id: id,
    before: null,
    after: { ...scan }
  }
  return { answer, audit }
})

/** A queued scan ends at once; the worker ends a running one within half a second. */
export const requestScanCancel = (caller: Caller, id: DiscoveryId) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(
      Effect.gen(function* () {
        yield* settleAbandoned
        const rows = yield* sql<{ state: string }>`select state from discovery_scans where id = ${id} for update`
        const state = rows[0]?.state
        if (state === undefined) return yield* scanNotFound
        if (state !== "queued" && state !== "running") {
          return yield* new Conflict({
            code: "scan_finished",
            message: `The scan is already ${state}: there is nothing left to cancel.`
          })
        }
        yield* sql`
          update discovery_scans set cancel_requested_at = coalesce(cancel_requested_at, now()),
            state = case when state = 'queued' then 'cancelled' else state end,
            finished_at = case when state = 'queued' then now() end
          where id = ${id}`
        yield* appendAudit(originOf(caller), {
          action: "discovery.cancel",
          object_type: "discovery",
          object_id: id,
          before: { state },
          after: null
        })
      })
    )
  )

interface Found {
  readonly address: string
  readonly verdict: Verdict
  readonly fqdn: string | null
  readonly port: number
  readonly host_id: HostId | null
  readonly registered_as: string | null
}

const readFound = Effect.fnUntraced(function* (id: DiscoveryId, addresses: ReadonlyArray<string>) {
  const sql = yield* SqlClient.SqlClient
  return yield* sql<Found>`
    select host(r.address) as address, r.verdict, r.fqdn, s.port, h.id as host_id, h.display_name as registered_as
    from discovery_results r join discovery_scans s on s.id = r.scan_id
      left join hosts h on h.removed_at is null
        and (h.id = r.host_id or (h.address = r.address and h.agent_port = s.port))
    where r.scan_id = ${id} and r.address = any(${addresses}::inet[])
    order by r.address, h.id = r.host_id desc nulls last`
})

const registerOne = Effect.fnUntraced(function* (
  caller: Caller,
  address: string,
  found: Found | undefined,
  groups: ReadonlyArray<GroupId> | undefined
) {
  const outcome = (
    word: RegisterOutcome["outcome"],
    message: string,
    host_id: HostId | null = null
  ): { readonly item: RegisterOutcome; readonly audit: AuditEntry | null } => ({
    item: { address, outcome: word, host_id, message },
    audit: null
  })
  if (found === undefined || !registrableVerdicts.includes(found.verdict)) {
    return outcome("refused", "This scan found no agent at this address.")
  }
  if (found.host_id !== null) {
    return outcome("already_registered", `It is registered as ${found.registered_as}.`, found.host_id)
  }
  const sql = yield* SqlClient.SqlClient
  const registration = {
    fqdn: found.fqdn,
    address,
    agent_port: found.port,
    display_name: found.fqdn ?? address,
    bound_fingerprint: null
  }
  // A transaction within the transaction: one address that is in the way does not undo the others.
  return yield* refuseDuplicates(sql.withTransaction(insertHost(caller, registration, groups))).pipe(
    Effect.map(({ answer, audit }) => ({
      item: {
        address,
        outcome: "registered",
        host_id: answer.id,
        message: "Registered. Issue its certificate and install it there."
      } satisfies RegisterOutcome,
      audit
    })),
    Effect.catchTag("Conflict", (conflict) => Effect.succeed(outcome("refused", conflict.message)))
  )
})

/** Registers what the scan found, each address on its own; call inside a transaction, audit after it. */
export const registerFound = Effect.fnUntraced(function* (
  caller: Caller,
  id: DiscoveryId,
  addresses: ReadonlyArray<string>,
  groups?: ReadonlyArray<GroupId>
) {
  yield* getScan(caller.principal, id)
  yield* Effect.forEach(groups ?? [], (group) => mustSeeGroup(caller.principal, group), { discard: true })
  const found = new Map<string, Found>()
  for (const row of yield* readFound(id, addresses)) if (!found.has(row.address)) found.set(row.address, row)
  const done = yield* Effect.forEach([...new Set(addresses)], (address) =>
    registerOne(caller, address, found.get(address), groups)
  )
  for (const { audit } of done) if (audit !== null) yield* appendAudit(originOf(caller), audit)
  const items = done.map(({ item }) => item)
  const registered = items.filter(({ outcome }) => outcome === "registered").length
  const answer: RegisterOutcomes = { items, registered }
  const audit: AuditEntry = {
    action: "discovery.register",
    object_type: "discovery",
    object_id: id,
    before: null,
    after: { addresses: addresses.length, registered }
  }
  return { answer, audit }
})
