import { Effect } from "effect"
import { afterAll, beforeAll, expect, it } from "vitest"
import { appendAudit } from "#sql/AuditStore.ts"
import { insertHost } from "#sql/HostStore.ts"
import { once } from "#sql/IdempotencyStore.ts"
import { nobody, startTestStores, type TestStores } from "./testStores.ts"

let stores: TestStores
beforeAll(async () => {
  stores = await startTestStores()
})
afterAll(() => stores.stop())

const entry = (object_id: string) => ({
  action: "test",
  object_type: "test",
  object_id,
  before: null,
  after: { text: `ü "${object_id}"` }
})

it("chains rows without gap or fork, sixteen writers at once", async () => {
  await stores.run(
    Effect.forEach(
      Array.from({ length: 64 }, (_, n) => n),
      (n) => appendAudit(nobody, entry(String(n))),
      { concurrency: 16 }
    )
  )
  const rows = await stores.rows<{ seq: string; linked: boolean; hashed: boolean }>(
    `select seq, prev_hash = coalesce(lag(row_hash) over (order by seq), decode(repeat('00', 32), 'hex')) as linked,
      row_hash = sha256(audit_canonical(a)) as hashed from audit_log a order by seq`
  )
  expect(rows.length).toBe(65)
  expect(rows.map((row) => Number(row.seq))).toEqual(rows.map((_, n) => n + 1))
  expect(rows.every((row) => row.linked && row.hashed)).toBe(true)
})

it("stands in the way of a change it cannot record", async () => {
  await stores.rows("alter function audit_append rename to audit_append_away")
  const registration = {
    fqdn: null,
    address: "127.0.0.1",
    agent_port: 12443,
    display_name: "x",
    bound_fingerprint: null
  }
  const change = once(
    { caller: stores.caller, key: "a", operation: "test", request: {}, status: 201 },
    insertHost(stores.caller, registration)
  )
  await expect(stores.run(change)).rejects.toThrow()
  await stores.rows("alter function audit_append_away rename to audit_append")
  expect(await stores.rows("select 1 from hosts")).toEqual([])
  expect(await stores.rows("select 1 from idempotency_keys")).toEqual([])
})

it("cannot be edited", async () => {
  for (const statement of ["update audit_log set actor_name = 'x'", "delete from audit_log", "truncate audit_log"]) {
    await expect(stores.rows(statement)).rejects.toThrow(/append-only/)
  }
})
