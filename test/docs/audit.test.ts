/** The verification that docs/audit.md gives finds what it says it finds. */
import { readFileSync } from "node:fs"
import { afterAll, beforeAll, expect, it } from "vitest"
import { makeTestDatabase, type TestDatabase } from "#test/setup/Database.ts"
import { testClient } from "#test/setup/testClient.ts"

const document = readFileSync(new URL("../../docs/audit.md", import.meta.url), "utf8")
const verification = /```sql\n(with chain[\s\S]*?)```/.exec(document)?.[1] ?? ""

let database: TestDatabase
let client: ReturnType<typeof testClient>

beforeAll(async () => {
  database = await makeTestDatabase()
  client = testClient(database.url)
  await client.connect()
})
afterAll(async () => {
  await client.end()
  await database.drop()
})

const append = (name: string) =>
  client.query("select audit_append('user', 'id', $1, 'host.edit', 'host', 'id', null, $2, 'request', '127.0.0.1')", [
    name,
    JSON.stringify({ display_name: "ä, b", port: 1 })
  ])

const verify = async () => {
  const { rows } = await client.query<Record<string, string>>(verification)
  return Object.fromEntries(Object.entries(rows[0] ?? {}).map(([name, count]) => [name, Number(count)]))
}

/** What an owner of the database can do and nobody else. */
const tampered = async (statement: string) => {
  await client.query("begin")
  try {
    await client.query("alter table audit_log disable trigger audit_log_append_only")
    await client.query(statement)
    return await verify()
  } finally {
    await client.query("rollback")
  }
}

const whole = { rows: 4, altered: 0, unchained: 0, missing: 0, head_differs: 0 }

it("finds nothing in an empty log and in a whole one", async () => {
  expect(await verify()).toEqual({ ...whole, rows: 0 })
  for (const name of ["ann", "bob", "cy", "dee"]) await append(name)
  expect(await verify()).toEqual(whole)
})

it("finds a row that was altered, taken out of the middle or cut off the end", async () => {
  expect(await tampered("update audit_log set actor_name = 'eve' where seq = 2")).toEqual({ ...whole, altered: 1 })
  expect(await tampered("delete from audit_log where seq = 2")).toEqual({ ...whole, rows: 3, unchained: 1, missing: 1 })
  expect(await tampered("delete from audit_log where seq = 4")).toEqual({ ...whole, rows: 3, head_differs: 1 })
})

it("computes the documented example to its documented hash", async () => {
  const text = /printf '%s' '([^']+)'/.exec(document)?.[1]
  const { rows } = await client.query<{ hash: string }>(
    "select encode(sha256(convert_to($1, 'UTF8')), 'hex') as hash",
    [text]
  )
  expect(document).toContain(`\`${rows[0]?.hash ?? "none"}\``)
})
