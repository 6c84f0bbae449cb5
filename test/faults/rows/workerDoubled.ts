/** Rows about a worker that is not alone: F04, F07, F08. */
import { expect } from "vitest"
import type { JobId } from "#core/Ids.ts"
import { Schema } from "effect"
import { HostEvent } from "#core/HostEvent.ts"
import type { HostSummary, LinkState, WorkState } from "#core/HostState.ts"
import { commitHosts } from "#sql/HostCommit.ts"
import { renewLease } from "#sql/WorkerStore.ts"
import { until } from "#test/fleet/makeTestFleet.ts"
import type { World, WorldHost } from "#test/harness/World.ts"
import type { RowBody } from "../row.ts"
import {
  APPLY,
  TAKEOVER_MS,
  callsOf,
  changesOf,
  countOf,
  endOf,
  epochOf,
  standingBy,
  verdictOf
} from "./workerSteps.ts"

/** Three leases of fifteen seconds. */
const FROZEN_MS = 45_000

export const frozenWorker: RowBody = async (row) => {
  const world = await row.world({ count: 2 })
  const [host, other] = world.hosts as [WorldHost, WorldHost]
  for (const { address } of world.hosts) world.fleet.publish(address)
  world.fleet.misbehave(host.address, { kind: "hold", at: "before_change", times: 1 })
  // It wakes up with one host's run to watch and the other one's order just about to be sent.
  const first = await row.worker(world, {
    failpoint: { at: "intent_committed", host: other.id, how: { sleep_ms: 4_000 } }
  })
  const epoch = await epochOf(world)
  const second = await standingBy(row, world)
  const job = await world.apply([host, other])
  await until(
    () => world.query<{ action: string }>("select action from host_intents where verdict is null"),
    (rows) => rows.length === 2 && world.fleet.view(host.address).holding,
    15_000
  )
  process.kill(first.child.pid!, "SIGSTOP")
  row.after(() => first.kill())
  const at = Date.now()
  const holder = async () => (await world.query<{ holder: string }>("select holder from worker_lease"))[0]!.holder
  const frozen = await holder()
  await row.assert("the standby takes over from the frozen worker within 20 s", async () => {
    await until(holder, (now) => now !== frozen, TAKEOVER_MS)
    await second.ready
  })
  world.fleet.release(host.address)
  await row.assert("the newer attempt finishes both hosts", async () => {
    expect(await endOf(world, job)).toBe("succeeded")
    for (const one of world.hosts) expect(await verdictOf(world, job, one)).toBe("done")
  })
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, at + FROZEN_MS - Date.now())))
  const history = () =>
    world.query<{ host_id: string; version: string; at: Date; event_type: string }>(
      "select host_id, version, at, event_type from host_transitions order by host_id, version"
    )
  const [before, calls] = [await history(), world.hosts.map((one) => callsOf(world, one, APPLY))]
  process.kill(first.child.pid!, "SIGCONT")
  await row.assert("awake again after three leases it drops its work and ends", async () => {
    const ended = await Promise.race([
      first.gone,
      new Promise<string>((resolve) => setTimeout(resolve, 15_000, "alive"))
    ])
    expect(ended).not.toBe("alive")
    expect(ended).not.toBe("0")
  })
  await row.assert("it logs that it lost the lease", () =>
    expect(first.log.map((line) => `${line.message} ${line.error ?? ""}`).join("\n")).toMatch(
      /Another worker took over/
    )
  )
  await row.assert("it sends nothing more", () =>
    expect(world.hosts.map((one) => callsOf(world, one, APPLY))).toEqual(calls)
  )
  await row.assert("its writes affect 0 rows: the newer attempt's state is untouched", async () => {
    expect((await history()).slice(0, before.length)).toEqual(before)
    expect(await epochOf(world)).toBe(epoch + 1)
    const late = await world.query<{ host_id: string }>(
      "select host_id from host_transitions where at > to_timestamp($1) and event_type not like 'poll.%'",
      [(at + FROZEN_MS) / 1000]
    )
    expect(late).toEqual([])
  })
  await row.assert("ledger 1 on each host", () => {
    for (const one of world.hosts) expect(changesOf(world, one)).toHaveLength(1)
  })
}

const workersShown = async (web: { readonly call: <A>(method: string, path: string) => Promise<A> }) =>
  (await web.call<{ worker: { workers: ReadonlyArray<{ id: string; role: string }> } }>("GET", "/api/v1/status/fleet"))
    .worker.workers

export const twoWorkers: RowBody = async (row) => {
  const HOSTS = 40
  const JOBS = 10
  const world = await row.world({ count: HOSTS, profileMix: { "2.7": 1 }, timing: { jobMs: [20, 60] } })
  const web = await row.web(world)
  const first = await row.worker(world)
  const second = await standingBy(row, world)
  await row.assert("a banner names both workers", async () => {
    const shown = await until(
      () => workersShown(web),
      (workers) => workers.length === 2,
      TAKEOVER_MS
    )
    expect(shown.map((worker) => worker.role).toSorted()).toEqual(["active", "standby"])
    expect(new Set(shown.map((worker) => worker.id)).size).toBe(2)
  })
  await row.assert("the database itself refuses a second open job of a host", async () => {
    const [probe] = world.hosts
    const jobs = [await world.apply([probe!]), await world.apply([probe!])]
    for (const job of jobs) await endOf(world, job)
    await expect(
      world.query("update patch_job_hosts set state = 'running', ended = false where job_id = any($1::uuid[])", [jobs])
    ).rejects.toThrow(/one_open_job_per_host/)
  })
  const jobs: Array<JobId> = []
  for (let n = 0; n < JOBS; n++) {
    for (const host of world.hosts) if (row.random() < 0.5) world.fleet.publish(host.address)
    jobs.push(await world.apply(world.hosts))
  }
  const ended = () => countOf(world, "patch_job_hosts where ended")
  await until(ended, (count) => count > (HOSTS * JOBS) / 4, 60_000)
  const epoch = await epochOf(world)
  await first.kill()
  await row.assert("stopping either loses nothing: every host of every job ends, none lost, none failed", async () => {
    await until(
      () => epochOf(world),
      (now) => now === epoch + 1,
      TAKEOVER_MS
    )
    for (const job of jobs) expect(await endOf(world, job, 120_000)).toBe("succeeded")
  })
  await row.assert("no host is served twice: by the ledger no change was applied twice", () => {
    for (const host of world.hosts) {
      const applied = changesOf(world, host).flatMap((entry) =>
        entry.packages.map((change) => `${change.name} ${change.to}`)
      )
      expect(new Set(applied).size).toBe(applied.length)
    }
  })
  await second.ready
  row.missing(
    "over 10,000 jobs",
    `${HOSTS * JOBS} host shares in ${JOBS} jobs here; the load and random runs carry more`
  )
}

/** Sends the host's last transition a second time, computed from the version before it, under the lease that is held. */
const commitStale = async (world: World, unguarded: boolean) => {
  const [host] = world.hosts as [WorldHost]
  const [last] = await world.query<{
    event: unknown
    version: number
    link: LinkState
    work: WorkState
    summary: HostSummary
    value: unknown
    context: unknown
    machine_version: number
  }>(
    `select t.event, s.version::int, s.link, s.work, s.summary, s.value, s.context, s.machine_version
     from host_snapshots s join host_transitions t using (host_id, version) where s.host_id = $1`,
    [host.id]
  )
  const { event, version, link, work, summary, value, context, machine_version } = last!
  const results = await world.run(
    commitHosts(
      await epochOf(world),
      [
        {
          hostId: host.id,
          machineVersion: machine_version,
          was: version - 1,
          from: { link, work },
          to: { link, work, summary },
          value,
          context,
          event: Schema.decodeUnknownSync(HostEvent)(event),
          orderId: null,
          claim: null,
          timersSet: [],
          timersCancelled: [],
          intentsOpened: [],
          intentsClosed: [],
          jobHost: null
        }
      ],
      !unguarded
    )
  )
  return results.get(host.id)
}

export const clonedWorker: RowBody = async (row) => {
  const world = await row.world({ count: 1 })
  const web = await row.web(world)
  const first = await row.worker(world)
  const held = await world.query<{ holder: string; epoch: number }>("select holder, epoch::int from worker_lease")
  const clone = row.standby(world)
  const shown = () =>
    until(
      () => workersShown(web),
      (workers) => workers.length === 2,
      TAKEOVER_MS
    )
  await row.assert("the instance id is random per start: two starts on one machine differ", async () => {
    const ids = (await shown()).map((worker) => worker.id)
    expect(new Set(ids).size).toBe(2)
    for (const id of ids) expect(id).toMatch(/\/[0-9a-f]{8,}$/)
  })
  await row.assert("the database refuses a second holder of one lease", async () => {
    expect(await world.query("select holder, epoch::int from worker_lease")).toEqual(held)
    const locks = await world.query<{ count: number }>(
      `select count(*)::int as count from pg_locks where locktype = 'advisory' and granted
         and database = (select oid from pg_database where datname = current_database()) and objid = 7202612::oid`
    )
    expect(locks[0]?.count).toBe(1)
    const stale = await world.run(renewLease(held[0]!.epoch - 1))
    expect(stale).toBe(false)
  })
  await row.assert("a write computed from an older state of the host is refused, whoever sends it", async () => {
    await until(
      () => countOf(world, "host_snapshots where version > 0"),
      (count) => count === 1
    )
    const committed = await commitStale(world, row.guardsOff.includes("compare_and_set"))
    expect(committed).toBe("stale")
  })
  await row.assert("alarm: the operator is shown both", async () => {
    expect((await shown()).map((worker) => worker.role).toSorted()).toEqual(["active", "standby"])
    expect(clone.log.map((line) => line.message).join("\n")).toMatch(/stands by/)
  })
  expect(first.child.exitCode).toBeNull()
}
