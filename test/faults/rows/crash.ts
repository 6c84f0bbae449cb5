/** Rows about a worker that dies, freezes or is doubled. */
import { join } from "node:path"
import { expect } from "vitest"
import type { FailpointName } from "#actors/hosts/Failpoint.ts"
import type { JobId } from "#core/Ids.ts"
import { Schema } from "effect"
import { HostEvent } from "#core/HostEvent.ts"
import type { HostSummary, LinkState, WorkState } from "#core/HostState.ts"
import { commitHosts } from "#sql/HostCommit.ts"
import { listTransitions } from "#sql/HostTimeline.ts"
import { renewLease } from "#sql/WorkerStore.ts"
import { until } from "#test/fleet/makeTestFleet.ts"
import { startNotifySocket } from "#test/harness/notifySocket.ts"
import type { WorkerProcessStart } from "#test/harness/spawnWorker.ts"
import type { World, WorldHost } from "#test/harness/World.ts"
import type { Row, RowBody } from "../row.ts"

/** Seconds within which the standby or the restarted worker has taken over. */
const TAKEOVER_MS = 20_000

export const changesOf = (world: World, host: WorldHost) =>
  world.fleet.readLedger(host.address).filter((entry) => entry.operation !== "reboot")

export const callsOf = (world: World, host: WorldHost, call: string): number =>
  world.fleet.view(host.address).calls[call] ?? 0

export const APPLY = "POST /api/v1/patches/apply"
const LIST = "GET /api/v1/jobs"

export const endOf = (world: World, job: JobId, ms = 30_000) =>
  until(
    () => world.query<{ state: string; ended: boolean }>("select state, finished_at is not null as ended from patch_jobs where id = $1", [job]),
    (rows) => rows[0]?.ended === true,
    ms
  ).then((rows) => rows[0]!.state)

export const verdictOf = async (world: World, job: JobId, host: WorldHost): Promise<string | null> => {
  const [row] = await world.query<{ verdict: string | null }>(
    "select outcome->>'verdict' as verdict from patch_job_hosts where job_id = $1 and host_id = $2",
    [job, host.id]
  )
  return row?.verdict ?? null
}

export const epochOf = async (world: World): Promise<number> =>
  (await world.query<{ epoch: number }>("select epoch::int from worker_lease where name = 'worker'"))[0]!.epoch

const eventsOf = (world: World, host: WorldHost) =>
  world.query<{ event_type: string; to_work: string }>(
    "select event_type, to_work from host_transitions where host_id = $1 order by version",
    [host.id]
  )

/** A host with something to patch, the job for it, a worker that dies at the failpoint, and a standby that takes over. */
const dieAt = async (row: Row, failpoint: FailpointName) => {
  const world = await row.world({ count: 2 })
  const [host, other] = world.hosts as [WorldHost, WorldHost]
  world.fleet.publish(host.address)
  const first = await row.worker(world, { failpoint })
  const epoch = await epochOf(world)
  const second = row.standby(world)
  const job = await world.apply([host])
  await row.assert(`the worker dies by SIGKILL at ${failpoint}`, async () => expect(await first.gone).toBe("SIGKILL"))
  const at = Date.now()
  await row.assert("another worker takes over within 20 s with epoch+1", async () => {
    await until(
      () => epochOf(world),
      (now) => now > epoch,
      TAKEOVER_MS
    )
    expect(await epochOf(world)).toBe(epoch + 1)
    await second.ready
    expect(Date.now() - at).toBeLessThan(TAKEOVER_MS)
  })
  return { world, host, other, job, second }
}

const appliedOnce = async (row: Row, world: World, host: WorldHost, job: JobId) => {
  await row.assert("the job ends as succeeded, by evidence", async () => {
    expect(await endOf(world, job)).toBe("succeeded")
    expect(await verdictOf(world, job, host)).toBe("done")
  })
  await row.assert("ledger 1", () => expect(changesOf(world, host)).toHaveLength(1))
}

export const killedBeforeIntent: RowBody = async (row) => {
  const { world, host, job } = await dieAt(row, "order_taken")
  await row.assert("no intent had been written by the first worker", async () => {
    const intents = await world.query("select id from host_intents where opened_at < (select taken_at from worker_lease)")
    expect(intents).toEqual([])
  })
  await appliedOnce(row, world, host, job)
  await row.assert("the call was made once", () => expect(callsOf(world, host, APPLY)).toBe(1))
  await row.assert("attempt history shows two owners", async () => {
    const owners = await world.query<{ worker_id: string }>("select worker_id from worker_heartbeat")
    expect(owners).toHaveLength(2)
    expect((await eventsOf(world, host)).map((event) => event.event_type)).toContain("resumed")
  })
}

export const killedAfterIntent: RowBody = async (row) => {
  const { world, host, job } = await dieAt(row, "intent_committed")
  await row.assert("on takeover the agent's job list is asked before anything is sent", async () => {
    await until(
      () => eventsOf(world, host),
      (events) => events.some((event) => event.to_work.startsWith("settling")),
      TAKEOVER_MS
    )
    await until(
      () => callsOf(world, host, LIST),
      (calls) => calls > 0
    )
  })
  await appliedOnce(row, world, host, job)
  await row.assert("not known and inventory unchanged: sent once", async () => {
    expect(callsOf(world, host, APPLY)).toBe(1)
    const intents = await world.query<{ verdict: string }>(
      "select verdict from host_intents where host_id = $1 order by id",
      [host.id]
    )
    expect(intents.map((intent) => intent.verdict)).toEqual(["no_effect", "ran"])
  })
}

export const killedAfterAcceptance: RowBody = async (row) => {
  const { world, host, job } = await dieAt(row, "call_answered")
  await row.assert("the takeover finds the intent without a job id, asks the job list, and adopts the job", async () => {
    const events = await until(
      () => eventsOf(world, host),
      (all) => all.some((event) => event.event_type === "jobs") || all.some((event) => event.event_type === "evidence"),
      TAKEOVER_MS
    )
    expect(events.map((event) => event.event_type)).toContain("resumed")
  })
  await appliedOnce(row, world, host, job)
  await row.assert("nothing is sent a second time", () => expect(callsOf(world, host, APPLY)).toBe(1))
  await row.assert("the intent is closed as ran", async () => {
    const intents = await world.query<{ verdict: string }>("select verdict from host_intents where host_id = $1", [host.id])
    expect(intents).toEqual([{ verdict: "ran" }])
  })
  await row.assert("the operator sees that it was resumed after a restart", async () => {
    const timeline = await world.run(listTransitions(world.caller.principal, host.id, undefined))
    expect(timeline.items.map((step) => step.words).join("\n")).toContain("The manager was restarted and took up where it was")
  })
}

/** Three leases of fifteen seconds. */
const FROZEN_MS = 45_000

export const frozenWorker: RowBody = async (row) => {
  const world = await row.world({ count: 2 })
  const [host, other] = world.hosts as [WorldHost, WorldHost]
  for (const { address } of world.hosts) world.fleet.publish(address)
  world.fleet.misbehave(host.address, { kind: "hold", at: "before_change", times: 1 })
  // It wakes up with one host's run to watch and the other one's order just about to be sent.
  const first = await row.worker(world, { failpoint: { at: "intent_committed", host: other.id, how: { sleep_ms: 4_000 } } })
  const epoch = await epochOf(world)
  const second = row.standby(world)
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
    const ended = await Promise.race([first.gone, new Promise<string>((resolve) => setTimeout(resolve, 15_000, "alive"))])
    expect(ended).not.toBe("alive")
    expect(ended).not.toBe("0")
  })
  await row.assert("it logs that it lost the lease", () =>
    expect(first.log.map((line) => `${line.message} ${line.error ?? ""}`).join("\n")).toMatch(/Another worker took over/)
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

const countOf = async (world: World, text: string): Promise<number> =>
  (await world.query<{ count: number }>(`select count(*)::int as count from ${text}`))[0]!.count

export const killedAroundCommit: RowBody = async (row) => {
  const world = await row.world({ count: 3 })
  const web = await row.web(world)
  const browser = await row.browser(world, web)
  const fed = "change_feed where topic = 'host' and version is not null and version > 0"
  const before = row.standby(world, { failpoint: "commit_pending" })
  await row.assert("killed before the commit: neither the snapshot nor the hint", async () => {
    expect(await before.gone).toBe("SIGKILL")
    expect(await countOf(world, "host_transitions")).toBe(0)
    expect(await countOf(world, "host_snapshots where version > 0")).toBe(0)
    expect(await countOf(world, fed)).toBe(0)
  })
  const after = row.standby(world, { failpoint: "commit_written" })
  await row.assert("killed after the commit: both", async () => {
    expect(await after.gone).toBe("SIGKILL")
    const written = await countOf(world, "host_transitions")
    expect(written).toBeGreaterThan(0)
    expect(await countOf(world, fed)).toBe(written)
    const [sum] = await world.query<{ versions: number }>("select sum(version)::int as versions from host_snapshots")
    expect(sum?.versions).toBe(written)
  })
  await row.assert("the interface catches up within 5 s, with no worker running", () =>
    until(
      () => world.query<{ id: string; version: number }>("select host_id as id, version::int from host_snapshots"),
      (rows) => rows.every(({ id, version }) => browser.hosts.get(id)?.state_version === version),
      5_000
    )
  )
  await row.worker(world)
  await row.assert("a restarted worker goes on from there", () =>
    until(
      () => world.query<{ link: string }>("select link from host_snapshots"),
      (rows) => rows.every(({ link }) => link === "healthy"),
      10_000
    )
  )
}

export const killedBeforeResult: RowBody = async (row) => {
  const { world, host, job } = await dieAt(row, "result_received")
  await row.assert("the result is fetched again from the agent", async () => {
    await until(
      () => eventsOf(world, host),
      (events) => events.some((event) => event.event_type === "job"),
      TAKEOVER_MS
    )
  })
  await appliedOnce(row, world, host, job)
  await row.assert("one result", async () => {
    expect(await countOf(world, "patch_job_hosts where ended and outcome is not null")).toBe(1)
    const ends = await world.query<{ to_work: string }>(
      "select to_work from host_transitions where host_id = $1 and from_work <> 'idle' and to_work = 'idle'",
      [host.id]
    )
    expect(ends).toHaveLength(1)
  })
  await row.assert("one audit row", async () =>
    expect(await countOf(world, `audit_log where object_type = 'job' and object_id = '${job}'`)).toBe(1)
  )
  row.missing("one mail", "no mails are sent yet")
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
  const second = row.standby(world)
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
      const applied = changesOf(world, host).flatMap((entry) => entry.packages.map((change) => `${change.name} ${change.to}`))
      expect(new Set(applied).size).toBe(applied.length)
    }
  })
  await second.ready
  row.missing("over 10,000 jobs", `${HOSTS * JOBS} host shares in ${JOBS} jobs here; the load and random runs carry more`)
}

/** Sends the host's last transition a second time, computed from the version before it, under the lease that is held. */
const commitStale = async (world: World, unguarded: boolean) => {
  const [host] = world.hosts as [WorldHost]
  const [last] = await world.query<{ event: unknown; version: number; link: LinkState; work: WorkState; summary: HostSummary; value: unknown; context: unknown; machine_version: number }>(
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
  const second = row.standby(world)
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
  const second = row.standby(world)
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
