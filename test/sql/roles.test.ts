import { Effect } from "effect"
import pg from "pg"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { processRoles } from "#deploy/postgres/cluster.ts"
import { applyGrants, ungoverned } from "#sql/applyGrants.ts"
import { readDatabaseRights, requireSeparateRole } from "#sql/databaseRights.ts"
import { asOwner } from "#sql/ensureRoles.ts"
import { functionRights, grantsOf } from "#sql/roles.ts"
import { makeTestDatabase, type TestDatabase } from "#test/setup/Database.ts"
import { roleUrls } from "#test/setup/roleUrls.ts"
import { testClient } from "#test/setup/testClient.ts"

const both = ["web", "worker"] as const
type Process = (typeof both)[number]

/** Columns nobody but the web process may read, whatever else the worker learns. */
const secrets = [
  "users.password_hash",
  "password_history.password_hash",
  "totp_secrets.secret_sealed",
  "passkeys.public_key",
  "recovery_codes.code_hash",
  "refresh_tokens.token_hash",
  "api_tokens.token_hash",
  "ws_tickets.ticket_hash",
  "azure_sso_config.client_secret",
  "sso_sign_ins.state_hash",
  "enrolments.bundle",
  "enrolments.token_hash",
  "sessions.user_agent",
  "idempotency_keys.response"
]

const auditTables = ["audit_log", "audit_head", "audit_anchor"]

describe("the rights of the database roles", () => {
  let database: TestDatabase
  let owner: pg.Client
  const clients = {} as Record<Process, pg.Client>
  beforeAll(async () => {
    database = await makeTestDatabase()
    const urls = roleUrls(database.url)
    owner = testClient(database.url)
    await owner.connect()
    for (const role of both) {
      clients[role] = testClient(urls[role])
      await clients[role].connect()
    }
  })
  afterAll(async () => {
    for (const client of [owner, ...Object.values(clients)]) await client.end()
    await database.drop()
  })

  /** The SQLSTATE of the refusal, or "done". */
  const attempt = async (client: pg.Client, statement: string): Promise<string> => {
    await client.query("begin")
    try {
      await client.query(statement)
      return "done"
    } catch (error) {
      return error instanceof pg.DatabaseError ? (error.code ?? "") : String(error)
    } finally {
      await client.query("rollback")
    }
  }
  const DENIED = "42501"

  it("are written down for every table and every function that runs as the owner", async () => {
    const { unnamed, gone } = await asOwner(database.url, ungoverned)
    const where =
      "the table in sql/roles.ts says who may do what with it; what it does not name is forbidden to both processes"
    expect(unnamed, `Add these to tableRights or functionRights: ${where}.`).toEqual([])
    expect(
      gone,
      `Take these out of tableRights or functionRights: they are no longer in the database, and ${where}.`
    ).toEqual([])
  })

  it.each(both)("of %s are those in the table and no others", async (role) => {
    const { rows } = await owner.query<{ right: string }>(
      `with mine as (select oid from pg_roles where rolname = $1)
       select lower(a.privilege_type) || ' ' || c.relname as right
         from pg_class c, aclexplode(c.relacl) a, mine where c.relnamespace = 'public'::regnamespace and a.grantee = mine.oid
       union all
       select lower(a.privilege_type) || ' ' || c.relname || '(' || string_agg(k.attname, ',' order by k.attname) || ')'
         from pg_class c join pg_attribute k on k.attrelid = c.oid, aclexplode(k.attacl) a, mine
         where c.relnamespace = 'public'::regnamespace and a.grantee = mine.oid group by a.privilege_type, c.relname`,
      [processRoles[role]]
    )
    const wanted = grantsOf(role).map(
      ({ table, right, columns }) => `${right} ${table}${columns === null ? "" : `(${columns.toSorted().join()})`}`
    )
    expect(rows.map(({ right }) => right).toSorted()).toEqual(wanted.toSorted())
  })

  it("let nobody else in: the public has no right on any table and may run no function of the owner's", async () => {
    const { rows } = await owner.query(
      `select relname as name from pg_class c, aclexplode(c.relacl) a where c.relnamespace = 'public'::regnamespace and a.grantee = 0
       union all
       select proname from pg_proc p where p.pronamespace = 'public'::regnamespace and p.prosecdef
         and has_function_privilege('pg_monitor', p.oid, 'execute')`
    )
    expect(rows).toEqual([])
    const { rows: loose } = await owner.query(
      `select proname from pg_proc where pronamespace = 'public'::regnamespace and prosecdef
         and not coalesce(array_to_string(proconfig, ' ') like 'search_path=pg_catalog, public, pg_temp%', false)`
    )
    expect(loose, "a function that runs as the owner needs a fixed search_path").toEqual([])
    const { rows: callable } = await owner.query<{ name: string; role: Process }>(
      `select proname as name, r.role from pg_proc p, (values ('web', $1), ('worker', $2)) r(role, name)
       where p.pronamespace = 'public'::regnamespace and p.prosecdef and has_function_privilege(r.name, p.oid, 'execute')`,
      [processRoles.web, processRoles.worker]
    )
    const wanted = Object.entries(functionRights).flatMap(([name, roles]) => roles.map((role) => `${role} ${name}`))
    expect(callable.map(({ name, role }) => `${role} ${name}`).toSorted()).toEqual(wanted.toSorted())
  })

  it("stay as they are when they are given again, and one given by hand is taken back", async () => {
    await owner.query(`grant update on audit_log to ${processRoles.web}`)
    await owner.query(`grant select on totp_secrets to ${processRoles.worker}`)
    await owner.query("grant select on users to public")
    await asOwner(database.url, Effect.andThen(applyGrants(processRoles), applyGrants(processRoles)))
    expect(await attempt(clients.web, "update audit_log set actor_name = 'x'")).toBe(DENIED)
    expect(await attempt(clients.worker, "select secret_sealed from totp_secrets")).toBe(DENIED)
    expect(await attempt(clients.worker, "select password_hash from users")).toBe(DENIED)
  })

  it.each(both)("keep %s from the audit log but through its function", async (role) => {
    const client = clients[role]
    expect(await attempt(client, "select audit_append('machine','x','x','x','x','x',null,null,'x','x')")).toBe("done")
    for (const table of auditTables) {
      for (const statement of [
        `insert into ${table} select * from ${table}`,
        `update ${table} set seq = seq`,
        `delete from ${table}`,
        `truncate ${table}`,
        `alter table ${table} disable trigger all`,
        `drop table ${table}`
      ]) {
        expect([statement, await attempt(client, statement)]).toEqual([statement, DENIED])
      }
    }
    // What audit_prune tells the trigger is worth nothing without the right to delete.
    expect(await attempt(client, "set patch_manager.audit_prune = 'on'; delete from audit_log")).toBe(DENIED)
    expect(await attempt(client, "set session_replication_role = 'replica'")).toBe(DENIED)
  })

  it.each(both)("keep %s from changing what there is", async (role) => {
    for (const statement of [
      "create table mine (a int)",
      "create temporary table mine (a int)",
      "create function mine() returns int language sql as 'select 1'",
      "create or replace function audit_field(value text) returns text language sql as 'select null'",
      "alter function audit_append(text,text,text,text,text,text,jsonb,jsonb,text,text) security invoker",
      "alter table hosts disable row level security",
      "drop policy in_sight on hosts",
      "create role other login",
      "grant patch_manager to current_user",
      "set role patch_manager",
      "create schema mine",
      "create extension dblink",
      "copy hosts to program 'true'",
      "select pg_read_file('/etc/passwd')",
      "select lo_import('/etc/passwd')",
      "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'patch_manager'",
      "insert into schema_migrations (number, name) values (9999, 'x')",
      "insert into allowed_transitions values ('host', 1, 'link', 'a', 'b', 'c')"
    ]) {
      expect([statement, await attempt(clients[role], statement)]).toEqual([statement, DENIED])
    }
  })

  it("keep the worker from what people prove who they are with", async () => {
    for (const secret of secrets) {
      const [table = "", column = ""] = secret.split(".")
      expect([secret, await attempt(clients.worker, `select ${column} from ${table}`)]).toEqual([secret, DENIED])
      expect([secret, await attempt(clients.worker, `update ${table} set ${column} = ${column}`)]).toEqual([
        secret,
        DENIED
      ])
    }
    for (const table of ["users", "sessions", "api_tokens", "passkeys", "external_identities"]) {
      expect([table, await attempt(clients.worker, `insert into ${table} select * from ${table}`)]).toEqual([
        table,
        DENIED
      ])
    }
  })

  it("keep the web process from what the worker alone decides", async () => {
    for (const statement of [
      "update host_snapshots set link = 'healthy'",
      "delete from host_snapshots",
      "insert into host_transitions default values",
      "update job_snapshots set state = 'x'",
      "update worker_lease set epoch = epoch + 1",
      "insert into worker_heartbeat (worker_id, epoch, pid, program_version) values ('x', 1, 1, 'x')",
      "update host_patch_data set pending = 0",
      "insert into order_effects select * from order_effects",
      "insert into audit_checkpoints select * from audit_checkpoints",
      "select audit_prune(now() - interval '1 year', 1)"
    ]) {
      expect([statement, await attempt(clients.web, statement)]).toEqual([statement, DENIED])
    }
  })

  it("are recognised for what they are by the process itself", async () => {
    const urls = roleUrls(database.url)
    for (const role of both) {
      expect(await asOwner(urls[role], readDatabaseRights)).toMatchObject({ may: null, roles: "separate" })
      expect(await asOwner(urls[role], requireSeparateRole(false))).toBe("separate")
    }
    expect(await asOwner(database.url, readDatabaseRights)).toMatchObject({ may: "is a superuser", roles: "single" })
    await expect(asOwner(database.url, requireSeparateRole(false))).rejects.toThrow(/is a superuser.*--single-role/)
    expect(await asOwner(database.url, requireSeparateRole(true))).toBe("single")
    await owner.query(`grant update on audit_log to ${processRoles.web}`)
    await expect(asOwner(urls.web, requireSeparateRole(false))).rejects.toThrow(/may change audit rows/)
    await owner.query(`revoke update on audit_log from ${processRoles.web}`)
  })
})
