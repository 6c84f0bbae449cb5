/** Rows about clocks that are wrong: the worker's, the database's, the agents'. */
import { expect } from "vitest"
import type { JobId } from "#core/Ids.ts"
import { readHeartbeat } from "#sql/HeartbeatStore.ts"
import { readHostReasons } from "#sql/ReasonStore.ts"
import { addWindow } from "#test/actors/jobs/windowRows.ts"
import { until } from "#test/fleet/makeTestFleet.ts"
import { type FakeClock, makeFakeClock, startFakedPostgres } from "#test/harness/fakeClock.ts"
import type { World, WorldHost } from "#test/harness/World.ts"
import { requireFaketime } from "../requireFaketime.ts"
import type { Row, RowBody } from "../row.ts"
import { APPLY, callsOf, changesOf, endOf, epochOf } from "./workerSteps.ts"

const HOUR = 3_600
/** The clocks are compared every ten seconds, the heartbeat follows within five. */
const NOTICED_MS = 25_000

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** A clock of the row's own, or the row's clauses named as missing. */
const withClock = (clauses: ReadonlyArray<string>, body: (row: Row, clock: FakeClock) => Promise<void>): RowBody => {
  return async (row) => {
    const library = requireFaketime()
    if ("why" in library) {
      for (const clause of clauses) row.missing(clause, library.why)
      await row.assert("without libfaketime nothing of this row is played", () => undefined)
      return
    }
    const clock = makeFakeClock(library.path)
    row.after(clock.remove)
    await body(row, clock)
  }
}

const skewShown = (world: World, seconds: number) =>
  until(
    () => world.run(readHeartbeat),
    (heartbeat) => Math.abs(heartbeat.clock_skew_seconds - seconds) <= 2,
    NOTICED_MS
  )

const waitsForClocks = (world: World, job: string) =>
  until(
    () =>
      world.query<{ code: string | null }>("select waits_for->>'code' as code from patch_job_hosts where job_id = $1", [
        job
      ]),
    (rows) => rows.length > 0 && rows.every(({ code }) => code === "clock_skew"),
    15_000
  )

const renewals = async (world: World): Promise<number> =>
  (await world.query<{ renewals: number }>("select renewals::int from worker_lease"))[0]!.renewals

const holds = (world: World, host: WorldHost) => {
  world.fleet.misbehave(host.address, { kind: "hold", at: "before_change", times: 1 })
}
const holding = (world: World, host: WorldHost) =>
  until(
    () => world.fleet.view(host.address).holding,
    (at) => at,
    15_000
  )

export const workerClock = withClock(["clock of the worker +1 h, -1 h, stepping"], async (row, clock) => {
  const world = await row.world({ count: 3 })
  const [first, second, third] = world.hosts as [WorldHost, WorldHost, WorldHost]
  for (const { address } of world.hosts) world.fleet.publish(address)
  const web = await row.web(world)
  holds(world, first)
  await row.worker(world, { env: clock.env })
  row.standby(world)
  const epoch = await epochOf(world)
  const running = await world.apply([first])
  await holding(world, first)

  clock.set(HOUR)
  await row.assert("worker +1 h: a skew over 5 s is shown, and over the API", async () => {
    await skewShown(world, -HOUR)
    const { worker } = await web.call<{ worker: { clock_skew_seconds: number } }>("GET", "/api/v1/status/fleet")
    expect(Math.abs(worker.clock_skew_seconds + HOUR)).toBeLessThanOrEqual(2)
  })
  const blocked = await world.apply([second])
  await row.assert("over 60 s it blocks commands: nothing is started, and the reason says so", async () => {
    await waitsForClocks(world, blocked)
    await pause(3_000)
    expect(callsOf(world, second, APPLY)).toBe(0)
    const { host } = await world.run(readHostReasons(world.caller.principal, second.id))
    expect(host.code).toBe("clock_skew")
    expect(host.message).toMatch(/differ by 3[56]\d\d s.*Set both clocks right/)
  })

  const before = await renewals(world)
  for (const seconds of [-HOUR, HOUR, 600, -HOUR, 90, -600]) {
    clock.set(seconds)
    await pause(1_500)
  }
  await row.assert("stepping: no stuck lease; its renewals go on and nobody takes over", async () => {
    expect(await renewals(world)).toBeGreaterThan(before + 1)
    expect(await epochOf(world)).toBe(epoch)
  })
  await row.assert("leases use database time: the stored renewal is not off by the worker's hour", async () => {
    const [lease] = await world.query<{ age: number }>(
      "select extract(epoch from now() - renewed_at)::float8 as age from worker_lease"
    )
    expect(Math.abs(lease!.age)).toBeLessThan(15)
  })

  clock.set(20)
  await row.assert("5 to 60 s are shown and block nothing: what waited starts", async () => {
    await skewShown(world, -20)
    expect(await endOf(world, blocked)).toBe("succeeded")
  })
  world.fleet.release(first.address)
  const last = await world.apply([third])
  await row.assert("waits use the monotonic clock: what ran all the while ends as it should", async () => {
    expect(await endOf(world, running)).toBe("succeeded")
    expect(await endOf(world, last)).toBe("succeeded")
  })
  await row.assert("no double run: ledger 1 on each host", () => {
    for (const host of world.hosts) expect(changesOf(world, host)).toHaveLength(1)
  })
})

export const databaseAhead = withClock(["clock of the database +1 h"], async (row, clock) => {
  const world = await row.world({ count: 3 }, await startFakedPostgres(clock))
  const [first, second, third] = world.hosts as [WorldHost, WorldHost, WorldHost]
  for (const { address } of world.hosts) world.fleet.publish(address)
  const web = await row.web(world)
  await web.call("GET", "/api/v1/auth/me")
  holds(world, first)
  const holder = await row.worker(world)
  const standby = row.standby(world)
  const epoch = await epochOf(world)
  const running = await world.apply([first])
  await holding(world, first)
  // Half an hour away by the real clock, open by the wrong one.
  await addWindow(world, third.id, -30, 120)
  const sessions = () => world.query("select id, last_active_at, ended_at from sessions order by 1")
  const sessionsBefore = await sessions()

  clock.set(HOUR + 60)
  await row.assert("the difference is shown", () => skewShown(world, HOUR + 60))
  const blocked = await world.apply([second])
  const early = await world.apply([third], { when: { kind: "next_window" }, carries_over: true })
  await row.assert(
    "the skew check against the worker blocks new starts, in a window that only seems open too",
    async () => {
      await waitsForClocks(world, blocked)
      await waitsForClocks(world, early)
    }
  )
  await row.assert(
    "tokens: no session is extended; one that was idle too long by the database's clock is refused",
    async () => {
      await expect(web.call("GET", "/api/v1/auth/me")).rejects.toThrow(/401/)
      expect(await sessions()).toEqual(sessionsBefore)
    }
  )
  await row.assert(
    "the clock alone makes nobody take over: the lease hangs on its counter, not on the time in it",
    async () => {
      expect(await epochOf(world)).toBe(epoch)
    }
  )
  await holder.kill()
  await row.assert("takeovers happen, fenced: the next worker has epoch+1 within 20 s", async () => {
    await until(
      () => epochOf(world),
      (now) => now === epoch + 1,
      20_000
    )
    await standby.ready
  })
  world.fleet.release(first.address)
  await row.assert("ledger 1: what ran is adopted by the next worker, not sent again", async () => {
    expect(await endOf(world, running, 40_000)).toBe("succeeded")
    expect(changesOf(world, first)).toHaveLength(1)
    expect(callsOf(world, first, APPLY)).toBe(1)
  })
  await row.assert("nothing was started on the others while the clocks differed", () => {
    expect(callsOf(world, second, APPLY)).toBe(0)
    expect(callsOf(world, third, APPLY)).toBe(0)
  })
  clock.set(0)
  await row.assert(
    "with the clock right again the blocked job starts, and the window that has not opened is waited for",
    async () => {
      expect(await endOf(world, blocked, 40_000)).toBe("succeeded")
      await until(
        () =>
          world.query<{ code: string }>("select waits_for->>'code' as code from patch_job_hosts where job_id = $1", [
            early
          ]),
        ([wait]) => wait?.code === "waiting_for_window",
        20_000
      )
      expect(callsOf(world, third, APPLY)).toBe(0)
    }
  )
})

interface Audited {
  readonly seq: number
  readonly at: Date
  readonly action: string
  readonly actor_kind: string
}

export const databaseBehind = withClock(["clock of the database -2 h"], async (row, clock) => {
  const world = await row.world({ count: 2 }, await startFakedPostgres(clock))
  const [first, second] = world.hosts as [WorldHost, WorldHost]
  for (const { address } of world.hosts) world.fleet.publish(address)
  holds(world, first)
  const holder = await row.worker(world)
  const epoch = await epochOf(world)
  const running = await world.apply([first])
  await holding(world, first)
  const audit = () => world.query<Audited>("select seq::int, at, action, actor_kind from audit_log order by seq")
  const before = await audit()

  clock.set(-2 * HOUR)
  await row.assert("a flag row is written, by the machine", async () => {
    const rows = await until(audit, (all) => all.some(({ action }) => action === "clock.went_back"), NOTICED_MS)
    expect(rows.filter(({ action }) => action === "clock.went_back").map(({ actor_kind }) => actor_kind)).toEqual([
      "machine"
    ])
  })
  let blocked: JobId | undefined
  await row.assert("it is shown, and nothing new is started", async () => {
    await skewShown(world, -2 * HOUR)
    blocked = await world.apply([second])
    await waitsForClocks(world, blocked)
    expect(callsOf(world, second, APPLY)).toBe(0)
  })
  await row.assert("audit time goes back, the sequence does not", async () => {
    const after = (await audit()).slice(before.length)
    const last = before.at(-1)!
    expect(after.length).toBeGreaterThanOrEqual(2)
    after.forEach((one, index) => {
      expect(one.seq).toBe(last.seq + 1 + index)
      expect(one.at.getTime()).toBeLessThan(last.at.getTime() - HOUR * 1000)
    })
  })
  row.standby(world)
  // The time stored in its lease lies two hours ahead of what the database would say next.
  clock.set(-4 * HOUR)
  process.kill(holder.child.pid!, "SIGSTOP")
  row.after(() => holder.kill())
  const frozen = performance.now()
  await row.assert("no lease lasts longer than 2 x its real length: the renewal counter must move", async () => {
    await until(
      () => epochOf(world),
      (now) => now === epoch + 1,
      30_000
    )
    expect(performance.now() - frozen).toBeLessThan(2 * 15_000)
  })
  world.fleet.release(first.address)
  clock.set(0)
  await row.assert("ledger 1, and what was blocked runs once the clock is right", async () => {
    expect(await endOf(world, running, 40_000)).toBe("succeeded")
    expect(await endOf(world, blocked!, 40_000)).toBe("succeeded")
    for (const host of world.hosts) expect(changesOf(world, host)).toHaveLength(1)
  })
  process.kill(holder.child.pid!, "SIGCONT")
})
