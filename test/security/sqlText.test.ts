/** Texts that would mean something in SQL, in every parameter there is; and what the database would let such a text do. */
import { Agent } from "node:https"
import { afterAll, beforeAll, expect } from "vitest"
import pg from "pg"
import { startScopeWorld, type ScopeWorld } from "#test/http/scopeWorld.ts"
import type { Answer } from "#test/http/TestWeb.ts"
import { roleUrls } from "#test/setup/roleUrls.ts"
import { testClient } from "#test/setup/testClient.ts"
import { securityRow } from "./securityRow.ts"

let world: ScopeWorld
beforeAll(async () => {
  world = await startScopeWorld()
}, 60_000)
afterAll(() => world.web.stop())

/** In every text, so that it is found where it must not be: in a statement. */
const MARK = "zq9"

const openings = [
  "",
  "'",
  '"',
  "\\",
  "')",
  "'))",
  '"))',
  "%",
  "$$",
  "$1",
  "1",
  "-1",
  "null",
  "\u2019",
  "a' ",
  "x'::uuid",
  "{",
  "[",
  "(",
  "/*"
]
const closings = [
  "",
  " or 1=1",
  " or '1'='1",
  "; drop table hosts",
  "; select pg_sleep(9)",
  " union select null,null",
  "--",
  "#",
  "*/",
  "||pg_sleep(9)",
  " and 1=(select 1/0)",
  "; update audit_log set actor_name=1--",
  ") returning *--",
  " order by 99",
  "::int",
  " limit 0",
  "; set role patch_manager--",
  "; copy hosts to program 'id'--",
  " is null",
  "\ufeff",
  " similar to '%'",
  "; commit; begin",
  "%' escape '%",
  ' collate "C"',
  "; notify worker"
]
const texts = openings.flatMap((opening) => closings.map((closing) => `${opening}${MARK}${closing}`))

const agent = new Agent({ keepAlive: true, maxSockets: 16 })
const inQuery = (path: string, name: string) => (text: string) => ({
  method: "GET",
  path: `${path}?${name}=${encodeURIComponent(text)}`
})

type Asked = {
  readonly method: string
  readonly path: string
  readonly body?: object
  readonly headers?: Record<string, string>
}

const places = (): Readonly<Record<string, (text: string) => Asked>> => {
  const { own } = world.hosts
  const host = `/api/v1/hosts/${own}`
  const patch = { method: "PATCH", path: host, headers: { "if-match": '"999999"' } }
  return {
    ...Object.fromEntries(
      ["q", "status", "os", "group", "pending", "reboot_needed", "sort", "cursor", "limit"].map((name) => [
        `hosts ${name}`,
        inQuery("/api/v1/hosts", name)
      ])
    ),
    "packages q": inQuery(`${host}/packages`, "q"),
    "groups q": inQuery("/api/v1/groups", "q"),
    "windows q": inQuery("/api/v1/windows", "q"),
    "windows host": inQuery("/api/v1/windows", "host_id"),
    "holds host": inQuery("/api/v1/holds", "host_id"),
    "jobs state": inQuery("/api/v1/jobs", "state"),
    "jobs sort": inQuery("/api/v1/jobs", "sort"),
    "transitions cursor": inQuery(`${host}/transitions`, "cursor"),
    "audit filter": inQuery("/api/v1/audit", "action"),
    "users q": inQuery("/api/v1/users", "q"),
    "host id": (text) => ({ method: "GET", path: `/api/v1/hosts/${encodeURIComponent(text)}` }),
    "host name": (text) => ({ ...patch, body: { display_name: text } }),
    "host fqdn": (text) => ({ ...patch, body: { fqdn: text } }),
    "hold pattern": (text) => ({
      method: "POST",
      path: "/api/v1/holds",
      headers: { "idempotency-key": text.replaceAll(/[^\x20-\x7e]/g, "?") || "-" },
      body: { target: { kind: "host", host_id: own }, pattern: text, reason: text }
    }),
    "a user's name": (text) => ({
      method: "POST",
      path: "/api/v1/auth/login",
      body: { username: text, password: MARK }
    })
  }
}

/** As many at a time as the pool of connections has. */
const each = async <A>(all: ReadonlyArray<A>, run: (one: A) => Promise<void>): Promise<void> => {
  const left = [...all]
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) await run(next)
  }
  await Promise.all(Array.from({ length: 16 }, work))
}

securityRow(
  "S66",
  "SQL meta characters",
  async (row) => {
    const { web, admin } = world
    const before = await web.rows("select id, display_name from hosts order by id")
    const statements: Array<string> = []
    await row.assert("in every parameter, sort and filter field (500 texts): refused or taken literally", async () => {
      expect(new Set(texts).size).toBe(500)
      for (const [place, asked] of Object.entries(places())) {
        // Wrong passwords are counted, and a pause is no answer to the text.
        const some = place === "a user's name" ? texts.filter((_, index) => index % 50 === 0) : texts
        const began = performance.now()
        await each(some, async (text) => {
          const { method, path, ...rest } = asked(text)
          const answer: Answer = await web.call(method, path, { token: admin, agent, ...rest })
          expect([place, text, answer.status >= 500]).toEqual([place, text, false])
          expect([place, text, /syntax|relation|column|SQLSTATE|pg_/.test(answer.text.replaceAll(text, ""))]).toEqual([
            place,
            text,
            false
          ])
          if (place === "hosts q" && text.length > MARK.length) expect([text, answer.at("total")]).toEqual([text, 0])
        })
        expect([place, performance.now() - began < 60_000]).toEqual([place, true])
        const seen = await web.rows<{ query: string }>(
          "select query from pg_stat_activity where datname = current_database() and usename = 'patch_manager_web'"
        )
        statements.push(...seen.map(({ query }) => query))
      }
      expect(await web.rows("select id, display_name from hosts order by id")).toEqual(before)
    })
    await row.assert("the statements that ran hold bound parameters alone", () => {
      expect(statements.length).toBeGreaterThan(20)
      expect(statements.filter((statement) => statement.includes(MARK))).toEqual([])
    })
    await row.assert("database role of `web` cannot run DDL, cannot update or delete audit rows", async () => {
      const client = testClient(roleUrls(web.databaseUrl).web)
      await client.connect()
      try {
        for (const statement of [
          "create table mine (a int)",
          "drop table hosts",
          "alter table hosts add column x int",
          "create function mine() returns int language sql as 'select 1'",
          "update audit_log set actor_name = 'x'",
          "delete from audit_log",
          "truncate audit_log",
          "alter table audit_log disable trigger all"
        ]) {
          const refused = await client.query(statement).then(
            () => "done",
            (error: unknown) => (error instanceof pg.DatabaseError ? error.code : String(error))
          )
          expect([statement, refused]).toEqual([statement, "42501"])
        }
      } finally {
        await client.end()
      }
    })
  },
  300_000
)
