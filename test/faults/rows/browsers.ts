/** Rows about the live view: F56 to F58. */
import { expect } from "vitest"
import WebSocket from "ws"
import { AppSocket } from "#http/server/AppSocket.ts"
import { until } from "#test/fleet/makeTestFleet.ts"
import { spawnWeb } from "#test/harness/spawnWeb.ts"
import type { Web } from "#test/harness/startWeb.ts"
import { pauseAfter } from "#ui/live/connection.ts"
import type { RowBody } from "../row.ts"
import { allHealthy, changesOf, endOf, pause } from "./workerSteps.ts"

/** Both ends live in this process: the ports say which belong together. */
const portsOf = (socket: WebSocket) =>
  (socket as unknown as { readonly _socket: { readonly localPort: number; readonly remotePort: number } })._socket

/** One socket of a browser; `come` keeps coming back as the console does. */
const openSocket = async (web: Web, options: { readonly stalled?: boolean } = {}) => {
  const { ticket } = await web.call<{ ticket: string }>("POST", "/api/v1/ws/ticket")
  const { port } = new URL(web.origin)
  const socket = new WebSocket(`wss://127.0.0.1:${port}/api/v1/ws/fleet?ticket=${ticket}`, {
    ca: web.caPem,
    headers: { host: `localhost:${port}`, origin: web.origin },
    // A reader that has stopped answers no ping either.
    autoPong: options.stalled !== true
  })
  socket.on("error", () => undefined)
  const closed = new Promise<number>((resolve) => socket.once("close", resolve))
  await new Promise<void>((resolve, reject) => {
    socket.once("open", () => {
      socket.send(JSON.stringify({ subscribe: { from_seq: null } }))
      socket.once("message", () => resolve())
    })
    closed.then((code) => reject(new Error(`The socket closed with ${code}`)), reject)
  })
  return { socket, closed }
}

export const neverReads: RowBody = async (row) => {
  const STALLED = 25
  const world = await row.world({ count: 100, certificates: false })
  const web = await row.web(world)
  const browser = await row.browser(world, web)
  const stalled: Array<Awaited<ReturnType<typeof openSocket>>> = []
  for (let n = 0; n < STALLED; n++) {
    const one = await openSocket(web, { stalled: true })
    one.socket.pause()
    stalled.push(one)
  }
  row.after(() => stalled.forEach(({ socket }) => socket.terminate()))
  // Each of these reads again as soon as it is given up, so that it hears the reason.
  const [early, late] = [stalled.slice(0, 10), stalled.slice(10)]
  const rss = process.memoryUsage().rss
  const latencies: Array<number> = []
  const givenUp = () =>
    new Set(
      [...AppSocket.live]
        .filter(({ readyState }) => readyState !== WebSocket.OPEN)
        .map((ours) => portsOf(ours).remotePort)
    )
  const others = () => AppSocket.live.size - browser.sockets.length
  // Every host moves, again and again, until what is unread is more than a mebibyte for each.
  for (let round = 0; round < 2_000 && others() > early.length; round++) {
    const at = Date.now()
    await world.query(
      `with moved as (update host_snapshots set version = version, updated_at = now() returning host_id, version),
         fed as (insert into change_feed (topic, host_id, version) select 'host', host_id, nullif(version, 0) from moved returning 1)
       select pg_notify('feed', '') from fed limit 1`
    )
    await until(
      () => browser.lastAt("host"),
      (told) => told >= at,
      10_000
    )
    latencies.push(Date.now() - at)
    const closing = givenUp()
    for (const { socket } of early) if (closing.has(portsOf(socket).localPort)) socket.resume()
  }
  await row.assert("the others keep p95 under 1 s", () => {
    const sorted = latencies.toSorted((a, b) => a - b)
    expect(sorted[Math.floor(sorted.length * 0.95)]).toBeLessThan(1_000)
  })
  await row.assert("a buffer over 1 MiB closes the socket that does not read, with 1013", async () => {
    expect(others()).toBeLessThanOrEqual(early.length)
    for (const { socket } of late) socket.resume()
    const gone = await Promise.all(late.map((one) => Promise.race([one.closed, pause(10_000).then(() => 0)])))
    expect(gone).not.toContain(0)
    const told = await Promise.all(early.map((one) => Promise.race([one.closed, pause(2_000).then(() => 0)])))
    expect(told).toContain(1013)
  })
  await row.assert("memory stays flat", () =>
    expect(process.memoryUsage().rss - rss).toBeLessThan(STALLED * 1.5 * 1024 * 1024 + 200 * 1024 * 1024)
  )
  await row.assert("no pong in 30 s: closed, though nothing was owed to it", async () => {
    const { socket } = await openSocket(web, { stalled: true })
    row.after(() => socket.terminate())
    const open = AppSocket.live.size
    socket.pause()
    const at = Date.now()
    await until(
      () => AppSocket.live.size,
      (count) => count < open,
      45_000
    )
    expect(Date.now() - at).toBeGreaterThan(15_000)
  })
  row.missing("memory flat with 200 such clients", `${STALLED} here, since both ends of each live in one process`)
}

export const comesBackLate: RowBody = async (row) => {
  const world = await row.world({ count: 6, profileMix: { "2.7": 1 } })
  const web = await spawnWeb(world)
  row.after(web.stop)
  const browser = await row.browser(world, web)
  await row.worker(world)
  await allHealthy(world)
  const work = async () => {
    for (const host of world.hosts) world.fleet.publish(host.address)
    const job = await world.apply(world.hosts)
    expect(await endOf(world, job)).toBe("succeeded")
    return job
  }
  await work()
  browser.leave()
  const missed = await work()
  await browser.resume()
  await row.assert("resumes by the last event it saw, without reading everything again", async () => {
    await until(
      () => browser.jobs.get(missed)?.state,
      (state) => state === "succeeded"
    )
    expect(browser.resyncs()).toBe(0)
  })
  browser.leave()
  const later = await work()
  // Later, when what it saw last has been cleared away, at a web process that has not seen it either.
  await web.kill()
  await web.restart()
  await world.query("delete from change_feed where seq <= (select max(seq) - 3 from change_feed)")
  await row.assert("or gets a full snapshot where the feed no longer reaches back", async () => {
    await browser.resume()
    await until(
      () => browser.jobs.get(later)?.state,
      (state) => state === "succeeded"
    )
    expect(browser.resyncs()).toBeGreaterThan(0)
  })
  await row.assert("the view equals the database", () =>
    until(
      () => world.query<{ id: string; version: number }>("select host_id as id, version::int from host_snapshots"),
      (rows) => rows.every(({ id, version }) => browser.hosts.get(id)?.state_version === version),
      5_000
    )
  )
}

export const webKilled: RowBody = async (row) => {
  const CLIENTS = 500
  const world = await row.world({ count: 8, profileMix: { "2.7": 1 }, timing: { jobMs: [3_000, 6_000] } })
  const web = await spawnWeb(world)
  row.after(web.stop)
  const worker = await row.worker(world)
  await allHealthy(world)
  let wanted = true
  const connected = new Set<number>()
  const backAt: Array<number> = []
  const live = new Map<number, WebSocket>()
  const stay = async (client: number, failures: number): Promise<void> => {
    if (!wanted) return
    try {
      const { socket, closed } = await openSocket(web)
      connected.add(client)
      live.set(client, socket)
      backAt.push(Date.now())
      void closed.then(async () => {
        connected.delete(client)
        await pause(pauseAfter(1, Math.random()))
        await stay(client, 0)
      })
    } catch {
      await pause(pauseAfter(failures + 1, Math.random()))
      await stay(client, failures + 1)
    }
  }
  row.after(() => {
    wanted = false
    for (const socket of live.values()) socket.terminate()
  })
  for (let first = 0; first < CLIENTS; first += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, n) => stay(first + n, 0)))
  }
  expect(connected.size).toBe(CLIENTS)
  for (const { address } of world.hosts) world.fleet.publish(address)
  const job = await world.apply(world.hosts)
  const logged = worker.log.length
  backAt.length = 0
  await row.assert("the web process is killed with 500 sockets open", async () =>
    expect(await web.kill()).toBe("SIGKILL")
  )
  await until(
    () => connected.size,
    (count) => count === 0,
    10_000
  )
  await web.restart()
  const at = Date.now()
  await row.assert("clients are back in 10 s", () =>
    until(
      () => connected.size,
      (count) => count === CLIENTS,
      10_000 + 5_000
    )
  )
  await row.assert("with jitter: not all at once", () => {
    const times = backAt.toSorted((a, b) => a - b)
    expect(times.at(-1)! - times[0]!).toBeGreaterThan(200)
    expect(times.at(-1)! - at).toBeLessThan(15_000)
  })
  await row.assert("the worker does not notice", async () => {
    expect(await endOf(world, job)).toBe("succeeded")
    expect(worker.log.slice(logged).filter((line) => line.level === "error" || line.level === "warn")).toEqual([])
    for (const host of world.hosts) expect(changesOf(world, host)).toHaveLength(1)
  })
}
