import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import type { HostEvent } from "#core/HostEvent.ts"
import { requestRemoval } from "#sql/HostStore.ts"
import { until } from "#test/fleet/makeTestFleet.ts"
import { makeWorld, type World, type WorldHost } from "#test/harness/World.ts"
import { type PlantedWorker, quickStep, startPlanted } from "./plantedWorker.ts"

/** The plant: this host's bad news is more than its machine can take. */
const isPlanted = (event: HostEvent): boolean => event.type === "poll.ok" && event.health === "degraded"

describe("a host whose machine has a defect", () => {
  let world: World
  let worker: PlantedWorker | undefined
  beforeAll(async () => {
    world = await makeWorld({ count: 6, seed: 21 })
  })
  afterEach(async () => {
    await worker?.stop()
    worker = undefined
  })
  afterAll(() => world.stop())

  const links = () =>
    world.query<{ id: string; link: string; version: number; parked: string | null }>(
      "select host_id as id, link, version::int, parked_reason as parked from host_snapshots"
    )
  const of = async (host: WorldHost) => (await links()).find((row) => row.id === host.id)!

  it(
    "is started anew alone and parked after five times with its reason, while the others are polled on time",
    { timeout: 60_000 },
    async () => {
      const [bad, ...good] = world.hosts
      world.fleet.misbehave(bad!.address, { kind: "degraded", reason: "gpg_missing" })
      const INTERVAL = 400
      let thrown = 0
      worker = await startPlanted(world, {
        settings: { healthIntervalMillis: INTERVAL },
        step: {
          ...quickStep,
          step: (snapshot, event) => {
            if (!isPlanted(event)) return quickStep.step(snapshot, event)
            thrown++
            throw new Error("planted defect")
          }
        }
      })
      const polls = () => world.query<{ id: string; seen: string }>("select id, last_seen_at::text as seen from hosts")
      const counts = new Map<string, Set<string>>()
      const started = Date.now()
      const parked = await until(
        async () => {
          for (const { id, seen } of await polls()) counts.set(id, (counts.get(id) ?? new Set()).add(seen))
          return of(bad!)
        },
        (row) => row.parked !== null,
        40_000
      )
      const took = Date.now() - started
      expect(parked.parked).toMatch(/planted defect/)
      expect(parked.version).toBe(0)
      expect(thrown).toBe(6)
      for (const host of good) {
        expect((await of(host)).link).toBe("healthy")
        // A poll each interval and a tenth, as far as this machine lets them; never a pause of the length of the restarts.
        expect(counts.get(host.id)!.size).toBeGreaterThan(took / (INTERVAL * 3))
      }
      expect(worker.ended()).toBeNull()
      // And it stays aside: what it would have failed on again does not come any more.
      await until(polls, (rows) => rows.filter((row) => !counts.get(row.id)!.has(row.seen)).length >= good.length)
      expect(thrown).toBe(6)
    }
  )

  it("whose stored state nobody can read is parked with its reason, and the worker runs on", async () => {
    const [, unreadable, mangled, ...good] = world.hosts
    await world.query("update host_snapshots set machine_version = 99 where host_id = $1", [unreadable!.id])
    await world.query(`update host_snapshots set value = '{"managed":{"link":"healthy"}}' where host_id = $1`, [
      mangled!.id
    ])
    worker = await startPlanted(world)
    expect((await of(unreadable!)).parked).toMatch(/version 99 cannot be read.*reads version 1/)
    expect((await of(mangled!)).parked).toMatch(/cannot be read/)
    const before = new Map((await links()).map((row) => [row.id, row.version]))
    const watched = good.at(-1)!
    world.fleet.misbehave(watched.address, { kind: "degraded", reason: "repo_sync_failed" })
    await world.query("update hosts set version = version + 1 where id = $1", [watched.id])
    await world.query(
      `insert into host_requests (id, host_id, event) values (gen_random_uuid(), $1, '{"type":"refresh","by":"test"}')`,
      [watched.id]
    )
    await world.query(`select pg_notify('worker', 'host_requested')`)
    await until(
      () => of(watched),
      (row) => row.link === "degraded" && row.version > before.get(watched.id)!
    )
    expect((await of(unreadable!)).version).toBe(before.get(unreadable!.id))
    expect(worker.ended()).toBeNull()
  })
})

describe("what people ask of a host that has no actor just now", () => {
  let world: World
  let worker: PlantedWorker | undefined
  beforeAll(async () => {
    world = await makeWorld({ count: 3, seed: 23 })
  })
  afterEach(async () => {
    await worker?.stop()
    worker = undefined
  })
  afterAll(() => world.stop())

  const removed = async (host: WorldHost) =>
    (
      await world.query<{ gone: boolean }>("select removed_at is not null as gone from hosts where id = $1", [host.id])
    )[0]!.gone

  /** Its actor fails so often that the next start is more than a second away when this answers. */
  const startWithAHostThatRestarts = async (host: WorldHost) => {
    let thrown = 0
    world.fleet.misbehave(host.address, { kind: "degraded", reason: "gpg_missing" })
    worker = await startPlanted(world, {
      step: {
        ...quickStep,
        step: (snapshot, event) => {
          if (isPlanted(event) && thrown++ < 4) throw new Error("planted defect")
          return quickStep.step(snapshot, event)
        }
      }
    })
    await until(
      () => thrown,
      (times) => times === 4,
      15_000
    )
  }

  it("is done once its actor is back", async () => {
    const [host] = world.hosts
    await startWithAHostThatRestarts(host!)
    await world.run(requestRemoval(world.caller, host!.id, false))
    await until(
      () => removed(host!),
      (gone) => gone,
      10_000
    )
  })

  it("is not called the end of the host: its order waits and is done", async () => {
    const [, host] = world.hosts
    world.fleet.publish(host!.address)
    await startWithAHostThatRestarts(host!)
    const job = await world.apply([host!])
    const [state] = await until(
      () =>
        world.query<{ state: string; outcome: unknown }>(
          "select state, outcome from patch_job_hosts where job_id = $1 and ended",
          [job]
        ),
      (rows) => rows.length > 0,
      15_000
    )
    expect(state).toMatchObject({ state: "succeeded" })
  })

  it("to be removed is done even where the host is parked, as its reason advises", async () => {
    const [, , host] = world.hosts
    await world.query("update host_snapshots set machine_version = 99 where host_id = $1", [host!.id])
    worker = await startPlanted(world)
    await world.run(requestRemoval(world.caller, host!.id, true))
    await until(
      () => removed(host!),
      (gone) => gone,
      8_000
    )
  })
})

describe("a worker that another one took over from", () => {
  let world: World
  beforeAll(async () => {
    world = await makeWorld({ count: 4, seed: 22 })
  })
  afterAll(() => world.stop())

  it("stops at its next commit and writes nothing more", async () => {
    const worker = await startPlanted(world, { settings: { healthIntervalMillis: 300 } })
    await until(
      () => world.query<{ link: string }>("select link from host_snapshots"),
      (rows) => rows.every((row) => row.link === "healthy"),
      15_000
    )
    await world.query("update worker_lease set epoch = epoch + 1, holder = 'the other'")
    const image = () =>
      world.query(
        `select host_id, version, (select count(*)::int from host_transitions t where t.host_id = s.host_id) as rows
         from host_snapshots s order by host_id`
      )
    const before = await image()
    for (const host of world.hosts) world.fleet.misbehave(host.address, { kind: "degraded", reason: "cache_failed" })
    expect(await until(worker.ended, (ended) => ended !== null, 10_000)).toMatch(/Fenced|Another worker took over/)
    expect(await image()).toEqual(before)
    const sessions = await world.query(
      "select 1 from pg_stat_activity where datname = current_database() and application_name = 'patch-manager worker'"
    )
    expect(sessions).toEqual([])
  })
})
