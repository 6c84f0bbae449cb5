import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { requestRefresh } from "#sql/HostStore.ts"
import { until } from "#test/fleet/makeTestFleet.ts"
import { makeWorld, type World, type WorldHost } from "#test/harness/World.ts"
import { type PlantedWorker, startPlanted } from "./plantedWorker.ts"

let world: World
let worker: PlantedWorker | undefined
beforeAll(async () => {
  world = await makeWorld({ count: 24, seed: 31 })
})
afterEach(async () => {
  await worker?.stop()
  worker = undefined
  world.fleet.misbehaveAll()
})
afterAll(() => world.stop())

interface Row {
  readonly link: string
  readonly summary: string
  readonly health: string | null
  readonly reason: string | null
  readonly failure: string | null
  readonly message: string | null
  readonly misses: number
  /** From the poll to the next planned one. */
  readonly wait_ms: number
  readonly patches_read: string | null
  readonly packages_read: string | null
}

const look = async (host: WorldHost): Promise<Row> =>
  (
    await world.query<Row & Record<string, unknown>>(
      `select s.link, s.summary, d.health, d.reason, d.failure_kind as failure, d.failure_message as message,
         (s.context->>'misses')::int as misses,
         extract(epoch from d.next_poll_at - greatest(d.polled_at, d.failed_at))::float8 * 1000 as wait_ms,
         p.read_at::text as patches_read, k.read_at::text as packages_read
       from host_snapshots s left join host_health_data d using (host_id)
         left join host_patch_data p using (host_id) left join host_packages k using (host_id)
       where s.host_id = $1`,
      [host.id]
    )
  )[0]!

const becomes = (host: WorldHost, fits: (row: Row) => boolean, deadline = 15_000) =>
  until(() => look(host), fits, deadline)
const refresh = (host: WorldHost) => world.run(requestRefresh(world.caller, host.id))
const allHealthy = () =>
  until(
    () =>
      world.query<{ link: string; read: string | null }>(
        "select link, read_at as read from host_snapshots left join host_packages using (host_id)"
      ),
    (rows) => rows.every((row) => row.link === "healthy" && row.read !== null),
    20_000
  )

describe("the poller", () => {
  it("plans the next poll of each host a tenth around the interval, no two the same", async () => {
    const INTERVAL = 300_000
    worker = await startPlanted(world, {
      settings: { healthIntervalMillis: INTERVAL, retryMillis: [60_000, 60_000, 600_000] }
    })
    await allHealthy()
    const waits = await until(
      () =>
        world.query<{ wait: number | null }>(
          "select extract(epoch from next_poll_at - polled_at)::float8 * 1000 as wait from hosts h left join host_health_data d on d.host_id = h.id"
        ),
      (rows) => rows.every((row) => row.wait !== null)
    )
    for (const { wait } of waits) {
      expect(wait).toBeGreaterThanOrEqual(INTERVAL * 0.9 - 1)
      expect(wait).toBeLessThanOrEqual(INTERVAL * 1.1 + 1)
    }
    expect(new Set(waits.map(({ wait }) => Math.round(wait!))).size).toBeGreaterThan(waits.length - 3)
    expect(Math.max(...waits.map(({ wait }) => wait!)) - Math.min(...waits.map(({ wait }) => wait!))).toBeGreaterThan(
      INTERVAL * 0.05
    )
  })

  it("repeats a failed poll after the first and second wait, calls the third failure unreachable, and comes back on refresh at once", async () => {
    const [host] = world.hosts
    const retryMillis = [700, 1_400, 900_000]
    worker = await startPlanted(world, { settings: { retryMillis } })
    await allHealthy()
    world.fleet.misbehave(host!.address, { kind: "refuse" })
    await refresh(host!)
    const down = await becomes(host!, (row) => row.link === "unreachable" && row.wait_ms > 100_000)
    expect(down.summary).toBe("unreachable")
    expect(down.failure).not.toBeNull()
    expect(down.message).toMatch(/[a-z]/)
    expect(down.wait_ms).toBeGreaterThanOrEqual(900_000 * 0.9 - 1)
    expect(down.wait_ms).toBeLessThanOrEqual(900_000 * 1.1 + 1)
    const failures = await world.query<{ at: number; to_link: string }>(
      `select extract(epoch from at)::float8 * 1000 as at, to_link from host_transitions
       where host_id = $1 and event_type = 'poll.failed' order by version`,
      [host!.id]
    )
    expect(failures.map((row) => row.to_link)).toEqual(["healthy", "healthy", "unreachable"])
    for (const [index, wait] of [700, 1_400].entries()) {
      const gap = failures[index + 1]!.at - failures[index]!.at
      expect(gap).toBeGreaterThanOrEqual(wait * 0.9 - 50)
      expect(gap).toBeLessThan(wait * 1.1 + 1_500)
    }
    world.fleet.misbehave(host!.address)
    await refresh(host!)
    const back = await becomes(host!, (row) => row.link === "healthy" && row.failure === null, 5_000)
    expect([back.misses, back.summary]).toEqual([0, "healthy"])
  })

  it("reads everything on a refresh, though nothing is due", async () => {
    const [, host] = world.hosts
    worker = await startPlanted(world)
    await allHealthy()
    const before = await look(host!)
    world.fleet.publish(host!.address)
    await refresh(host!)
    const after = await becomes(
      host!,
      (row) => row.patches_read !== before.patches_read && row.packages_read !== before.packages_read
    )
    expect(after.link).toBe("healthy")
    const { pending } = await world.fleet.truth(host!.address)
    const [stored] = await world.query<{ pending: number }>("select pending from host_patch_data where host_id = $1", [
      host!.id
    ])
    expect(stored?.pending).toBe(pending.length)
  })

  it("reads everything once more when a refresh comes while it is reading", async () => {
    const [, , host] = world.hosts
    worker = await startPlanted(world)
    await allHealthy()
    const asked = () => world.fleet.view(host!.address).calls["GET /api/v1/packages"] ?? 0
    const before = asked()
    world.fleet.misbehave(host!.address, { kind: "slow", path: "/packages", delay_ms: 800, times: 1 })
    await refresh(host!)
    await until(
      () => world.fleet.seenBy(host!.address).openConnections > 0 && asked() > before,
      (reading) => reading
    )
    await refresh(host!)
    await until(asked, (count) => count === before + 2, 10_000)
  })

  it("shows a degraded answer as degraded with its reason, and as healthy once it is over", async () => {
    const host = world.hosts.find(({ view }) => view.profile === "2.7")!
    worker = await startPlanted(world)
    await allHealthy()
    world.fleet.misbehave(host.address, { kind: "degraded", reason: "gpg_expired" })
    await refresh(host)
    const bad = await becomes(host, (row) => row.link === "degraded" && row.health === "degraded")
    expect(bad.summary).toBe("degraded")
    expect(bad.reason).toMatch(/gpg|key/i)
    world.fleet.misbehave(host.address)
    await refresh(host)
    const good = await becomes(host, (row) => row.link === "healthy" && row.health === "healthy")
    expect([good.summary, good.reason]).toEqual(["healthy", null])
  })

  it("waits as long as an agent asks it to, which is no miss", async () => {
    // An old agent has no word for degraded.
    const host = world.hosts.findLast(({ view }) => view.profile === "2.7")
    worker = await startPlanted(world)
    await allHealthy()
    world.fleet.misbehave(host!.address, { kind: "rate_limited", retry_after_seconds: 77, path: "/health" })
    await refresh(host!)
    const row = await becomes(host!, (one) => one.failure === "rate_limited")
    expect([row.link, row.misses]).toEqual(["healthy", 0])
    expect(row.wait_ms).toBeGreaterThanOrEqual(77_000 - 1)
    // What the host is told next comes after a miss, had there been one.
    world.fleet.misbehave(host!.address, { kind: "degraded", reason: "repo_sync_failed" })
    await refresh(host!)
    await becomes(host!, (one) => one.link === "degraded")
    const failed = await world.query(
      "select 1 from host_transitions where host_id = $1 and event_type = 'poll.failed'",
      [host!.id]
    )
    expect(failed).toEqual([])
  })

  it("never has more polls under way than it has pollers, however many hosts hang", async () => {
    await world.query("update host_health_data set next_poll_at = now() - interval '1 hour'")
    world.fleet.misbehaveAll({ kind: "hang" })
    await until(
      () => world.fleet.stats().open_connections,
      (open) => open === 0
    )
    world.fleet.resetStats()
    worker = await startPlanted(world, { settings: { pollers: 3, startPollsPerSecond: 10_000 } })
    await until(
      () =>
        world.query<{ n: number }>(
          "select count(*)::int as n from host_health_data where failure_kind is not null and failed_at > now() - interval '1 minute'"
        ),
      (rows) => rows[0]!.n >= 8,
      18_000
    )
    expect(world.fleet.stats().peak_connections).toBe(3)
  })
})
