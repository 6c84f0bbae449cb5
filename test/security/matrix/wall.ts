/** The second wall by itself: what the web process' role sees of each table on a connection that asks for one operator. */
import type pg from "pg"
import { roleUrls } from "#test/setup/roleUrls.ts"
import { testClient } from "#test/setup/testClient.ts"
import type { MatrixWorld } from "./world.ts"

/** Every table whose rows belong to hosts, groups or jobs, and how its rows are found to be foreign. */
const hostOf: Readonly<Record<string, string>> = {
  hosts: "t.id",
  host_health_data: "t.host_id",
  host_patch_data: "t.host_id",
  host_packages: "t.host_id",
  host_snapshots: "t.host_id",
  host_transitions: "t.host_id",
  host_timers: "t.host_id",
  host_intents: "t.host_id",
  host_requests: "t.host_id",
  host_bases: "t.host_id",
  patch_job_hosts: "t.host_id",
  compliance_daily: "t.host_id",
  certificates: "t.host_id",
  alarms: "t.host_id",
  enrolments: "t.host_id",
  holds: "t.host_id",
  service_checks: "t.host_id",
  maintenance_windows: "t.host_id",
  order_effects: "(select o.host_id from patch_job_hosts o where o.id = t.order_id)",
  patch_jobs: "(select o.host_id from patch_job_hosts o where o.job_id = t.id limit 1)",
  job_snapshots: "(select o.host_id from patch_job_hosts o where o.job_id = t.job_id limit 1)",
  job_transitions: "(select o.host_id from patch_job_hosts o where o.job_id = t.job_id limit 1)",
  job_timers: "(select o.host_id from patch_job_hosts o where o.job_id = t.job_id limit 1)",
  window_runs: "(select w.host_id from maintenance_windows w where w.id = t.window_id)"
}

export const walledTables: ReadonlyArray<string> = [...Object.keys(hostOf), "groups", "audit_log"]

/** Rows of every such table for these hosts, as far as the product has not made them. */
export const fillTables = async (rows: MatrixWorld["web"]["rows"], hosts: ReadonlyArray<string>): Promise<void> => {
  const each = (statement: string) =>
    rows(`insert into ${statement} from unnest($1::uuid[]) x on conflict do nothing`, [hosts])
  await each("host_health_data (host_id) select x")
  await each("host_patch_data (host_id, patches, pending, security, content_hash) select x, '[]', 1, 0, ''")
  await each("host_packages (host_id, packages, total, content_hash) select x, '[]', 0, ''")
  await each(`host_transitions (host_id, version, machine_version, event_type, event, from_link, to_link, from_work, to_work)
    select x, 1, 1, 'tick', '{}', 'healthy', 'healthy', 'idle', 'idle'`)
  await each("host_timers (host_id, id, due_at, armed_version) select x, 'poll', now(), 1")
  await each("host_intents (id, host_id, order_id, action, opened_version) select x::text, x, x, 'apply', 1")
  await each("host_requests (id, host_id, event) select gen_random_uuid(), x, '{}'")
  await each("host_bases (host_id, version, machine_version, value, context) select x, 1, 1, '{}', '{}'")
  await each("compliance_daily (day, host_id, class) select current_date, x, 'unknown'")
  await each(`certificates (id, kind, host_id, subject, serial, fingerprint_sha256, certificate_pem, not_before, not_after, issued_by)
    select gen_random_uuid(), 'host', x, 'CN=x', '1', 'f', 'pem', now(), now(), 'x'`)
  await each("alarms (kind, host_id, message) select 'x', x, 'x'")
  await each(`enrolments (id, state, machine_id, fqdn, address, source_address, token_hash, bundle_key, host_id)
    select x, 'approved', replace(x::text, '-', ''), x::text, '127.0.0.1', '127.0.0.1', encode(sha256(x::text::bytea), 'hex'),
      sha256(x::text::bytea), x`)
  await each("service_checks (host_id, services) select x, '{sshd}'")
  await rows(
    `insert into order_effects (order_id, packages_before) select id, '[]' from patch_job_hosts on conflict do nothing`
  )
  await rows(`insert into job_transitions (job_id, version, machine_version, event_type, event, from_state, to_state)
    select id, 99, 1, 'tick', '{}', 'queued', 'queued' from patch_jobs on conflict do nothing`)
  await rows(
    `insert into job_timers (job_id, id, due_at, armed_version) select id, 'x', now(), 0 from patch_jobs on conflict do nothing`
  )
  await rows(`insert into window_runs (window_id, opens_at, closes_at, outcome, note)
    select id, now(), now(), 'nothing', '' from maintenance_windows on conflict do nothing`)
}

const scopeAs = (client: pg.Client, scope: string) =>
  client.query("select set_config('patch_manager.scope', $1, false)", [scope])

/** As an operator of the own group: nothing of the other's. Saying nothing: nothing at all. As the process: everything. */
export const probeWall = async (
  world: MatrixWorld
): Promise<{ readonly faults: ReadonlyArray<string>; readonly cells: number }> => {
  const { groups, hosts, web } = world
  await fillTables(web.rows, [hosts.own, hosts.other, hosts.open])
  const client = testClient(roleUrls(web.databaseUrl).web)
  await client.connect()
  const faults: Array<string> = []
  try {
    const count = async (table: string, condition: string): Promise<number> =>
      Number((await client.query(`select count(*) as n from ${table} t where ${condition}`)).rows[0].n)
    for (const table of walledTables) {
      const of = (host: string): string => `${hostOf[table]} = '${host}'`
      await scopeAs(client, "")
      if ((await count(table, "true")) > 0)
        faults.push(`WALL ${table}: shows rows to a connection that has not said for whom it asks`)
      await scopeAs(client, `{${groups.a}}`)
      if (table === "groups") {
        if ((await count(table, `t.id <> '${groups.a}'`)) > 0)
          faults.push("WALL groups: an operator sees another's group")
      } else if (table === "audit_log") {
        if ((await count(table, "true")) > 0) faults.push("WALL audit_log: an operator sees the audit log")
      } else {
        if ((await count(table, of(hosts.other))) > 0)
          faults.push(`WALL ${table}: an operator sees rows of another group's host`)
        if ((await count(table, of(hosts.own))) === 0)
          faults.push(`WALL ${table}: an operator does not see rows of his own group's host`)
        if ((await count(table, of(hosts.open))) === 0)
          faults.push(`WALL ${table}: an operator does not see rows of a host without a group`)
      }
      await scopeAs(client, "all")
      if ((await count(table, table === "groups" || table === "audit_log" ? "true" : of(hosts.other))) === 0) {
        faults.push(`WALL ${table}: the process itself does not see its rows`)
      }
    }
  } finally {
    await client.end()
  }
  return { faults, cells: walledTables.length * 4 }
}
