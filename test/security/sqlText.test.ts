/** Texts that would mean something in SQL, in every parameter there is; and what the database would let such a text do. */
import { Agent } from "node:https"
import { afterAll, beforeAll, expect } from "vitest"
import pg from "pg"
import { startScopeWorld, type ScopeWorld } from "#test/http/scopeWorld.ts"
import type { Answer } from "#test/http/TestWeb.ts"
import { roleUrls } from "#test/setup/roleUrls.ts"
import { testClient } from "#test/setup/testClient.ts"
import { securityRow } from "./securityRow.ts"
import { listenToStatements } from "./sqlWire.ts"

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

/** An object that is there, where there is one of the kind. */
const there = (path: string): string => {
  const { groups, hosts } = world
  const id = path.includes("/hosts/") ? hosts.own : path.includes("/groups/") ? groups.a : hosts.unknown
  return path.replaceAll(/\{[a-z_]+\}/g, id)
}

/** Every parameter of a query that the contract has. */
const queries = async () => {
  const { web, admin } = world
  type Parameters = ReadonlyArray<{ readonly name: string; readonly in: string }>
  type Paths = Readonly<Record<string, { readonly get?: { readonly parameters?: Parameters } }>>
  const openapi = (await web.call("GET", "/api/v1/openapi.json", { token: admin })).json() as { readonly paths: Paths }
  return Object.entries(openapi.paths).flatMap(([path, { get }]) =>
    (get?.parameters ?? [])
      .filter((parameter) => parameter.in === "query")
      .map(({ name }) => [`${path} ${name}`, inQuery(there(path), name)] as const)
  )
}

const places = async (): Promise<Readonly<Record<string, (text: string) => Asked | Promise<Asked>>>> => {
  const { own } = world.hosts
  const path = `/api/v1/hosts/${own}`
  /** At the version it has now: some of many at a time come through. */
  const edit = async (body: object): Promise<Asked> => {
    const { headers } = await world.send(world.admin, "GET", path)
    return { method: "PATCH", path, headers: { "if-match": String(headers["etag"]) }, body }
  }
  return {
    ...Object.fromEntries(await queries()),
    "host id": (text) => ({ method: "GET", path: `/api/v1/hosts/${encodeURIComponent(text)}` }),
    "host name": (text) => edit({ display_name: text }),
    "host fqdn": (text) => edit({ fqdn: text }),
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
    const { own } = world.hosts
    /** All but the one that the texts go to. */
    const hosts = () => web.rows("select id, display_name from hosts where id <> $1 order by id", [own])
    const before = await hosts()
    await row.assert("a search takes the wildcards of SQL literally", async () => {
      for (const list of ["hosts", "groups", "users"]) {
        for (const q of ["%", "_", "\\"]) {
          const answer = await world.send(admin, "GET", `/api/v1/${list}?q=${encodeURIComponent(q)}`)
          expect([list, q, answer.status, answer.at("total")]).toEqual([list, q, 200, 0])
        }
      }
    })
    const { statements, undo } = listenToStatements()
    row.after(undo)
    await row.assert("in every parameter, sort and filter field (500 texts): refused or taken literally", async () => {
      expect(new Set(texts).size).toBe(500)
      const all = Object.entries(await places())
      expect(all.length).toBeGreaterThan(70)
      for (const [place, asked] of all) {
        // Wrong passwords are counted, and a pause is no answer to the text.
        const some = place === "a user's name" ? texts.filter((_, index) => index % 50 === 0) : texts
        const began = performance.now()
        await each(some, async (text) => {
          const { method, path, ...rest } = await asked(text)
          const answer: Answer = await web.call(method, path, { token: admin, agent, ...rest })
          expect([place, text, answer.status >= 500]).toEqual([place, text, false])
          expect([place, text, /syntax|relation|column|SQLSTATE|pg_/.test(answer.text.replaceAll(text, ""))]).toEqual([
            place,
            text,
            false
          ])
          if (place === "/api/v1/hosts q" && text.length > MARK.length)
            expect([text, answer.at("total")]).toEqual([text, 0])
        })
        expect([place, performance.now() - began < 60_000]).toEqual([place, true])
      }
      expect(await hosts()).toEqual(before)
      const [renamed] = await web.rows<{ display_name: string }>("select display_name from hosts where id = $1", [own])
      expect(texts).toContain(renamed!.display_name)
    })
    await row.assert("the statements that ran hold bound parameters alone", () => {
      expect(statements.size).toBeGreaterThan(50)
      expect([...statements].filter((statement) => statement.includes(MARK))).toEqual([])
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
            (error: unknown) => (error instanceof pg.DatabaseError ? `${error.code} ${error.message}` : String(error))
          )
          // PostgreSQL's own words: the rights are missing, before any trigger is asked.
          expect([statement, refused]).toEqual([
            statement,
            expect.stringMatching(/^42501 (permission denied|must be owner)/)
          ])
        }
      } finally {
        await client.end()
      }
    })
  },
  300_000
)
