import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { SqlClient } from "effect/sql"
import { DatabaseClock } from "#actors/hosts/DatabaseClock.ts"
import { Failpoint } from "#actors/hosts/Failpoint.ts"
import { recordMissed } from "#actors/schedule/recordMissed.ts"
import { lookAtWindows, makeScheduler } from "#actors/schedule/Scheduler.ts"
import { GroupId, type HostId, WindowId } from "#core/Ids.ts"
import { newId } from "#core/newId.ts"
import type { MaintenanceWindow } from "#core/Window.ts"
import { firings } from "#core/window/firings.ts"
import { readEnabledWindows, readWindowHosts } from "#sql/WindowRunStore.ts"
import { apply } from "#test/core/window/windowsFrom.ts"
import { makeHosts, makeJob, onDatabase } from "#test/sql/commitFixtures.ts"

const at = (text: string): number => Date.parse(`${text}Z`)

const currentEpoch = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ epoch: number }>`select epoch::int as epoch from worker_lease where name = 'worker'`
  return rows[0]!.epoch
})

const makeGroup = Effect.fnUntraced(function* (hosts: ReadonlyArray<HostId>) {
  const sql = yield* SqlClient.SqlClient
  const id = newId(GroupId)
  yield* sql`insert into groups (id, name) values (${id}, ${`group ${id}`})`
  for (const host of hosts) yield* sql`insert into host_groups (host_id, group_id) values (${host}, ${id})`
  return id
})

/** Open every night from two to four. */
const makeWindow = Effect.fnUntraced(function* (
  group: GroupId,
  fields: Partial<Pick<MaintenanceWindow, "name" | "kind" | "rule" | "duration_minutes" | "watched_since">> & {
    readonly automatic?: boolean
  } = {}
) {
  const sql = yield* SqlClient.SqlClient
  const id = newId(WindowId)
  const kind = fields.kind ?? "open"
  yield* sql`
    insert into maintenance_windows
      (id, name, kind, scope, group_id, rule, time_zone, duration_minutes, auto_apply, created_by, watched_since)
    values (${id}, ${fields.name ?? "nightly"}, ${kind}, 'group', ${group},
      ${JSON.stringify(fields.rule ?? { kind: "daily", starts_at_local: "02:00" })}::text::jsonb, 'UTC',
      ${fields.duration_minutes ?? 120}, nullif(${kind === "open" && fields.automatic !== false ? JSON.stringify(apply) : ""}, '')::jsonb, 'test',
      ${fields.watched_since ?? "2026-11-22T12:00:00Z"}::text::timestamptz)`
  return id
})

const runs = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ opens: string; outcome: string; hosts: number; job: string | null; note: string }>`
    select to_char(opens_at, 'DD"T"HH24:MI') as opens, outcome, hosts, job_id as job, note from window_runs order by opens_at`
  return rows
})
const outcomes = Effect.map(runs, (rows) => rows.map((row) => `${row.opens} ${row.outcome} ${row.hosts}`))
const jobs = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  return yield* sql<{ id: string; by: string; hosts: number; when: string; window: string; expires: string }>`
    select j.id, j.requested_by as by, (select count(*)::int from patch_job_hosts o where o.job_id = j.id) as hosts,
      j.run_when->>'kind' as "when", j.window_id::text as window, to_char(j.expires_at, 'DD"T"HH24:MI') as expires
    from patch_jobs j order by j.number`
})
const audits = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ entry: string }>`
    select actor_kind || ' ' || actor_name || ' ' || action as entry from audit_log order by seq`
  return rows.map((row) => row.entry)
})
const start = (text: string) => Effect.flatMap(currentEpoch, (epoch) => recordMissed(epoch, at(text)))

/** A job that waits for windows; the worker left off when it had noted the opening as the next one. */
const makeWaiting = Effect.fnUntraced(function* (hosts: ReadonlyArray<HostId>, noted: string | null) {
  const sql = yield* SqlClient.SqlClient
  const { job } = yield* makeJob(hosts)
  const waits = noted === null ? "" : JSON.stringify({ code: "waiting_for_window", window_ids: [], at: `${noted}Z` })
  yield* sql`update patch_jobs set run_when = '{"kind":"next_window"}', created_at = '2026-11-22T13:00:00Z' where id = ${job}`
  yield* sql`
    update patch_job_hosts set state = 'waiting', waits_for = nullif(${waits}, '')::jsonb where job_id = ${job}`
  return job
})
const look = (text: string) => Effect.flatMap(currentEpoch, (epoch) => lookAtWindows(epoch, at(text)))

describe("the scheduler", () => {
  it.effect("makes one job when the window opens, its record and its audit row, and none at a second look", () =>
    onDatabase(
      Effect.gen(function* () {
        const hosts = yield* makeHosts(3)
        const id = yield* makeWindow(yield* makeGroup(hosts))
        assert.strictEqual(yield* look("2026-11-23T01:59:45"), 15_000)
        assert.deepEqual(yield* runs, [])
        yield* look("2026-11-23T02:00:00")
        yield* look("2026-11-23T02:00:01")
        assert.deepEqual(yield* outcomes, ["23T02:00 fired 3"])
        const made = yield* jobs
        assert.deepEqual(
          made.map(({ by, hosts, when, window, expires }) => ({ by, hosts, when, window, expires })),
          [{ by: "policy:window nightly", hosts: 3, when: "next_window", window: id, expires: "23T04:00" }]
        )
        assert.strictEqual((yield* runs)[0]?.job, made[0]?.id)
        assert.deepEqual(yield* audits, ["machine policy:window nightly job.create"])
      })
    )
  )

  it.effect("decides an opening once, with two schedulers at the same moment", () =>
    onDatabase(
      Effect.gen(function* () {
        yield* makeWindow(yield* makeGroup(yield* makeHosts(2)))
        yield* Effect.all(
          Array.from({ length: 6 }, () => look("2026-11-23T02:00:00")),
          { concurrency: "unbounded" }
        )
        assert.deepEqual(yield* outcomes, ["23T02:00 fired 2"])
        assert.strictEqual((yield* jobs).length, 1)
        assert.strictEqual((yield* audits).length, 1)
      }),
      8
    )
  )

  it.effect("leaves nothing behind when it dies before the end, and makes it up", () =>
    onDatabase(
      Effect.gen(function* () {
        yield* makeWindow(yield* makeGroup(yield* makeHosts(2)))
        const died = yield* Effect.exit(
          Effect.provideService(look("2026-11-23T02:00:00"), Failpoint, (name) =>
            name === "window_pending" ? Effect.die("killed") : Effect.void
          )
        )
        assert.isTrue(Exit.isFailure(died))
        assert.deepEqual([yield* runs, yield* jobs, yield* audits], [[], [], []])
        yield* look("2026-11-23T02:01:00")
        assert.deepEqual(yield* outcomes, ["23T02:00 fired 2"])
        assert.strictEqual((yield* jobs).length, 1)
      })
    )
  )

  it.effect(
    "F75: three openings missed while the manager was off are shown and skipped; the open one is made up for once",
    () =>
      onDatabase(
        Effect.gen(function* () {
          yield* makeWindow(yield* makeGroup(yield* makeHosts(1)), { watched_since: "2026-11-19T12:00:00Z" })
          yield* look("2026-11-23T02:40:00")
          yield* look("2026-11-23T02:41:00")
          assert.deepEqual(yield* outcomes, [
            "20T02:00 missed 1",
            "21T02:00 missed 1",
            "22T02:00 missed 1",
            "23T02:00 fired 1"
          ])
          assert.strictEqual((yield* jobs).length, 1)
          assert.strictEqual(
            (yield* runs)[3]?.note,
            "The manager was not there when the window opened; the job was made 40 min late."
          )
          assert.deepEqual(
            (yield* audits).map((entry) => entry.split(" ").at(-1)),
            ["window.missed", "window.missed", "window.missed", "job.create"]
          )
        })
      )
  )

  it.effect("writes nothing once another worker has taken over, or the window was changed meanwhile", () =>
    onDatabase(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* makeWindow(yield* makeGroup(yield* makeHosts(1)))
        const mine = yield* currentEpoch
        yield* sql`update worker_lease set epoch = epoch + 1 where name = 'worker'`
        yield* lookAtWindows(mine, at("2026-11-23T02:00:00"))
        assert.deepEqual([yield* runs, yield* jobs], [[], []])
        const held = Effect.provideService(look("2026-11-23T02:00:00"), Failpoint, (name) =>
          name === "window_pending" ? Effect.die("killed") : Effect.void
        )
        yield* Effect.exit(held)
        yield* sql`update maintenance_windows set version = version + 1, enabled = false`
        yield* look("2026-11-23T02:00:00")
        assert.deepEqual([yield* runs, yield* jobs], [[], []])
      })
    )
  )

  it.effect("says why there is no job: nobody in the group, or a blackout", () =>
    onDatabase(
      Effect.gen(function* () {
        yield* makeWindow(yield* makeGroup([]))
        yield* look("2026-11-23T02:00:00")
        assert.deepEqual(yield* outcomes, ["23T02:00 nothing 0"])
        const group = yield* makeGroup(yield* makeHosts(1))
        yield* makeWindow(group, { name: "later", rule: { kind: "daily", starts_at_local: "05:00" } })
        yield* makeWindow(group, {
          name: "freeze",
          kind: "blackout",
          rule: { kind: "daily", starts_at_local: "04:00" },
          duration_minutes: 600
        })
        yield* look("2026-11-23T05:00:00")
        assert.deepEqual(yield* outcomes, ["23T02:00 nothing 0", "23T05:00 refused 0"])
        assert.deepEqual(yield* jobs, [])
      })
    )
  )

  it.effect("does what was simulated over the same rows", () =>
    onDatabase(
      Effect.gen(function* () {
        const hosts = yield* makeHosts(4)
        yield* makeWindow(yield* makeGroup(hosts.slice(0, 3)))
        yield* makeWindow(yield* makeGroup(hosts.slice(2)), {
          name: "other",
          rule: { kind: "daily", starts_at_local: "03:00" }
        })
        const fleet = { windows: yield* readEnabledWindows, hosts: yield* readWindowHosts(null) }
        const planned = firings(fleet, at("2026-11-23T00:00:00"), at("2026-11-25T00:00:00"))
        for (const { fires_at } of planned) yield* lookAtWindows(yield* currentEpoch, fires_at)
        const expected = planned.map(
          ({ opens_at, host_ids }) => `${new Date(opens_at).toISOString().slice(8, 16)} fired ${host_ids.length}`
        )
        assert.deepEqual(yield* outcomes, expected)
        assert.strictEqual((yield* jobs).length, 4)
      })
    )
  )

  it.effect("writes down an opening that jobs waited for in vain while the manager was off, once", () =>
    onDatabase(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const hosts = yield* makeHosts(3)
        yield* makeWindow(yield* makeGroup(hosts), { automatic: false })
        yield* makeWaiting(hosts.slice(0, 2), "2026-11-23T02:00:00")
        yield* start("2026-11-23T03:59:59")
        assert.deepEqual(yield* outcomes, [])
        yield* start("2026-11-24T04:00:00")
        yield* start("2026-11-24T04:00:01")
        assert.deepEqual(yield* outcomes, ["23T02:00 missed 2", "24T02:00 missed 2"])
        assert.match((yield* runs)[0]!.note, /^Nothing was started: the manager was off while the window was open/)
        assert.deepEqual(yield* audits, [
          "machine policy:window nightly window.missed",
          "machine policy:window nightly window.missed"
        ])
        assert.strictEqual((yield* jobs).length, 1)
        // What the dispatcher notes when it looks: from here on somebody was there.
        yield* sql`update patch_job_hosts set waits_for = '{"code":"concurrency_limit","max_concurrency":1}'`
        yield* start("2026-11-25T04:00:00")
        assert.strictEqual((yield* runs).length, 2)
      })
    )
  )

  it.effect("calls no opening missed that nobody waited for, that did open, or that a blackout covered", () =>
    onDatabase(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const hosts = yield* makeHosts(2)
        const group = yield* makeGroup(hosts)
        yield* makeWindow(group, { automatic: false })
        yield* start("2026-11-23T12:00:00")
        // The worker looked inside the opening and found the next one; another job is paused, a third one was over by then.
        yield* makeWaiting(hosts, "2026-11-24T02:00:00")
        const paused = yield* makeWaiting(hosts, "2026-11-23T02:00:00")
        yield* sql`update patch_jobs set paused_by = 'admin' where id = ${paused}`
        const over = yield* makeWaiting(hosts, "2026-11-23T02:00:00")
        yield* sql`update patch_jobs set expires_at = '2026-11-23T01:00:00Z' where id = ${over}`
        yield* start("2026-11-23T12:00:00")
        assert.deepEqual(yield* outcomes, [])
        yield* makeWindow(group, {
          name: "freeze",
          kind: "blackout",
          rule: { kind: "once", starts_on_local: "2026-11-24T00:00" },
          duration_minutes: 600
        })
        yield* start("2026-11-24T12:00:00")
        assert.deepEqual(yield* outcomes, [])
        // Made while nobody was there to look at it.
        yield* makeWaiting(hosts.slice(1), null)
        yield* start("2026-11-24T12:00:00")
        assert.deepEqual(yield* outcomes, ["23T02:00 missed 1"])
      })
    )
  )

  it.live("runs by itself in database time, and looks at once when it is woken", () =>
    onDatabase(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const group = yield* makeGroup(yield* makeHosts(1))
        const scheduler = yield* makeScheduler(yield* currentEpoch)
        const now = yield* sql<{ minute: string }>`
          select to_char(now() - interval '1 minute', 'YYYY-MM-DD"T"HH24:MI') as minute`
        yield* makeWindow(group, {
          rule: { kind: "once", starts_on_local: now[0]!.minute },
          watched_since: "2020-01-01T00:00:00Z"
        })
        yield* scheduler.wake
        yield* runs.pipe(Effect.repeat({ until: (rows) => rows.length > 0 }), Effect.timeout("10 seconds"))
        assert.strictEqual((yield* jobs).length, 1)
      }).pipe(Effect.provide(DatabaseClock.layer))
    )
  )
})
