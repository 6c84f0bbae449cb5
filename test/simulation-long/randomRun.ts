/**
 * One installation under everything at once, all of it chosen by one seed: 300 jobs over 200 hosts while the worker is killed,
 * the database restarts, answers get lost, agents forget, fail and reboot, and people pause and cancel. Then a quiet minute.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, ManagedRuntime } from "effect"
import { SqlClient } from "effect/sql"
import { type RunningPostgres, startPostgres } from "#deploy/postgres/startPostgres.ts"
import type { HostId, JobId } from "#core/Ids.ts"
import { appendAudit, originOf } from "#sql/AuditStore.ts"
import { layer as databaseLayer } from "#sql/Database.ts"
import { insertJob, type JobOrder, makeJobOrder } from "#sql/insertJob.ts"
import { requestDecision } from "#sql/HostStore.ts"
import { migrate } from "#sql/migrate.ts"
import { pauseJob, requestCancel, resumeJob } from "#sql/JobStore.ts"
import type { Misbehaviour } from "#test/fleet/Misbehaviour.ts"
import { spawnWorker, type WorkerProcess } from "#test/harness/spawnWorker.ts"
import { makeWorld, type World, type WorldHost } from "#test/harness/World.ts"
import { chanceOf } from "#test/machines/simulation/Scheduler.ts"
import { endWithUs } from "#test/setup/TestPostgres.ts"
import { checkInvariants } from "#test/faults/invariants.ts"

export interface RandomRunOptions {
  readonly seed: number
  readonly jobs: number
  readonly hosts: number
  /** How long jobs keep coming and things keep breaking. */
  readonly seconds: number
  /** How long nothing breaks any more before everything has to be over. */
  readonly quiet_seconds: number
}

export interface RandomRunReport {
  readonly kills: number
  readonly restarts: number
  readonly reboots: number
  readonly misbehaviours: number
  readonly settled_by_hand: number
  readonly applied: number
  readonly states: Readonly<Record<string, number>>
  readonly seconds: number
  /** Everything that must be empty. */
  readonly twice: ReadonlyArray<string>
  readonly lost: ReadonlyArray<string>
  readonly late: ReadonlyArray<string>
  readonly invariants: ReadonlyArray<string>
}

/** So often the manager is asked to find out by itself. */
const ASKS = 2

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Generous enough for a machine that does other things too, and few polls, which each restart of the worker repeats. */
const patience = {
  client: { connectMs: 5_000, healthMs: 5_000, readMs: 5_000, listMs: 8_000, commandMs: 4_000 },
  settings: { pollers: 8, startPollsPerSecond: 15, retryMillis: [500, 1_000, 2_000] },
  tuning: { call_ms: 15_000, backoff_ms: [500, 2_000, 5_000] as const }
}

/** A boot a second after another one proves nothing, so hosts either reboot by themselves or are told to, once. */
const unasked: ReadonlyArray<Misbehaviour> = [
  { kind: "reboot_mid_run", at: "before_change", times: 1 },
  { kind: "reboot_mid_run", at: "after_change", times: 1 }
]

const misbehaviours: ReadonlyArray<Misbehaviour> = [
  { kind: "lost_answer", method: "POST", path: "/patches/apply", times: 1 },
  { kind: "lost_request", method: "POST", path: "/patches/apply", times: 1 },
  { kind: "lost_answer", method: "POST", path: "/system/reboot", times: 1 },
  { kind: "late_answer", method: "POST", path: "/patches/apply", delay_ms: 3_500, times: 1 },
  { kind: "hang", method: "GET", path: "/jobs", times: 2 },
  { kind: "close", times: 3 },
  { kind: "refuse", times: 3 },
  { kind: "server_error", status: 500, times: 1 },
  { kind: "garbage_json", times: 2 },
  { kind: "fail_job", message: "dpkg was interrupted", times: 1 },
  { kind: "forget_jobs", at: "after_change", times: 1 },
  { kind: "forget_jobs", at: "before_change", times: 1 },
  { kind: "liar", times: 1 }
]

/** As the web process does it. */
const submit = (world: World, order: JobOrder) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(
      Effect.gen(function* () {
        const { answer, audit } = yield* insertJob(world.caller, order)
        yield* appendAudit(originOf(world.caller), audit)
        return answer.id
      })
    )
  )

/** A connection that just broke is opened again; what was asked is asked again. */
const insist = async <A>(body: () => Promise<A>): Promise<A> => {
  for (let tries = 0; ; tries++) {
    try {
      return await body()
    } catch (error) {
      if (tries > 40) throw error
      await pause(250)
    }
  }
}

export const randomRun = async ({
  seed,
  jobs,
  hosts,
  seconds,
  quiet_seconds
}: RandomRunOptions): Promise<RandomRunReport> => {
  const begin = Date.now()
  const chance = chanceOf(seed)
  const pick = <A>(from: ReadonlyArray<A>): A => from[Math.floor(chance() * from.length)]!
  const folder = mkdtempSync(join(tmpdir(), "pm-random-"))
  const startServer = () =>
    startPostgres({ folder, durability: "durable", mayCreateAccount: false, wrapper: endWithUs() })
  let server: RunningPostgres = await startServer()
  await migrate(server.url)
  const world: World = await makeWorld({ count: hosts, seed }, { url: server.url, drop: async () => undefined })
  // One pool for all that people do: a new one for each of a thousand questions takes longer than the questions.
  const people = ManagedRuntime.make(databaseLayer({ url: server.url, applicationName: "people", maxConnections: 4 }))
  const run = <A, E>(effect: Effect.Effect<A, E, SqlClient.SqlClient>): Promise<A> => people.runPromise(effect)
  let worker: WorkerProcess | undefined
  const sum = { kills: 0, restarts: 0, reboots: 0, misbehaviours: 0, settled_by_hand: 0 }
  try {
    worker = await spawnWorker(world, patience)
    for (const host of world.hosts) world.fleet.publish(host.address)
    let over = false
    const resuming: Array<Promise<unknown>> = []
    const during = async (pauseMs: () => number, body: () => Promise<void>): Promise<void> => {
      for (;;) {
        await pause(pauseMs())
        if (over) return
        await body()
      }
    }

    const chosen = (count: number): Array<WorldHost> => {
      const all = new Set<WorldHost>()
      while (all.size < count) all.add(pick(world.hosts))
      return [...all]
    }

    const restless = world.hosts.filter((_, index) => index % 4 === 0)
    const toBeRebooted = world.hosts.filter((_, index) => index % 4 === 1)

    const orderOne = async (): Promise<void> => {
      const reboots = chance() < 0.1 ? toBeRebooted.pop() : undefined
      const targets = reboots === undefined ? chosen(chance() < 0.6 ? 1 : 2 + Math.floor(chance() * 3)) : [reboots]
      for (const host of targets) if (chance() < 0.7) world.fleet.publish(host.address)
      const luck = chance()
      const waves = luck < 0.15 && targets.length > 2 ? [1, targets.length - 1] : []
      const order = makeJobOrder({
        kind: reboots === undefined ? "patch_apply" : "reboot",
        reboot: reboots === undefined ? "never" : "always",
        max_concurrency: 1 + Math.floor(chance() * 8),
        max_failed: chance() < 0.2 ? 1 : null,
        waves,
        hosts: targets.map((host, index) => ({
          host_id: host.id,
          wave: waves.length > 0 && index > 0 ? 2 : 1,
          planned: null,
          foretold: null,
          expected_seconds: 0,
          parent_order_id: null,
          undone_agent_job_id: null
        }))
      })
      const job: JobId = await insist(() => run(submit(world, order)))
      world.acknowledged.push({ table: "patch_jobs", id: job })
      const wish = chance()
      if (wish < 0.06) await run(requestCancel(world.caller, job)).catch(() => undefined)
      else if (wish < 0.12) {
        await insist(() => run(pauseJob(world.caller, job))).catch(() => undefined)
        resuming.push(
          pause(2_000)
            .then(() => insist(() => run(resumeJob(world.caller, job))))
            .catch(() => undefined)
        )
      }
    }

    const ordering = (async () => {
      const gap = (seconds * 1000) / jobs
      const from = Date.now()
      for (let n = 1; n <= jobs; n++) {
        await orderOne()
        await pause(Math.max(0, from + gap * n - Date.now()))
      }
      over = true
    })()

    const breaking = [
      during(
        () => 2_500 + chance() * 4_000,
        async () => {
          sum.kills++
          await worker?.kill()
          worker = await insist(() => spawnWorker(world, patience))
        }
      ),
      during(
        () => (seconds * 1000) / 3,
        async () => {
          sum.restarts++
          process.kill(server.pid, "SIGKILL")
          server = await insist(startServer)
        }
      ),
      during(
        () => 100 + chance() * 150,
        async () => {
          sum.misbehaviours++
          if (chance() < 0.1) world.fleet.misbehave(pick(restless).address, pick(unasked))
          else world.fleet.misbehave(pick(world.hosts).address, pick(misbehaviours))
        }
      ),
      during(
        () => 500 + chance() * 1_500,
        async () => {
          sum.reboots++
          world.fleet.reboot(pick(restless).address)
        }
      )
    ]
    await Promise.all([ordering, ...breaking])
    await Promise.all(resuming)
    world.fleet.misbehaveAll()

    const left = () =>
      insist(() =>
        world.query<{ id: string; host_id: string; state: string; job: string; work: string }>(
          `select o.id, o.host_id, o.state, j.state as job, s.work from patch_jobs j
           left join patch_job_hosts o on o.job_id = j.id and not o.ended left join host_snapshots s on s.host_id = o.host_id
           where j.finished_at is null`
        )
      )
    const asked = new Map<HostId, number>()
    const askAgain = async () => {
      const unresolved = await insist(() =>
        world.query<{ host_id: HostId }>("select host_id from host_snapshots where work = 'unresolved'")
      )
      for (const { host_id } of unresolved) {
        const before = asked.get(host_id) ?? 0
        asked.set(host_id, before + 1)
        const decision =
          before < ASKS
            ? ({ type: "retry.now", by: "tester" } as const)
            : ({ type: "settle.by_hand", verdict: "not_effective", by: "tester" } as const)
        if (before >= ASKS) sum.settled_by_hand++
        await insist(() => run(requestDecision(world.caller, host_id, decision)))
      }
    }
    const deadline = Date.now() + quiet_seconds * 1000
    for (let rounds = 0; (await left()).length > 0 && Date.now() < deadline; rounds++) {
      // What cannot be found out waits for a person, who asks again now that all agents answer, and else looks for himself: an agent
      // that forgot its jobs on a host that rebooted by itself leaves nothing to find out from.
      if (rounds % 20 === 0) await askAgain()
      await pause(250)
    }

    const applied = world.fleet.readLedger().filter((entry) => entry.operation === "patchapply")
    const seen = new Set<string>()
    const twice: Array<string> = []
    for (const { host, packages } of applied) {
      for (const { name, to } of packages) {
        const what = `${host} ${name} ${to}`
        if (seen.has(what)) twice.push(what)
        seen.add(what)
      }
    }
    const lost = (await left()).map(
      (row) => `${row.id} of ${row.host_id} is ${row.state} in a job ${row.job}: ${row.work}`
    )
    const late = await world.query<{ what: string }>(
      `select 'host ' || host_id || ' ' || id as what from host_timers where due_at < now() - interval '5 seconds'
       union all select 'job ' || job_id || ' ' || id from job_timers where due_at < now() - interval '5 seconds'
       union all select 'host ' || host_id || ' is still ' || work from host_snapshots
         where work not in ('idle', 'failed', 'unresolved', 'retired')`
    )
    const states = await world.query<{ state: string; n: number }>(
      "select coalesce(outcome->>'verdict', state) as state, count(*)::int as n from patch_job_hosts group by 1 order by 1"
    )
    return {
      ...sum,
      applied: applied.length,
      states: Object.fromEntries(states.map(({ state, n }) => [state, n])),
      seconds: Math.round((Date.now() - begin) / 1000),
      twice,
      lost,
      late: late.map(({ what }) => what),
      invariants: await checkInvariants(world)
    }
  } finally {
    await worker?.kill()
    await people.dispose()
    await world.stop()
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}
