import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { requestCancel } from "#sql/JobStore.ts"
import { until } from "#test/fleet/makeTestFleet.ts"
import { makeWorld, type World, type WorldHost } from "#test/harness/World.ts"
import { applied, ends, REST, sent, type Share, shares, stateOf } from "./jobWorld.ts"

describe("jobs of a small fleet", () => {
  let world: World
  let worker: { readonly stop: () => Promise<void> } | undefined
  let next = 0
  beforeAll(async () => {
    world = await makeWorld({ count: 22, seed: 41 })
  })
  afterEach(async () => {
    await worker?.stop()
    worker = undefined
    world.fleet.misbehaveAll()
  })
  afterAll(() => world.stop())

  /** Hosts that no test had before, each with something to install. */
  const fresh = (count: number): Array<WorldHost> => {
    const hosts = world.hosts.slice(next, (next += count))
    for (const host of hosts) world.fleet.publish(host.address)
    return hosts
  }

  it("never have more hosts at work than they may", { timeout: 60_000 }, async () => {
    const hosts = fresh(8)
    for (const host of hosts) world.fleet.misbehave(host.address, { kind: "hold", at: "before_change" })
    worker = await world.startWorker()
    const job = await world.apply(hosts, { max_concurrency: 3 })
    const holding = () => hosts.filter((host) => world.fleet.view(host.address).holding)
    const begun = () => hosts.filter((host) => sent(world, host) > 0).length
    for (let released = 0; released < hosts.length; released++) {
      const wanted = Math.min(3, hosts.length - released)
      const waiting = await until(holding, (held) => held.length === wanted, 15_000)
      expect(begun()).toBe(released + wanted)
      const [counts] = await world.query<{ open: number; queued: number }>(
        `select count(*) filter (where not ended and state not in ('queued', 'waiting'))::int as open,
           count(*) filter (where state in ('queued', 'waiting'))::int as queued from patch_job_hosts where job_id = $1`,
        [job]
      )
      expect(counts!.open).toBeLessThanOrEqual(3)
      expect(counts!.queued).toBeGreaterThanOrEqual(hosts.length - released - 3)
      world.fleet.release(waiting[0]!.address)
    }
    expect(await ends(world, job)).toBe("succeeded")
    for (const host of hosts) expect(applied(world, host)).toHaveLength(1)
  })

  it("end a removed host's order as failed, saying so, and do the rest", async () => {
    const [gone, stays] = fresh(2)
    const job = await world.apply([gone!, stays!])
    await world.query("update hosts set removed_at = now() where id = $1", [gone!.id])
    worker = await world.startWorker()
    expect(await ends(world, job)).toBe("partially_failed")
    const rows = await shares(world, job)
    const lost = rows.find((row) => row.host_id === gone!.id)
    expect([lost?.state, lost?.outcome?.verdict]).toEqual(["failed", "unavailable"])
    expect(lost?.outcome?.message).toBe("The host was removed or is parked, so nothing was sent to it.")
    expect(rows.find((row) => row.host_id === stays!.id)?.state).toBe("succeeded")
    expect(sent(world, gone!)).toBe(0)
  })

  it("that are cancelled before anything was sent send nothing", async () => {
    const hosts = fresh(2)
    const job = await world.apply(hosts)
    await world.run(requestCancel(world.caller, job))
    worker = await world.startWorker()
    expect(await ends(world, job)).toBe("cancelled")
    for (const row of await shares(world, job)) expect([row.state, row.ended]).toEqual(["cancelled", true])
    for (const host of hosts) expect([sent(world, host), applied(world, host)]).toEqual([0, []])
  })

  it("that are cancelled in the middle finish what runs and drop what waits", async () => {
    const [runs, waits] = fresh(2)
    world.fleet.misbehave(runs!.address, { kind: "hold", at: "before_change" })
    worker = await world.startWorker()
    const job = await world.apply([runs!])
    await until(
      () => world.fleet.view(runs!.address).holding,
      (holding) => holding,
      10_000
    )
    const both = await world.apply([runs!, waits!], { max_concurrency: 1 })
    await until(
      () => shares(world, both),
      (rows) => rows.some((row) => row.ended),
      10_000
    )
    await world.run(requestCancel(world.caller, both))
    expect(await ends(world, both)).toBe("cancelled")
    await world.run(requestCancel(world.caller, job))
    world.fleet.release(runs!.address)
    // What was sent is sent: it is read back and called what it is.
    expect(await ends(world, job)).toBe("succeeded")
    expect(applied(world, runs!)).toHaveLength(1)
    const of = (rows: ReadonlyArray<Share>, host: WorldHost) => rows.find((row) => row.host_id === host.id)!
    expect(of(await shares(world, both), runs!).state).toBe("cancelled")
    expect(of(await shares(world, both), waits!).state).toBe("succeeded")
  })

  it("wait for a host that another job has, and come after it", async () => {
    const [host] = fresh(1)
    world.fleet.misbehave(host!.address, { kind: "hold", at: "before_change", times: 1 })
    worker = await world.startWorker()
    const first = await world.apply([host!])
    await until(
      () => world.fleet.view(host!.address).holding,
      (holding) => holding,
      10_000
    )
    world.fleet.publish(host!.address)
    const second = await world.apply([host!])
    await until(
      () => stateOf(world, second),
      (state) => state === "waiting",
      10_000
    )
    const [number] = await world.query<{ number: number }>("select number::int from patch_jobs where id = $1", [first])
    expect((await shares(world, second)).map((row) => [row.state, row.waits_for])).toEqual([
      ["waiting", { code: "blocked_by_job", job_number: number?.number }]
    ])
    expect(sent(world, host!)).toBe(1)
    world.fleet.release(host!.address)
    expect(await ends(world, first)).toBe("succeeded")
    expect(await ends(world, second)).toBe("succeeded")
    const [order] = await world.query<{ after: boolean }>(
      `select b.started_at >= a.finished_at as after from patch_job_hosts a, patch_job_hosts b where a.job_id = $1 and b.job_id = $2`,
      [first, second]
    )
    expect(order?.after).toBe(true)
  })

  it("do not give up a host of which the worker has not heard yet", async () => {
    const [host] = fresh(1)
    await world.query("update hosts set removed_at = now() where id = $1", [host!.id])
    worker = await world.startWorker()
    const heard = await world.apply([fresh(1)[0]!])
    expect(await ends(world, heard)).toBe("succeeded")
    // As after a registration whose notification was lost.
    await world.query("update hosts set removed_at = null where id = $1", [host!.id])
    const job = await world.apply([host!])
    expect(await ends(world, job)).toBe("succeeded")
  })

  it("go on after the worker was stopped and started, nothing done twice", { timeout: 40_000 }, async () => {
    const hosts = fresh(4)
    for (const host of hosts) world.fleet.misbehave(host.address, { kind: "hold", at: "before_change", times: 1 })
    worker = await world.startWorker()
    const job = await world.apply(hosts, { max_concurrency: 2 })
    await until(
      () => hosts.filter((host) => world.fleet.view(host.address).holding).length,
      (n) => n === 2,
      10_000
    )
    await worker.stop()
    worker = await world.startWorker()
    const releasing = until(
      () => {
        for (const host of hosts) if (world.fleet.view(host.address).holding) world.fleet.release(host.address)
        return stateOf(world, job)
      },
      (state) => REST.includes(state),
      30_000
    )
    expect(await releasing).toBe("succeeded")
    for (const host of hosts) expect(applied(world, host)).toHaveLength(1)
  })
})

describe("a job of sixty hosts, seven of which fail", () => {
  let world: World
  beforeAll(async () => {
    world = await makeWorld({ count: 60, seed: 43 })
    // Twenty handshakes at once take more than a second where the machine does other things too.
    await world.startWorker({ client: { connectMs: 5_000, readMs: 5_000, listMs: 6_000 } })
  }, 60_000)
  afterAll(() => world.stop())

  it("ends partially failed with each host counted once", { timeout: 90_000 }, async () => {
    for (const host of world.hosts) world.fleet.publish(host.address)
    const bad = new Set(world.hosts.slice(0, 7).map((host) => host.id as string))
    for (const host of world.hosts.slice(0, 7))
      world.fleet.misbehave(host.address, { kind: "fail_job", message: "dpkg was interrupted" })
    const job = await world.apply(world.hosts, { max_concurrency: 20 })
    expect(await ends(world, job, 60_000)).toBe("partially_failed")
    const rows = await shares(world, job)
    for (const row of rows) {
      expect([row.state, row.ended, row.outcome?.verdict], row.outcome?.message).toEqual(
        bad.has(row.host_id) ? ["failed", true, "failed"] : ["succeeded", true, "done"]
      )
    }
    const [stored] = await world.query<{ counts: unknown }>(
      "select context->'counts' as counts from job_snapshots where job_id = $1",
      [job]
    )
    expect(stored?.counts).toEqual({
      queued: 0,
      open: 0,
      succeeded: 53,
      failed: 7,
      deferred: 0,
      cancelled: 0,
      uncertain: 0
    })
    for (const host of world.hosts) {
      expect(applied(world, host)).toHaveLength(bad.has(host.id) ? 0 : 1)
    }
    const history = await world.query<{ to_state: string }>(
      "select to_state from job_transitions where job_id = $1 order by version",
      [job]
    )
    expect(history.at(0)?.to_state).toBe("running")
    expect(history.at(-1)?.to_state).toBe("partially_failed")
  })
})
