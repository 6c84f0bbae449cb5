/** Rows about notifications: F51 to F55. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect } from "vitest"
import { startPostgres } from "#deploy/postgres/startPostgres.ts"
import { migrate } from "#sql/migrate.ts"
import { until } from "#test/fleet/makeTestFleet.ts"
import { startFaultProxy } from "#test/harness/faultProxy.ts"
import type { World, WorldHost } from "#test/harness/World.ts"
import { testClient } from "#test/setup/testClient.ts"
import type { Row, RowBody } from "../row.ts"
import { allHealthy, changesOf, endOf, pause } from "./workerSteps.ts"

/** Milliseconds until the job is no longer merely queued. */
const untilTaken = async (world: World, job: string, deadlineMs: number): Promise<number> => {
  const at = performance.now()
  await until(
    () => world.query<{ state: string }>("select state from patch_jobs where id = $1", [job]),
    (rows) => rows[0]?.state !== "queued",
    deadlineMs
  )
  return performance.now() - at
}

/** A world whose worker reaches the database through a proxy. */
const throughProxy = async (row: Row, count: number) => {
  const world = await row.world({ count, profileMix: { "2.7": 1 } })
  const proxy = await startFaultProxy(world.url)
  row.after(proxy.stop)
  const worker = await row.worker({ ...world, url: proxy.url })
  await allHealthy(world)
  return { world, proxy, worker }
}

/** Latency with every notification lost: one look every two seconds, and the time that a look takes. */
const NET_MS = 2_000 + 1_000

export const notifyLost: RowBody = async (row) => {
  const { world, proxy } = await throughProxy(row, 6)
  await row.assert("with the listener cut at the moment of the NOTIFY, nothing is missed", async () => {
    for (const host of world.hosts) {
      world.fleet.publish(host.address)
      expect(proxy.cut()).toBeGreaterThan(0)
      const job = await world.apply([host])
      await untilTaken(world, job, 6_000)
      expect(await endOf(world, job)).toBe("succeeded")
      // The next cut must meet a listener.
      await until(
        () =>
          world.query(
            "select 1 from pg_stat_activity where datname = current_database() and query like 'LISTEN%' and application_name = 'patch-manager worker'"
          ),
        (rows) => rows.length > 0,
        10_000
      )
    }
  })
  await row.assert("after each (re)LISTEN a catch-up read; poll as a net: latency degrades to 2 s", async () => {
    const times: Array<number> = []
    for (const host of world.hosts) {
      proxy.deafen()
      const job = await world.apply([host])
      times.push(await untilTaken(world, job, 10_000))
      await endOf(world, job)
    }
    expect(Math.max(...times)).toBeLessThan(NET_MS)
  })
  await row.assert("every host was changed once", () => {
    for (const host of world.hosts) expect(changesOf(world, host)).toHaveLength(1)
  })
}

const listeners = (world: World) =>
  world.query<{ pid: number; age: number }>(
    `select pid, extract(epoch from now() - backend_start)::float8 as age from pg_stat_activity
     where datname = current_database() and application_name = 'patch-manager worker' and query ilike 'LISTEN%'`
  )

export const listenerHalfOpen: RowBody = async (row) => {
  const { world, proxy, worker } = await throughProxy(row, 1)
  const [before] = await until(
    () => listeners(world),
    (rows) => rows.length === 1
  )
  await row.assert("a listener that hears itself stays", async () => {
    await pause(12_000)
    expect((await listeners(world)).map((one) => one.pid)).toEqual([before!.pid])
  })
  expect(proxy.deafen()).toBe(1)
  await row.assert(
    "half-open, it is noticed by the heartbeat through the channel, and there is another one within 15 s",
    () =>
      until(
        () => listeners(world),
        (rows) => rows.some((one) => one.pid !== before!.pid),
        15_500
      )
  )
  await row.assert("it is logged", () =>
    expect(worker.log.map((line) => line.message).join("\n")).toMatch(/listening again/)
  )
  const after = (await listeners(world)).find((one) => one.pid !== before!.pid)!
  await row.assert("a registration that vanishes is noticed in the same way", async () => {
    await world.query("select pg_terminate_backend($1)", [after.pid])
    await until(
      () => listeners(world),
      (rows) => rows.some((one) => one.pid !== before!.pid && one.pid !== after.pid),
      15_500
    )
  })
  const [host] = world.hosts as [WorldHost]
  world.fleet.publish(host.address)
  await row.assert("hints arrive again", async () => {
    const job = await world.apply([host])
    expect(await untilTaken(world, job, 5_000)).toBeLessThan(NET_MS)
    expect(await endOf(world, job)).toBe("succeeded")
  })
}

const callsOfFleet = (world: World): number => world.fleet.stats().calls

export const foreignNotifies: RowBody = async (row) => {
  const world = await row.world({ count: 4 })
  const web = await row.web(world)
  const browser = await row.browser(world, web)
  const worker = await row.worker(world)
  await allHealthy(world)
  await pause(1_000)
  const calls = callsOfFleet(world)
  const versions = () => world.query("select host_id, version from host_snapshots order by host_id")
  const before = await versions()
  const [host] = world.hosts as [WorldHost]
  await row.assert("equal ones in one transaction merge", async () => {
    const client = testClient(world.url)
    await client.connect()
    let heard = 0
    client.on("notification", () => heard++)
    await client.query("listen merged")
    await world.query("select pg_notify('merged', '') from generate_series(1, 1000)")
    await until(
      () => heard,
      (count) => count > 0
    )
    await pause(300)
    await client.end()
    expect(heard).toBe(1)
  })
  await row.assert("over 8,000 bytes fails, and the payloads of ours are an id at most", async () => {
    await expect(world.query("select pg_notify('worker', repeat('x', 8001))")).rejects.toMatchObject({ code: "22023" })
  })
  await row.assert("100,000 forged ones have no effect beyond empty reads", async () => {
    const words = [
      "job_enqueued",
      "host_requested",
      "host_registered",
      "host_changed",
      "window_changed",
      "x'; drop",
      "pulse"
    ]
    for (const word of words) {
      await world.query(
        "select pg_notify(channel, $1 || ' ' || gen_random_uuid()) from generate_series(1, 7143), unnest(array['worker', 'feed']) channel",
        [word]
      )
    }
    await world.query("select pg_notify('worker', $1) from generate_series(1, 1000)", [`host_changed ${host.id}`])
    await world.query("select pg_notify('worker', ''), pg_notify('feed', '{\"type\":\"host\"}')")
    await until(
      () => world.query<{ usage: number }>("select pg_notification_queue_usage()::float8 as usage"),
      (rows) => rows[0]!.usage < 0.001,
      60_000
    )
    await pause(3_000)
    expect(await versions()).toEqual(before)
    expect(worker.child.exitCode).toBeNull()
    expect(worker.log.filter((line) => line.level === "error")).toEqual([])
  })
  await row.assert("no agent is called because of them", () => expect(callsOfFleet(world) - calls).toBeLessThan(10))
  await row.assert("the browsers stay connected and are told nothing untrue", () => {
    expect(browser.sockets).toHaveLength(2)
    expect(browser.resyncs()).toBe(0)
  })
  world.fleet.publish(host.address)
  await row.assert("real ones still do their work", async () => {
    const job = await world.apply([host])
    expect(await endOf(world, job)).toBe("succeeded")
  })
}

export const queueFills: RowBody = async (row) => {
  const folder = mkdtempSync(join(tmpdir(), "pm-queue-"))
  const start = () => startPostgres({ folder, durability: "throwaway", mayCreateAccount: false })
  // The smallest queue that PostgreSQL offers, so that filling it takes a moment.
  writeFileSync(join(folder, "postgresql.custom.conf"), "max_notify_queue_pages = 64\n")
  const server = await start()
  const remove = async () => {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await migrate(server.url)
    const world = await row.world({ count: 6 }, { url: server.url, drop: remove })
    const web = await row.web(world)
    const worker = await row.worker(world)
    await allHealthy(world)
    for (const { address } of world.hosts) world.fleet.publish(address)
    const job = await world.apply(world.hosts)
    await row.assert("our listeners never open a transaction", async () => {
      for (let look = 0; look < 50; look++) {
        const rows = await world.query<{ state: string }>(
          `select state from pg_stat_activity where datname = current_database() and query ilike 'LISTEN%' and xact_start is not null`
        )
        expect(rows).toEqual([])
        await pause(40)
      }
      expect(await endOf(world, job)).toBe("succeeded")
    })
    const stalled = testClient(world.url)
    stalled.on("error", () => undefined)
    await stalled.connect()
    row.after(() => stalled.end())
    await stalled.query("listen worker")
    await stalled.query("begin")
    await stalled.query("select 1")
    await world.query("select pg_notify('other', 'x' || repeat(md5(n::text), 100)) from generate_series(1, 24) n")
    const [usage] = await world.query<{ usage: number }>("select pg_notification_queue_usage()::float8 as usage")
    expect(usage!.usage).toBeGreaterThan(0.1)
    await row.assert("usage over 10 % raises an alarm", () =>
      until(
        async () => ({
          log: worker.log.map((line) => line.message).join("\n"),
          shown: JSON.stringify(await web.call("GET", "/api/v1/status/fleet"))
        }),
        ({ log, shown }) => /notification queue/i.test(log) || /notification/i.test(shown),
        45_000
      )
    )
    await stalled.query("rollback")
  } catch (error) {
    await server.stop()
    throw error
  }
}

export const oneNotifyPerBatch: RowBody = async (row) => {
  const world = await row.world({ count: 60, profileMix: { "2.7": 1 } })
  const client = testClient(world.url)
  await client.connect()
  row.after(() => client.end())
  let heard = 0
  client.on("notification", () => heard++)
  await client.query("listen feed")
  await row.worker(world)
  await allHealthy(world)
  for (const { address } of world.hosts) world.fleet.publish(address)
  expect(await endOf(world, await world.apply(world.hosts), 60_000)).toBe("succeeded")
  await row.assert("one NOTIFY per batch, not per row", async () => {
    const [counts] = await world.query<{ rows: number; batches: number }>(
      "select count(*)::int as rows, count(distinct xid::text)::int as batches from change_feed"
    )
    expect(heard).toBeLessThanOrEqual(counts!.batches + 1)
    expect(counts!.batches).toBeLessThan(counts!.rows)
  })
  await row.assert("500 commits a second with NOTIFY at p99 under 50 ms", async () => {
    const clients = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const one = testClient(world.url)
        await one.connect()
        return one
      })
    )
    const SECONDS = 4
    const times: Array<number> = []
    const began = performance.now()
    let made = 0
    const commit = async (one: (typeof clients)[number]) => {
      while (made < 500 * SECONDS) {
        const n = made++
        const due = began + n * 2
        if (due > performance.now()) await pause(due - performance.now())
        const at = performance.now()
        await one.query(
          "with fed as (insert into change_feed (topic) values ('host') returning seq) select pg_notify('feed', '') from fed"
        )
        times.push(performance.now() - at)
      }
    }
    await Promise.all(clients.map(commit))
    const seconds = (performance.now() - began) / 1000
    for (const one of clients) await one.end()
    times.sort((a, b) => a - b)
    const p99 = times[Math.floor(times.length * 0.99)]!
    expect(times.length / seconds).toBeGreaterThan(450)
    expect(p99).toBeLessThan(50)
  })
}
