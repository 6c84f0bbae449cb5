/** Rows about a worker that ends, or should: F09 to F13. */
import { join } from "node:path"
import { expect } from "vitest"
import { until } from "#test/fleet/makeTestFleet.ts"
import { startNotifySocket } from "#test/harness/notifySocket.ts"
import type { WorkerProcessStart } from "#test/harness/spawnWorker.ts"
import type { World, WorldHost } from "#test/harness/World.ts"
import type { Row, RowBody } from "../row.ts"
import {
  APPLY,
  TAKEOVER_MS,
  appliedOnce,
  callsOf,
  changesOf,
  countOf,
  endOf,
  epochOf,
  standingBy,
  verdictOf
} from "./workerSteps.ts"

export const orderlyStop: RowBody = async (row) => {
  const HOSTS = 50
  const world = await row.world({ count: HOSTS + 1, profileMix: { "2.7": 1 }, timing: { jobMs: [2_000, 4_000] } })
  const late = world.hosts.at(-1)!
  const hosts = world.hosts.slice(0, HOSTS)
  for (const { address } of world.hosts) world.fleet.publish(address)
  const first = await row.worker(world)
  const job = await world.apply(hosts)
  await until(
    () => countOf(world, "patch_job_hosts where state = 'running'"),
    (count) => count === HOSTS,
    30_000
  )
  const at = Date.now()
  first.child.kill("SIGTERM")
  const next = await world.apply([late])
  await row.assert("exit 0 within 25 s, before the unit's stop timeout", async () => {
    expect(await first.gone).toBe("0")
    expect(Date.now() - at).toBeLessThan(25_000)
  })
  await row.assert("no new claims after SIGTERM", async () =>
    expect(await countOf(world, `patch_job_hosts where job_id = '${next}' and state in ('queued', 'waiting')`)).toBe(1)
  )
  await row.assert("no error is logged by stopping", () =>
    expect(first.log.filter((line) => line.level === "error").map((line) => line.message)).toEqual([])
  )
  await row.worker(world)
  await row.assert("the rest is handed back with its intents: the next worker finishes all of it", async () => {
    expect(await endOf(world, job, 60_000)).toBe("succeeded")
    expect(await endOf(world, next, 60_000)).toBe("succeeded")
  })
  await row.assert("0 duplicates", () => {
    for (const host of world.hosts) expect(changesOf(world, host)).toHaveLength(1)
    for (const host of world.hosts) expect(callsOf(world, host, APPLY)).toBe(1)
  })
}

export const blockedLoop: RowBody = async (row) => {
  const world = await row.world({ count: 1 })
  const [host] = world.hosts as [WorldHost]
  world.fleet.publish(host.address)
  const socket = await startNotifySocket(join(world.secretsDir, "notify"))
  row.after(socket.stop)
  const BLOCK_MS = 40_000
  const first = await row.worker(world, {
    failpoint: { at: "call_answered", how: { block_ms: BLOCK_MS } },
    env: { NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: "4000000" }
  })
  const pings = () => socket.heard.filter(({ text }) => text === "WATCHDOG=1")
  await row.assert("READY=1 once it is ready, then watchdog pings", async () => {
    await until(
      () => pings().length,
      (count) => count >= 2,
      10_000
    )
    expect(socket.heard[0]?.text).toBe("READY=1")
  })
  const epoch = await epochOf(world)
  const second = await standingBy(row, world)
  const job = await world.apply([host])
  await until(
    () => callsOf(world, host, APPLY),
    (calls) => calls === 1,
    10_000
  )
  const at = Date.now()
  await row.assert("the lease moves within 20 s", () =>
    until(
      () => epochOf(world),
      (now) => now === epoch + 1,
      TAKEOVER_MS
    )
  )
  await row.assert("while the loop stands still, silence", async () => {
    await second.ready
    expect(pings().filter((ping) => ping.at > at + 2_000 && ping.at < at + BLOCK_MS - 5_000)).toEqual([])
  })
  await appliedOnce(row, world, host, job)
  await row.assert("the blocked worker ends when it moves again; 0 duplicates", async () => {
    await Promise.race([
      first.gone,
      new Promise((_, reject) => setTimeout(reject, BLOCK_MS + 15_000, new Error("It still runs")))
    ])
    expect(callsOf(world, host, APPLY)).toBe(1)
  })
}

/** Starts workers one after the other, as a supervisor would, until one stays; answers how many died. */
const diesUntilItStays = async (
  row: Row,
  world: World,
  start: WorkerProcessStart,
  deaths: number,
  enough: () => Promise<boolean>
): Promise<number> => {
  for (let died = 0; ; died++) {
    if (died > deaths) throw new Error(`The worker died ${died} times and is not left alone`)
    const worker = row.standby(world, start)
    const outcome = await Promise.race([
      worker.gone,
      (async () => {
        for (;;) {
          if (await enough()) return "stays"
          await new Promise((resolve) => setTimeout(resolve, 100))
        }
      })()
    ])
    if (outcome === "stays") return died
  }
}

const poisonedBy = (start: (host: WorldHost) => WorkerProcessStart): RowBody => {
  return async (row) => {
    const world = await row.world({ count: 3 })
    const [host, ...others] = world.hosts as [WorldHost, ...Array<WorldHost>]
    for (const { address } of world.hosts) world.fleet.publish(address)
    const job = await world.apply(world.hosts)
    const share = async () =>
      (
        await world.query<{ state: string; ended: boolean; message: string | null; verdict: string | null }>(
          "select state, ended, outcome->>'message' as message, outcome->>'verdict' as verdict from patch_job_hosts where job_id = $1 and host_id = $2",
          [job, host.id]
        )
      )[0]!
    let died = 0
    await row.assert("after three lost leases the worker stays up", async () => {
      died = await diesUntilItStays(row, world, start(host), 3, async () => {
        const ended = await world.query<{ ended: boolean }>(
          "select finished_at is not null as ended from patch_jobs where id = $1",
          [job]
        )
        return ended[0]?.ended === true
      })
      expect(died).toBeLessThanOrEqual(3)
    })
    await row.assert("the job is parked as failed, and says that it is poison", async () => {
      const parked = await share()
      expect(parked).toMatchObject({ state: "failed", ended: true })
      expect(parked.message).toMatch(/worker (died|ended|was lost)|poison|killed the worker/i)
    })
    await row.assert("the others go on", async () => {
      for (const other of others) expect(await verdictOf(world, job, other)).toBe("done")
    })
    await row.assert("ledger at most 1 on the host that did it, 1 on the others", () => {
      expect(changesOf(world, host).length).toBeLessThanOrEqual(1)
      for (const other of others) expect(changesOf(world, other)).toHaveLength(1)
    })
  }
}

/** One host's order ends the process each time. */
export const poisonJob: RowBody = poisonedBy((host) => ({
  failpoint: { at: "intent_committed", host: host.id, how: "kill" }
}))

export const rejectedPromise: RowBody = async (row) => {
  const world = await row.world({ count: 1 })
  const [host] = world.hosts as [WorldHost]
  world.fleet.publish(host.address)
  const first = await row.worker(world, { failpoint: { at: "intent_committed", how: "reject" } })
  const job = await world.apply([host])
  await row.assert("the process exits non-zero", async () => expect(await first.gone).toBe("1"))
  await row.assert("one line with a cause is logged", () => {
    const lines = first.log.filter((line) => line.level === "error")
    expect(lines).toHaveLength(1)
    expect(JSON.stringify(lines[0])).toContain("planted at intent_committed")
  })
  await row.worker(world)
  await row.assert("a restarted worker finds no half-written state and finishes", async () => {
    expect(await endOf(world, job)).toBe("succeeded")
    expect(changesOf(world, host)).toHaveLength(1)
  })
}

export const outOfMemory: RowBody = async (row) => {
  const start = (host: WorldHost): WorkerProcessStart => ({
    failpoint: { at: "intent_committed", host: host.id, how: "exhaust" },
    execArgv: ["--max-old-space-size=160"]
  })
  const world = await row.world({ count: 1 })
  const [host] = world.hosts as [WorldHost]
  world.fleet.publish(host.address)
  const first = await row.worker(world, start(host))
  const epoch = await epochOf(world)
  const second = await standingBy(row, world)
  const job = await world.apply([host])
  await row.assert("the process dies of its heap limit", async () => {
    expect(await first.gone).toMatch(/SIGABRT|SIGKILL|134/)
    expect(first.said()).toMatch(/heap out of memory|heap limit/i)
  })
  await row.assert("another worker takes over within 20 s with epoch+1", async () => {
    await until(
      () => epochOf(world),
      (now) => now === epoch + 1,
      TAKEOVER_MS
    )
    await second.ready
  })
  await appliedOnce(row, world, host, job)
  await second.kill()
  world.fleet.publish(host.address)
  const again = await world.apply([host])
  await row.assert("an input that does it each time is parked, by name", async () => {
    await diesUntilItStays(row, world, start(host), 3, async () => {
      const ended = await world.query<{ ended: boolean }>(
        "select finished_at is not null as ended from patch_jobs where id = $1",
        [again]
      )
      return ended[0]?.ended === true
    })
    const [parked] = await world.query<{ state: string; message: string }>(
      "select state, outcome->>'message' as message from patch_job_hosts where job_id = $1",
      [again]
    )
    expect(parked).toMatchObject({ state: "failed", message: expect.stringMatching(/worker/i) })
  })
}
