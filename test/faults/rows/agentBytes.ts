/** Rows about agents that answer with anything but an answer. */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { expect } from "vitest"
import { until } from "#test/fleet/makeTestFleet.ts"
import type { Misbehaviour } from "#test/fleet/Misbehaviour.ts"
import type { WorldHost } from "#test/harness/World.ts"
import {
  allAnswer,
  allRead,
  applied,
  ended,
  health,
  place,
  pollsAs,
  publish,
  refresh,
  steps,
  startWorker
} from "../agentSteps.ts"
import type { RowBody } from "../row.ts"

const MiB = 1024 * 1024

const patches = (name: string, version: string) =>
  `{"success":true,"data":{"patches":[{"name":${name},"current_version":"1","available_version":${version},"severity":"high","description":"x","cve_ids":[],"requires_reboot":false}],"total":1,"security_updates":1,"requires_reboot":false},"error":null}`

/** Whole answers that nobody can read, and answers that can be read but must not be kept as they are. */
const unreadable: ReadonlyArray<readonly [name: string, body: string]> = [
  ["no JSON", "OK"],
  ["wrong types", '{"success":"yes","data":[1,2,3],"error":7}'],
  ["NUL", '\u0000\u0001{"success":\u0000'],
  ["deep nesting", `{"success":true,"data":${"[".repeat(100_000)}${"]".repeat(100_000)}}`],
  ["NUL in a name", patches('"open\\u0000ssl"', '"2"')],
  ["half a character in a name", patches('"lib\\ud800c"', '"2"')],
  ["a page of another program", "<html><body>Welcome to nginx!</body></html>"]
]
/** One is too large for a health report, the others name packages. */
const IN_PATCHES = [3, 4, 5]
const poisoned: ReadonlyArray<readonly [name: string, body: string]> = [
  ["NUL in a version", patches('"openssl"', '"2\\u00003"')],
  ["lone surrogates", patches('"libc6"', '"2\\udfff"')],
  ["1e400", patches('"libc6"', "1e400")],
  [
    "__proto__",
    patches('"__proto__"', '"2"').replace(
      '"data":{',
      '"data":{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},'
    )
  ]
]

export const f24: RowBody = async (row) => {
  const world = await row.world({ count: unreadable.length + poisoned.length + 4, profileMix: { "2.7": 1 } })
  const bad = world.hosts.slice(0, unreadable.length)
  const odd = world.hosts.slice(unreadable.length, unreadable.length + poisoned.length)
  const [sent, ...good] = world.hosts.slice(unreadable.length + poisoned.length)
  await startWorker(row, world)
  await allAnswer(world)
  for (const [index, host] of bad.entries())
    world.fleet.misbehave(host.address, {
      kind: "garbage_json",
      path: IN_PATCHES.includes(index) ? "/patches" : "/health",
      body: unreadable[index]![1]
    })
  for (const [index, host] of odd.entries())
    world.fleet.misbehave(host.address, { kind: "garbage_json", path: "/patches", body: poisoned[index]![1] })
  await row.assert("`protocol_error` for this host only", async () => {
    for (const host of bad)
      expect(await pollsAs(world, host, "unreadable_answer")).toMatchObject({ kind: "unreadable_answer" })
    for (const host of good) expect(await pollsAs(world, host, null)).toMatchObject({ kind: null })
  })
  await row.assert("first 200 safe bytes kept", async () => {
    const told: Array<string | null> = []
    for (const host of bad) told.push((await health(world, host)).message)
    const [noJson, , nul, , , , page] = told
    expect(noJson).toMatch(/It begins: OK$/)
    expect(page).toMatch(/Welcome to nginx!/)
    expect(nul).not.toMatch(/\p{Cc}/u)
    for (const message of told) expect(message!.length).toBeLessThan(600)
  })
  await row.assert("no prototype change", async () => {
    for (const host of odd) await refresh(world, host)
    const stored = await until(
      () =>
        world.query<{ id: string; patches: string }>(
          "select host_id as id, patches::text as patches from host_patch_data where host_id = any($1::uuid[])",
          [odd.map((host) => host.id)]
        ),
      (rows) => rows.filter((one) => /high/.test(one.patches)).length === odd.length,
      20_000
    )
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined()
    expect(Object.keys(Object.prototype)).toEqual([])
    // What is kept is text that PostgreSQL and a browser can show.
    for (const { patches: text } of stored) expect(text).toBe(text.toWellFormed())
    for (const host of odd) expect((await place(world, host)).parked).toBeNull()
  })
  publish(world, [sent!, ...good])
  world.fleet.misbehave(sent!.address, { kind: "garbage_json", path: "/patches/apply", body: "\u0000{", times: 1 })
  const results = await ended(world, await world.apply([sent!, ...good]))
  await row.assert("others unaffected", () => {
    for (const host of good) {
      expect(results.find((result) => result.host === host.id)?.verdict).toBe("done")
      expect(applied(world, host)).toHaveLength(1)
    }
  })
  await row.assert("job → `unknown` if it had been sent", async () => {
    const way = (await steps(world, sent!)).map(({ from, event, to }) => `${from} ${event} ${to}`)
    expect(way).toContain("patching.dispatching unclear settling.quiet")
    expect(results.find((result) => result.host === sent!.id)?.verdict).toBe("done")
    expect(applied(world, sent!).length).toBeLessThanOrEqual(1)
  })
}

const rssOf = (pid: number): number => {
  const [, kib] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? []
  return Number(kib) * 1024
}

/** The agent's limits: 8 MiB for patches, 16 MiB for the list of all packages. */
const PATCHES_LIMIT = 8 * MiB
const FLOODS = 40

export const f25: RowBody = async (row) => {
  const world = await row.world({ count: 4, profileMix: { "2.7": 1 } })
  const [stream, bomb, healthy] = world.hosts
  // Looked at again only when it is asked for: one answer's memory, not that of many.
  const worker = await row.worker(world, {
    client: { listMs: 20_000, readMs: 20_000, healthMs: 20_000 },
    settings: { retryMillis: [60_000, 60_000, 60_000] }
  })
  await allAnswer(world)
  await allRead(world)
  // Once for the memory that the first of them makes Node take for good.
  world.fleet.misbehave(healthy!.address, { kind: "huge", path: "/patches", bytes: 4 * MiB })
  await pollsAs(world, healthy!, "unreadable_answer", 30_000)
  world.fleet.misbehave(healthy!.address)
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  const before = rssOf(worker.child.pid!)
  let peak = before
  const watching = setInterval(() => (peak = Math.max(peak, rssOf(worker.child.pid!))), 20)
  row.after(() => clearInterval(watching))
  world.fleet.misbehave(stream!.address, { kind: "huge", path: "/patches", bytes: 10_000 * MiB })
  world.fleet.misbehave(bomb!.address, { kind: "gzip_bomb", path: "/patches", unpacked_bytes: 1_000 * MiB })
  await pollsAs(world, stream!, "too_large", 30_000)
  const streamed = await until(
    () => world.fleet.seenBy(stream!.address).lastFlood,
    (flood) => flood !== undefined
  )
  await row.assert("Cut at the limit (8 MiB raw and unpacked)", async () => {
    // Beside the limit only what the sockets between the two hold.
    expect(streamed!.bytes).toBeLessThan(PATCHES_LIMIT + 16 * MiB)
    await pollsAs(world, bomb!, "unreadable_answer", 30_000)
    const { lastFlood } = await until(
      () => world.fleet.seenBy(bomb!.address),
      (seen) => seen.lastFlood !== undefined,
      30_000
    )
    // Nothing is unpacked: a thousand MiB come as one.
    expect(lastFlood!.bytes).toBeLessThan(PATCHES_LIMIT + 16 * MiB)
  })
  await row.assert("within 1 s of reaching it", () => {
    expect(streamed!.ms).toBeLessThan(1_000 + 1_500)
  })
  await row.assert("memory grows by less than 32 MiB", async () => {
    expect((peak - before) / MiB).toBeLessThan(32)
    // Nor does what many of them sent stay: some of it waits for the collector, all of it would be twice this.
    for (let n = 0; n < FLOODS; n++) {
      const last = world.fleet.seenBy(stream!.address).lastFlood
      await refresh(world, stream!)
      await until(
        () => world.fleet.seenBy(stream!.address).lastFlood,
        (flood) => flood !== last,
        15_000
      )
    }
    expect((peak - before) / MiB).toBeLessThan((FLOODS * PATCHES_LIMIT) / MiB / 2)
  })
}

const HUNG = 6

export const f27: RowBody = async (row) => {
  const world = await row.world({ count: 132, profileMix: { "2.7": 1 } })
  const good = world.hosts.slice(0, 4)
  const bad = world.hosts.slice(4)
  await startWorker(row, world, {
    settings: { pollers: 128, retryMillis: [300, 300, 300], startPollsPerSecond: 5_000 },
    client: { healthMs: 20_000, connectMs: 20_000 }
  })
  await allAnswer(world)
  // So that only health is asked from now on.
  await allRead(world)
  publish(world, good)
  const silent: ReadonlyArray<Misbehaviour> = [{ kind: "hang_connect" }, { kind: "hang" }, { kind: "slow_handshake" }]
  for (const [index, host] of bad.entries()) world.fleet.misbehave(host.address, silent[index % silent.length]!)
  await until(
    () => world.fleet.stats().open_connections,
    (open) => open === 0
  )
  world.fleet.resetStats()
  for (const host of bad) await refresh(world, host)
  await until(
    () => world.fleet.stats().open_connections,
    (open) => open >= 48,
    20_000
  )
  for (const host of bad.slice(0, 40)) await refresh(world, host)
  // Orders too come to hosts whose poll hangs: their calls have to wait for it.
  const hung = bad.filter((host) => world.fleet.seenBy(host.address).openConnections === 1).slice(-HUNG)
  const from = performance.now()
  const job = await world.apply(good)
  const waiting = await world.apply(hung)
  await row.assert("commands still start within 5 s", async () => {
    for (const host of good) {
      const post = await until(
        () => world.fleet.seenBy(host.address).journal.find(({ call }) => call === "POST /api/v1/patches/apply"),
        (found) => found !== undefined,
        10_000
      )
      expect(post!.at - from).toBeLessThan(5_000)
    }
  })
  await ended(world, job)
  await row.assert("Per-host limit 1", async () => {
    await until(
      () =>
        world.query<{ n: number }>(
          `select count(distinct host_id)::int as n from host_transitions
           where to_work = 'patching.preparing' and host_id = any($1::uuid[])`,
          [hung.map((host) => host.id)]
        ),
      (rows) => rows[0]?.n === HUNG,
      10_000
    )
    for (const host of bad) expect(world.fleet.seenBy(host.address).peakConnections).toBeLessThanOrEqual(1)
    // A host whose job is watched has its event socket beside the one call.
    for (const host of good) expect(world.fleet.seenBy(host.address).peakConnections).toBeLessThanOrEqual(2)
  })
  await row.assert("global limit", () => {
    expect(world.fleet.stats().peak_connections).toBeLessThanOrEqual(64 + good.length)
  })
  await row.assert("separate slots for polling and for commands", () => {
    const held = bad.reduce((sum, host) => sum + world.fleet.seenBy(host.address).openConnections, 0)
    expect(held).toBeLessThanOrEqual(48)
    expect(held).toBeGreaterThan(40)
  })
  world.fleet.misbehaveAll()
  await ended(world, waiting, 60_000)
}

const networked = /from "(node:(net|tls|https?|http2|dgram)|undici|ws)"/
const bounded = /setTimeout|deadline|timeout/i

export const f33: RowBody = async (row) => {
  const world = await row.world({ count: 5, profileMix: { "2.7": 1 }, timing: { jobMs: [200, 300] } })
  const [connecting, asking, half, watched, good] = world.hosts
  await startWorker(row, world, { tuning: { run_ms: 120_000 } })
  await allAnswer(world)
  world.fleet.misbehave(connecting!.address, { kind: "hang_connect" })
  world.fleet.misbehave(asking!.address, { kind: "hang" })
  world.fleet.misbehave(half!.address, { kind: "stall", path: "/patches" })
  publish(world, [watched!, good!])
  world.fleet.misbehave(watched!.address, { kind: "mute_socket" }, { kind: "hold", at: "before_change" })
  const job = await world.apply([watched!, good!])
  const closed = async (host: WorldHost, kind: string) => {
    await pollsAs(world, host, kind)
    await until(
      () => world.fleet.seenBy(host.address).openConnections,
      (open) => open === 0,
      10_000
    )
  }
  await row.assert("Deadline closes it", async () => {
    await closed(connecting!, "connect_timeout")
    await closed(asking!, "timed_out")
    await closed(half!, "timed_out")
  })
  await row.assert("no wait without a bound anywhere", async () => {
    // The event socket too: silent for half a minute, it is given up while its job is still watched.
    await until(
      () => world.fleet.seenBy(watched!.address).openConnections,
      (open) => open > 0,
      15_000
    )
    await until(
      () => world.fleet.seenBy(watched!.address).openConnections,
      (open) => open === 0,
      45_000
    )
    expect((await place(world, watched!)).work).toBe("patching.running")
    world.fleet.misbehave(watched!.address)
    world.fleet.release(watched!.address)
    expect((await ended(world, job)).map((result) => result.verdict)).toEqual(["done", "done"])
  })
  await row.assert("a lint rule forbids a network await without a timeout", () => {
    const root = join(import.meta.dirname, "../../..")
    const files = ["actors", "http/server", "deploy"].flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
        .filter((name) => name.endsWith(".ts"))
        .map((name) => join(root, folder, name))
    )
    const unbounded = files.filter((file) => {
      const text = readFileSync(file, "utf8")
      const opens =
        networked.test(text.replaceAll(/import type [^\n]+/g, "")) &&
        /\b(connect|request|new WebSocket|new Client|dial)\(/.test(text)
      return opens && !bounded.test(text)
    })
    expect(unbounded.map((file) => file.slice(root.length + 1))).toEqual(["actors/agent/dial.ts"])
    // Its two callers give the time limits.
    for (const caller of ["actors/agent/call.ts", "actors/agent/openJobEvents.ts"])
      expect(readFileSync(join(root, caller), "utf8")).toMatch(/dial\([\s\S]*setTimeout|setTimeout[\s\S]*dial\(/)
  })
  world.fleet.misbehaveAll()
}
