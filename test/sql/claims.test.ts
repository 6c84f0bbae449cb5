/** What a claim of an order is refused for, and what becomes of an order that its window cut short. */
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { assert } from "vitest"
import type { HostId, JobId, OrderId } from "#core/Ids.ts"
import type { Outcome } from "#core/Order.ts"
import { commitHosts, type HostCommitRow } from "#sql/HostCommit.ts"
import { makeHost, makeHosts, makeJob, onDatabase, row, takesUp } from "./commitFixtures.ts"

const results = (rows: ReadonlyArray<HostCommitRow>) =>
  Effect.map(commitHosts(0, rows), (answers) => rows.map((one) => answers.get(one.hostId)))

const outcome = (order_id: OrderId, verdict: Outcome["verdict"]): Outcome => ({
  order_id,
  verdict,
  message: "So it ended.",
  ran: false,
  reboot_pending: false,
  rebooted: false,
  changes: [],
  installed: {},
  error_code: null,
  failure: null
})

/** The commit by which a preparing host gives the order back because its window closed. */
const givesBack = (host: HostId, order: OrderId): HostCommitRow =>
  row(host, {
    was: 1,
    from: { link: "unknown", work: "patching.preparing" },
    to: { link: "unknown", work: "idle", summary: "unknown" },
    event: { type: "unavailable", at: 1, call: 1, kind: "timed_out", message: "", retry_after_ms: null },
    orderId: order,
    jobHost: { orderId: order, state: "deferred", ended: true, outcome: outcome(order, "deferred"), agentJobId: null }
  })

const shareOf = Effect.fnUntraced(function* (order: OrderId) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<Record<string, unknown>>`
    select state, ended, deferrals, outcome->>'verdict' as verdict, started_at is not null as started,
      finished_at is not null as finished from patch_job_hosts where id = ${order}`
  return rows[0]
})

const set = (job: JobId, column: string, value: unknown) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.unsafe(`update patch_jobs set ${column} = $1 where id = $2`, [value, job])
  )

describe("a claim", () => {
  it.live.each([
    { column: "paused_by", value: "ada" },
    { column: "cancel_requested_by", value: "ada" },
    { column: "stopped_reason", value: "4 hosts failed." }
  ])("is refused where the job has $column", ({ column, value }) =>
    onDatabase(
      Effect.gen(function* () {
        const host = yield* makeHost()
        const { job, orders } = yield* makeJob([host])
        yield* set(job, column, value)
        assert.deepEqual(yield* results([takesUp(host, orders[0]!, job)]), ["unclaimable"])
        yield* set(job, column, null)
        assert.deepEqual(yield* results([takesUp(host, orders[0]!, job)]), ["ok"])
      })
    )
  )

  it.live("is granted to as many hosts as the job may have at work, whatever comes in one batch", () =>
    onDatabase(
      Effect.gen(function* () {
        const hosts = yield* makeHosts(5)
        const { job, orders } = yield* makeJob(hosts)
        yield* set(job, "max_concurrency", 2)
        const claims = hosts.map((host, index) => takesUp(host, orders[index]!, job))
        assert.deepEqual(yield* results(claims), ["ok", "ok", "unclaimable", "unclaimable", "unclaimable"])
        assert.deepEqual(yield* results(claims.slice(2)), ["unclaimable", "unclaimable", "unclaimable"])
      })
    )
  )

  it.live("is refused once more hosts failed, stayed undecided or went away than the job allows", () =>
    onDatabase(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const hosts = yield* makeHosts(5)
        const { job, orders } = yield* makeJob(hosts)
        yield* set(job, "max_failed", 2)
        const claim = results([takesUp(hosts[4]!, orders[4]!, job)])
        const end = (index: number, state: string, ended: boolean, verdict: string) => sql`
          update patch_job_hosts set state = ${state}, ended = ${ended},
            outcome = jsonb_build_object('verdict', ${verdict}::text) where id = ${orders[index]!}`
        yield* end(0, "failed", true, "failed")
        yield* end(1, "uncertain", false, "unresolved")
        yield* end(2, "succeeded", true, "done")
        yield* sql`update host_snapshots set link = 'unreachable' where host_id = ${hosts[2]!}`
        assert.deepEqual(yield* claim, ["unclaimable"])
        // One that is only being asked what became of it does not count yet.
        yield* sql`update patch_job_hosts set outcome = null where id = ${orders[1]!}`
        assert.deepEqual(yield* claim, ["ok"])
      })
    )
  )

  it.live("takes up an order that an earlier window left", () =>
    onDatabase(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const [left, ended] = yield* makeHosts(2)
        const { job, orders } = yield* makeJob([left!, ended!])
        yield* sql`update patch_job_hosts set state = 'deferred', ended = host_id = ${ended!}`
        assert.deepEqual(yield* results([takesUp(left!, orders[0]!, job), takesUp(ended!, orders[1]!, job)]), [
          "ok",
          "unclaimable"
        ])
      })
    )
  )
})

describe("an order that its window cut short", () => {
  const cutShort = Effect.fnUntraced(function* (columns: Readonly<Record<string, unknown>>) {
    const host = yield* makeHost()
    const { job, orders } = yield* makeJob([host])
    for (const [column, value] of Object.entries(columns)) yield* set(job, column, value)
    const order = orders[0]!
    assert.deepEqual(yield* results([takesUp(host, order, job)]), ["ok"])
    assert.deepEqual(yield* results([givesBack(host, order)]), ["ok"])
    return yield* shareOf(order)
  })

  it.live("waits for the next one where the job carries over", () =>
    onDatabase(
      Effect.gen(function* () {
        assert.deepEqual(yield* cutShort({ carries_over: true }), {
          state: "deferred",
          ended: false,
          deferrals: 1,
          verdict: null,
          started: false,
          finished: false
        })
      })
    )
  )

  it.live.each([{ carries_over: false }, { carries_over: true, expires_at: "2020-01-01T00:00:00Z" }])(
    "has ended where there is no next one: %j",
    (columns) =>
      onDatabase(
        Effect.gen(function* () {
          assert.deepEqual(yield* cutShort(columns), {
            state: "deferred",
            ended: true,
            deferrals: 1,
            verdict: "deferred",
            started: true,
            finished: true
          })
        })
      )
  )
})

describe("an ended job", () => {
  it.live("is open again as soon as one of its hosts moves again", () =>
    onDatabase(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const host = yield* makeHost()
        const { job, orders } = yield* makeJob([host])
        yield* sql`update patch_job_hosts set state = 'failed', ended = true`
        yield* sql`update patch_jobs set state = 'failed', finished_at = now()`
        const order = orders[0]!
        assert.deepEqual(
          yield* results([
            row(host, {
              orderId: order,
              jobHost: { orderId: order, state: "rebooting", ended: false, outcome: null, agentJobId: null }
            })
          ]),
          ["ok"]
        )
        const jobs = yield* sql<{ open: boolean }>`select finished_at is null as open from patch_jobs where id = ${job}`
        assert.deepEqual(jobs, [{ open: true }])
      })
    )
  )
})
