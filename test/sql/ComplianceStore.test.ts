import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { recordCompliance } from "#sql/ComplianceStore.ts"
import { makeHost, onDatabase } from "./commitFixtures.ts"

interface Case {
  readonly name: string
  readonly seen: string | null
  readonly read: string | null
  readonly oldest: string | null
  readonly reboot: boolean | null
  readonly expected: "compliant" | "not_compliant" | "unknown"
}

const cases: ReadonlyArray<Case> = [
  { name: "fresh and clean", seen: "1 hour", read: "1 hour", oldest: null, reboot: false, expected: "compliant" },
  {
    name: "security within its target",
    seen: "1 hour",
    read: "1 hour",
    oldest: "13 days",
    reboot: false,
    expected: "compliant"
  },
  {
    name: "security past its target",
    seen: "1 hour",
    read: "1 hour",
    oldest: "15 days",
    reboot: false,
    expected: "not_compliant"
  },
  { name: "a reboot owed", seen: "1 hour", read: "1 hour", oldest: null, reboot: true, expected: "not_compliant" },
  {
    name: "a reboot owed beside fresh security",
    seen: "1 hour",
    read: "1 hour",
    oldest: "1 day",
    reboot: true,
    expected: "not_compliant"
  },
  { name: "never seen", seen: null, read: null, oldest: null, reboot: null, expected: "unknown" },
  {
    name: "seen, its patches never read",
    seen: "1 hour",
    read: null,
    oldest: null,
    reboot: false,
    expected: "unknown"
  },
  { name: "not seen for a day", seen: "25 hours", read: "1 hour", oldest: null, reboot: false, expected: "unknown" },
  {
    name: "patches read more than a day ago",
    seen: "1 hour",
    read: "25 hours",
    oldest: null,
    reboot: false,
    expected: "unknown"
  },
  {
    name: "silent, though bad when last seen",
    seen: "25 hours",
    read: "25 hours",
    oldest: "30 days",
    reboot: true,
    expected: "unknown"
  }
]

const setUp = Effect.fnUntraced(function* (one: Pick<Case, "seen" | "read" | "oldest" | "reboot">) {
  const sql = yield* SqlClient.SqlClient
  const host = yield* makeHost()
  yield* sql`
    update hosts set last_seen_at = now() - ${one.seen}::text::interval, reboot_needed = ${one.reboot} where id = ${host}`
  if (one.read !== null) {
    yield* sql`
      insert into host_patch_data (host_id, patches, pending, security, oldest_security_at, content_hash, read_at)
      values (${host}, '[]', 3, ${one.oldest === null ? 0 : 1}, now() - ${one.oldest}::text::interval, '', now() - ${one.read}::text::interval)`
  }
  return host
})

const classes = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  return new Map(
    (yield* sql<{ host: string; class: string }>`select host_id as host, class from compliance_daily`).map((row) => [
      row.host,
      row.class
    ])
  )
})

describe("the compliance of the day", () => {
  it.live("puts each host into its class", () =>
    onDatabase(
      Effect.gen(function* () {
        const hosts: Array<string> = []
        for (const one of cases) hosts.push(yield* setUp(one))
        yield* recordCompliance(14)
        const found = yield* classes
        assert.deepEqual(
          cases.map((one, index) => [one.name, found.get(hosts[index]!)]),
          cases.map((one) => [one.name, one.expected])
        )
      })
    )
  )

  it.live("never counts a host as compliant whose agent cannot tell whether a reboot is owed", () =>
    onDatabase(
      Effect.gen(function* () {
        const host = yield* setUp({ seen: "1 hour", read: "1 hour", oldest: null, reboot: null })
        yield* recordCompliance(14)
        assert.strictEqual((yield* classes).get(host), "unknown")
      })
    )
  )

  it.live("is one row a host and day, the last look counting, and leaves removed hosts out", () =>
    onDatabase(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const host = yield* setUp(cases[0]!)
        const removed = yield* setUp(cases[0]!)
        yield* sql`update hosts set removed_at = now() where id = ${removed}`
        yield* recordCompliance(14)
        yield* sql`update hosts set reboot_needed = true`
        yield* recordCompliance(14)
        assert.deepEqual([...(yield* classes)], [[host, "not_compliant"]])
      })
    )
  )
})
