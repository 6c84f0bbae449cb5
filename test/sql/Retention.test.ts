import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { retain } from "#actors/housekeeping/Retention.ts"
import { machineVersion } from "#machines/step.ts"
import { appendAudit } from "#sql/AuditStore.ts"
import { makeHost, makeJob, onDatabase } from "./commitFixtures.ts"

const machine = { actor: { kind: "machine" as const, id: "t", name: "t" }, request_id: "t", source_address: "local" }
const entry = (n: number) => ({
  action: "test",
  object_type: "thing",
  object_id: String(n),
  before: null,
  after: { n }
})

const count = (table: string) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    Effect.map(sql<{ n: number }>`select count(*)::int as n from ${sql.literal(table)}`, (rows) => rows[0]!.n)
  )

/** Rows that say themselves how old they are; the trigger against changes is away for the moment, as for nobody else. */
const age = (table: "audit_log", days: number, upTo: number) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* sql`alter table audit_log disable trigger audit_log_append_only`
    yield* sql`update ${sql.literal(table)} set at = at - ${days}::int * interval '1 day' where seq <= ${upTo}`
    yield* sql`alter table audit_log enable trigger audit_log_append_only`
  })

describe("what goes after its time", () => {
  it.live("are transitions behind a base that is 30 days old, and none before there is one", () =>
    onDatabase(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const host = yield* makeHost()
        const write = (version: number, days: number) => sql`
          insert into host_transitions (host_id, version, machine_version, at, event_type, event, from_link, to_link, from_work, to_work)
          values (${host}, ${version}, ${machineVersion}, now() - ${days}::int * interval '1 day', 'poll.ok', '{}', 'healthy', 'healthy', 'idle', 'idle')`
        yield* Effect.forEach([1, 2, 3, 4, 5], (version) => write(version, 100 - 20 * version))
        yield* sql`update host_snapshots set version = 5 where host_id = ${host}`
        yield* retain({ pci_profile: false })
        assert.strictEqual(yield* count("host_transitions"), 5)
        assert.strictEqual(yield* count("host_bases"), 1)
        yield* sql`update host_bases set version = 3, taken_at = now() - interval '31 days'`
        yield* retain({ pci_profile: false })
        const left = yield* sql<{ version: number }>`select version::int as version from host_transitions order by 1`
        assert.deepEqual(
          left.map((row) => row.version),
          [4, 5]
        )
        const bases = yield* sql<{ version: number }>`select version::int as version from host_bases order by 1`
        assert.deepEqual(
          bases.map((row) => row.version),
          [3, 5]
        )
      })
    )
  )

  it.live("are results of jobs after six months, twelve under the PCI profile, and never an open one", () =>
    onDatabase(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const host = yield* makeHost()
        const [old, middle, open] = [yield* makeJob([host]), yield* makeJob([host]), yield* makeJob([host])]
        yield* sql`update patch_jobs set finished_at = now() - interval '400 days' where id = ${old.job}`
        yield* sql`update patch_jobs set finished_at = now() - interval '200 days' where id = ${middle.job}`
        yield* sql`update patch_jobs set created_at = now() - interval '900 days' where id = ${open.job}`
        yield* retain({ pci_profile: true })
        assert.strictEqual(yield* count("patch_jobs"), 2)
        yield* retain({ pci_profile: false })
        assert.strictEqual(yield* count("patch_jobs"), 1)
      })
    )
  )

  it.live("are audit rows from the front, up to a checkpoint, with an anchor on which the rest stands", () =>
    onDatabase(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        for (const n of [1, 2, 3, 4, 5, 6]) yield* appendAudit(machine, entry(n))
        yield* age("audit_log", 400, 2)
        yield* age("audit_log", 200, 4)
        yield* retain({ pci_profile: false })
        assert.strictEqual(yield* count("audit_log"), 6)
        yield* sql`
          insert into audit_checkpoints (size, row_hash, origin, signed_at, previous, key_id, signature)
          select seq, row_hash, 'o', '-', '', '-', '' from audit_log where seq in (1, 2, 4, 5)`
        yield* retain({ pci_profile: true })
        const anchored = sql<{ seq: number; linked: boolean }>`
          select a.seq::int as seq, l.prev_hash = a.row_hash as linked
          from audit_anchor a join audit_log l on l.seq = a.seq + 1`
        assert.deepEqual((yield* anchored)[0], { seq: 2, linked: true })
        yield* retain({ pci_profile: false })
        assert.deepEqual((yield* anchored)[0], { seq: 4, linked: true })
        assert.strictEqual(yield* count("audit_log"), 2)
      })
    )
  )

  it.live("is never a young audit row, and nothing else deletes one", () =>
    onDatabase(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* appendAudit(machine, entry(1))
        const soon = yield* Effect.flip(Effect.asVoid(sql`select audit_prune(now(), 10)`))
        assert.include(inspect(soon, { depth: 9 }), "180 days")
        const direct = yield* Effect.flip(Effect.asVoid(sql`delete from audit_log`))
        assert.include(inspect(direct, { depth: 9 }), "append-only")
      })
    )
  )
})
