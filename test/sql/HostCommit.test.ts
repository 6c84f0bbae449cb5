import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { SqlClient } from "effect/sql"
import { HostId, IntentId, type OrderId } from "#core/Ids.ts"
import { newId } from "#core/newId.ts"
import { machineVersion } from "#machines/step.ts"
import { commitHosts, type HostCommitRow, wasCommitted } from "#sql/HostCommit.ts"
import { makeHost, makeHosts, makeJob, onDatabase, row, takesUp, writtenFor } from "./commitFixtures.ts"

/** No lease has been taken in these databases. */
const EPOCH = 0

const results = (rows: ReadonlyArray<HostCommitRow>, epoch = EPOCH) =>
  Effect.map(commitHosts(epoch, rows), (answers) => rows.map((one) => answers.get(one.hostId)))

const nothing = { transitions: 0, timers: 0, intents: 0, feed: 0, orders: 0 }

/** Everything a row may carry besides, so that a refused row has something not to write. */
const laden = (host: HostId, order: OrderId): Partial<HostCommitRow> => ({
  timersSet: [{ id: "xstate.after.call.preparing", delayMillis: 1000 }],
  intentsOpened: [{ id: IntentId.make(`${order}/1`), action: "apply", baseline: { host } }],
  orderId: order,
  jobHost: { orderId: order, state: "dispatching", ended: false, outcome: null, agentJobId: null }
})

describe("one batch of commits", () => {
  it.live("takes the good row and refuses each bad one by its name, which then has written nothing", () =>
    onDatabase(
      Effect.gen(function* () {
        const [good, stale, moved, illegal, badLink, unclaimable] = yield* makeHosts(6)
        const all = [good!, stale!, moved!, illegal!, badLink!, unclaimable!]
        const { job, orders } = yield* makeJob(all)
        const sql = yield* SqlClient.SqlClient
        yield* sql`update patch_job_hosts set state = 'cancelled', ended = true where id = ${orders[5]!}`
        const missing = newId(HostId)
        const rows = [
          takesUp(good!, orders[0]!, job, laden(good!, orders[0]!)),
          takesUp(stale!, orders[1]!, job, { ...laden(stale!, orders[1]!), was: 7 }),
          takesUp(moved!, orders[2]!, job, { ...laden(moved!, orders[2]!), from: { link: "healthy", work: "idle" } }),
          takesUp(illegal!, orders[3]!, job, {
            ...laden(illegal!, orders[3]!),
            to: { link: "unknown", work: "patching.running", summary: "patching" }
          }),
          takesUp(badLink!, orders[4]!, job, {
            ...laden(badLink!, orders[4]!),
            to: { link: "unreachable", work: "patching.preparing", summary: "patching" }
          }),
          takesUp(unclaimable!, orders[5]!, job, laden(unclaimable!, orders[5]!)),
          row(missing)
        ]
        assert.deepEqual(yield* results(rows), ["ok", "stale", "stale", "illegal", "illegal", "unclaimable", "missing"])
        const { version, ...written } = yield* writtenFor(good!)
        assert.strictEqual(version, 1)
        // One line of the feed for the host, one for its order.
        assert.deepEqual(written, { transitions: 1, timers: 1, intents: 1, feed: 2, orders: 1 })
        for (const host of [stale!, moved!, illegal!, badLink!]) {
          assert.deepEqual(yield* writtenFor(host), { version: 0, ...nothing })
        }
        assert.deepEqual(yield* writtenFor(unclaimable!), { version: 0, ...nothing, orders: 1 })
      })
    )
  )

  it.live("refuses everything of a worker whose epoch has passed", () =>
    onDatabase(
      Effect.gen(function* () {
        const [left, right] = yield* makeHosts(2)
        const { job, orders } = yield* makeJob([left!, right!])
        const sql = yield* SqlClient.SqlClient
        yield* sql`update worker_lease set epoch = 2`
        assert.deepEqual(yield* results([row(left!), takesUp(right!, orders[1]!, job, laden(right!, orders[1]!))], 1), [
          "fenced",
          "fenced"
        ])
        for (const host of [left!, right!]) assert.deepEqual(yield* writtenFor(host), { version: 0, ...nothing })
        assert.deepEqual(yield* results([row(left!)], 2), ["ok"])
      })
    )
  )

  it.live("answers an empty batch, and keeps text as it is, whatever quotes and letters it has", () =>
    onDatabase(
      Effect.gen(function* () {
        assert.deepEqual([...(yield* commitHosts(EPOCH, []))], [])
        const host = yield* makeHost()
        const reason = `it's "odd" \\ {a,b} ; -- ünïcode 🙂 \n $1 null`
        const event = { type: "poll.ok" as const, at: 1.5, health: "degraded" as const, reason, uptime_seconds: 0.25 }
        const to = { link: "degraded" as const, work: "idle" as const, summary: "degraded" as const }
        assert.deepEqual(yield* results([row(host, { event, to, context: { reason } })]), ["ok"])
        const sql = yield* SqlClient.SqlClient
        const stored = yield* sql<{ event: unknown; context: unknown }>`
          select t.event, s.context from host_transitions t join host_snapshots s using (host_id)`
        assert.deepEqual(stored[0], { event, context: { reason } })
      })
    )
  )

  it.live("fails whole where one host stands in it twice: the committer must never let that happen", () =>
    onDatabase(
      Effect.gen(function* () {
        const [twice, other] = yield* makeHosts(2)
        const exit = yield* Effect.exit(commitHosts(EPOCH, [row(twice!), row(other!), row(twice!)]))
        assert.isTrue(Exit.isFailure(exit))
        for (const host of [twice!, other!]) assert.deepEqual(yield* writtenFor(host), { version: 0, ...nothing })
      })
    )
  )
})

describe("the wall behind the check", () => {
  it.live("refuses an illegal transition that is written around the commit", () =>
    onDatabase(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const host = yield* makeHost()
        const insert = (
          version: number,
          event: string,
          fromWork: string,
          toWork: string,
          fromLink = "healthy",
          toLink = "healthy"
        ) => sql`
          insert into host_transitions (host_id, version, machine_version, event_type, event, from_link, to_link, from_work, to_work)
          values (${host}, ${version}, ${machineVersion}, ${event}, '{}', ${fromLink}, ${toLink}, ${fromWork}, ${toWork})`
        yield* insert(1, "order", "idle", "patching.preparing")
        for (const illegal of [
          insert(2, "order", "idle", "patching.running"),
          insert(2, "poll.ok", "idle", "patching.preparing"),
          insert(2, "resumed", "patching.dispatching", "patching.dispatching2"),
          insert(2, "poll.ok", "idle", "idle", "healthy", "unreachable"),
          sql`update host_transitions set to_work = 'failed' where host_id = ${host}`,
          sql`delete from allowed_transitions where from_state = 'idle' and event = 'order'`
        ]) {
          const error = yield* Effect.flip(illegal)
          assert.strictEqual(error.reason._tag, "ConstraintError")
        }
      })
    )
  )

  it.live("refuses two open intents of one host and two open orders of one host", () =>
    onDatabase(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const host = yield* makeHost()
        const [first, second] = [yield* makeJob([host]), yield* makeJob([host])]
        const open = (id: string, order: OrderId) => sql`
          insert into host_intents (id, host_id, order_id, action, opened_version) values (${id}, ${host}, ${order}, 'apply', 1)`
        yield* open("one", first.orders[0]!)
        assert.strictEqual((yield* Effect.flip(open("two", first.orders[0]!))).reason._tag, "UniqueViolation")
        yield* sql`update host_intents set verdict = 'ran' where id = 'one'`
        yield* open("two", first.orders[0]!)
        yield* sql`update patch_job_hosts set state = 'running' where id = ${first.orders[0]!}`
        const clash = sql`update patch_job_hosts set state = 'dispatching' where id = ${second.orders[0]!}`
        assert.strictEqual((yield* Effect.flip(clash)).reason._tag, "UniqueViolation")
      })
    )
  )
})

describe("an intent", () => {
  it.live("is closed and the next opened in one step of its host", () =>
    onDatabase(
      Effect.gen(function* () {
        const hosts = yield* Effect.forEach(Array.from({ length: 30 }), () => makeHost({ work: "patching.verifying" }))
        const { orders } = yield* makeJob(hosts)
        const sql = yield* SqlClient.SqlClient
        const id = (index: number, n: number) => IntentId.make(`${orders[index]!}/${n}`)
        for (const [index, host] of hosts.entries()) {
          yield* sql`insert into host_intents (id, host_id, order_id, action, opened_version)
            values (${id(index, 1)}, ${host}, ${orders[index]!}, 'apply', 0)`
        }
        const rows = hosts.map((host, index) =>
          row(host, {
            from: { link: "unknown", work: "patching.verifying" },
            to: { link: "unknown", work: "rebooting.leaving", summary: "rebooting" },
            event: {
              type: "evidence",
              at: 1,
              call: 1,
              evidence: {
                at: 1,
                installed: {},
                uptime_seconds: 1,
                reboot_needed: true,
                database_clean: true,
                active_job_id: null,
                services: {}
              }
            },
            orderId: orders[index]!,
            intentsClosed: [{ id: id(index, 1), verdict: "ran" }],
            intentsOpened: [{ id: id(index, 2), action: "reboot", baseline: null }]
          })
        )
        assert.deepEqual([...new Set(yield* results(rows))], ["ok"])
        const stored = yield* sql<{ verdict: string | null; closed: number | null; opened: number; n: number }>`
          select verdict, closed_version::int as closed, opened_version::int as opened, count(*)::int as n
          from host_intents group by 1, 2, 3 order by 3`
        assert.deepEqual(
          [...stored],
          [
            { verdict: "ran", closed: 1, opened: 0, n: 30 },
            { verdict: null, closed: null, opened: 1, n: 30 }
          ]
        )
      })
    )
  )
})

describe("a claim", () => {
  it.live("is refused to a host that has another open order, and leaves the order waiting", () =>
    onDatabase(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const host = yield* makeHost()
        const [first, second] = [yield* makeJob([host]), yield* makeJob([host])]
        yield* sql`update patch_job_hosts set state = 'uncertain' where id = ${first.orders[0]!}`
        assert.deepEqual(yield* results([takesUp(host, second.orders[0]!, second.job)]), ["unclaimable"])
        const rows = yield* sql<{ state: string }>`select state from patch_job_hosts where id = ${second.orders[0]!}`
        assert.strictEqual(rows[0]?.state, "queued")
      })
    )
  )

  it.live("is refused once the order has been taken or has ended", () =>
    onDatabase(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        for (const [state, ended] of [
          ["dispatching", false],
          ["cancelled", true],
          ["failed", true]
        ] as const) {
          const host = yield* makeHost()
          const { job, orders } = yield* makeJob([host])
          yield* sql`update patch_job_hosts set state = ${state}, ended = ${ended} where id = ${orders[0]!}`
          assert.deepEqual(yield* results([takesUp(host, orders[0]!, job)]), ["unclaimable"], state)
          assert.strictEqual((yield* writtenFor(host)).version, 0)
        }
      })
    )
  )

  it.live("of another host's order is refused", () =>
    onDatabase(
      Effect.gen(function* () {
        const [owner, thief] = yield* makeHosts(2)
        const { job, orders } = yield* makeJob([owner!])
        assert.deepEqual(yield* results([takesUp(thief!, orders[0]!, job)]), ["unclaimable"])
      })
    )
  )

  it.live("by two hosts in one batch goes to the rightful one alone", () =>
    onDatabase(
      Effect.gen(function* () {
        const [owner, thief] = yield* makeHosts(2)
        const { job, orders } = yield* makeJob([owner!])
        assert.deepEqual(yield* results([takesUp(owner!, orders[0]!, job), takesUp(thief!, orders[0]!, job)]), [
          "ok",
          "unclaimable"
        ])
      })
    )
  )

  it.live("races a cancellation: one of the two wins, and the other sees it", () =>
    onDatabase(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        for (let round = 0; round < 20; round++) {
          const host = yield* makeHost()
          const { job, orders } = yield* makeJob([host])
          const cancel = sql`
            update patch_job_hosts set state = 'cancelled', ended = true
            where id = ${orders[0]!} and state in ('queued', 'waiting') and not ended returning id`
          const [claimed, cancelled] = yield* Effect.all([results([takesUp(host, orders[0]!, job)]), cancel], {
            concurrency: 2
          })
          assert.strictEqual((claimed[0] === "ok" ? 1 : 0) + cancelled.length, 1, `round ${round}: ${claimed[0]}`)
        }
      })
    )
  )
})

describe("timers", () => {
  const id = "xstate.after.call.preparing"
  const timers = Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    return yield* sql<{ id: string; armed: number; ms: number }>`
      select id, armed_version::int as armed, extract(epoch from due_at - now())::float8 * 1000 as ms
      from host_timers order by id`
  })

  it.live("are set, armed anew and cancelled with the version that did it", () =>
    onDatabase(
      Effect.gen(function* () {
        const host = yield* makeHost()
        const healthy = { link: "healthy" as const, work: "idle" as const }
        const again = { from: healthy, to: { ...healthy, summary: "healthy" as const } }
        yield* results([
          row(host, {
            timersSet: [
              { id, delayMillis: 60_000 },
              { id: "xstate.after.run.running", delayMillis: 5 }
            ]
          })
        ])
        assert.deepEqual(
          (yield* timers).map((one) => [one.id, one.armed]),
          [
            [id, 1],
            ["xstate.after.run.running", 1]
          ]
        )
        yield* results([
          row(host, {
            ...again,
            was: 1,
            timersSet: [{ id, delayMillis: 600_000 }],
            timersCancelled: ["xstate.after.run.running"]
          })
        ])
        const [armed, ...rest] = yield* timers
        assert.deepEqual(rest, [])
        assert.deepEqual([armed?.id, armed?.armed], [id, 2])
        assert.isAbove(armed?.ms ?? 0, 500_000)
        assert.isAtMost(armed?.ms ?? 0, 600_000)
        yield* results([row(host, { ...again, was: 2, timersCancelled: [id, "xstate.after.never.set"] })])
        assert.deepEqual([...(yield* timers)], [])
      })
    )
  )
})

describe("two committers on the same hosts in opposite order", () => {
  it.live(
    "never lock each other, and each host takes exactly one of the two",
    () =>
      onDatabase(
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          const hosts = yield* makeHosts(40)
          const healthy = { link: "healthy" as const, work: "idle" as const }
          for (let round = 0; round < 50; round++) {
            const one = (host: HostId, reason: string) =>
              row(host, {
                was: round,
                from: round === 0 ? { link: "unknown", work: "idle" } : healthy,
                to: { ...healthy, summary: "healthy" },
                event: { type: "poll.ok", at: round, health: "healthy", reason, uptime_seconds: 1 }
              })
            const [left, right] = yield* Effect.all(
              [
                results(hosts.map((host) => one(host, "left"))),
                results(hosts.toReversed().map((host) => one(host, "right")))
              ],
              { concurrency: 2 }
            )
            const words = [...left, ...right]
            assert.strictEqual(words.filter((word) => word === "ok").length, 40, `round ${round}`)
            assert.strictEqual(words.filter((word) => word === "stale").length, 40, `round ${round}`)
          }
          const rows = yield* sql<{ same: boolean }>`
          select bool_and(s.version = (select count(*) from host_transitions t where t.host_id = s.host_id)) as same
          from host_snapshots s`
          assert.isTrue(rows[0]?.same)
        })
      ),
    60_000
  )
})

describe("looking up an answer that was lost", () => {
  it.live("knows the row that was written from every other", () =>
    onDatabase(
      Effect.gen(function* () {
        const host = yield* makeHost()
        const written = row(host)
        assert.isFalse(yield* wasCommitted(written))
        yield* results([written])
        assert.isTrue(yield* wasCommitted(written))
        const event = { type: "poll.ok" as const, at: 2, health: "healthy" as const, reason: null, uptime_seconds: 1 }
        assert.isFalse(yield* wasCommitted(row(host, { event })))
        assert.isFalse(yield* wasCommitted(row(host, { was: 1 })))
        const elsewhere = { link: "degraded" as const, work: "idle" as const, summary: "degraded" as const }
        assert.isFalse(yield* wasCommitted(row(host, { to: elsewhere })))
      })
    )
  )
})
