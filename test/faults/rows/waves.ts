/** Waves that stop, and windows that opened while nobody was there. */
import { expect } from "vitest"
import type { FailpointName } from "#actors/hosts/Failpoint.ts"
import type { JobId } from "#core/Ids.ts"
import { until } from "#test/fleet/makeTestFleet.ts"
import { addWindow } from "#test/actors/jobs/windowRows.ts"
import type { World, WorldHost } from "#test/harness/World.ts"
import { allHealthy, APPLY, callsOf, changesOf, jobEnds, shares, target } from "../jobSteps.ts"
import type { Row, RowBody } from "../row.ts"

const startedOn = (world: World, hosts: ReadonlyArray<WorldHost>): number =>
  hosts.filter((host) => callsOf(world, host, APPLY) > 0 || changesOf(world, host).length > 0).length

const stops = (world: World, job: JobId) =>
  world.query<{
    actor_kind: string
    after: { reason: string; failed: number; max_failed: number; not_started: number }
  }>("select actor_kind, after from audit_log where action = 'job.stop' and object_id = $1", [job])

const fails = (world: World, hosts: ReadonlyArray<WorldHost>): void => {
  for (const host of hosts) world.fleet.misbehave(host.address, { kind: "fail_job" })
}

/** A canary wave of four of which two may fail, and the worker dies around the decision that too many did. */
const canary = async (row: Row, world: World, hosts: ReadonlyArray<WorldHost>, at: FailpointName) => {
  const [first, second] = [hosts.slice(0, 4), hosts.slice(4)]
  const where = at === "job_decision_pending" ? "before the decision is written" : "after it is written"
  fails(world, first)
  const doomed = await row.worker(world, { failpoint: at })
  await allHealthy(world)
  const job = await world.apply([], {
    waves: [first.length, second.length],
    max_failed: 1,
    max_concurrency: 2,
    hosts: hosts.map((host, index) => target(host, index < first.length ? 1 : 2))
  })
  await row.assert(`the worker is killed at the decision point, ${where}`, async () => {
    expect(await doomed.gone).toBe("SIGKILL")
    expect(await stops(world, job)).toHaveLength(at === "job_decision_pending" ? 0 : 1)
  })
  const next = await row.worker(world)
  await row.assert(`same decision after the restart, taken once (${where})`, async () => {
    expect(await jobEnds(world, job, 40_000)).toBe("failed")
    const [stop, ...more] = await stops(world, job)
    expect(more).toEqual([])
    expect(stop).toMatchObject({ actor_kind: "machine", after: { max_failed: 1 } })
    expect(stop!.after.failed).toBeGreaterThan(1)
    expect(stop!.after.reason).toMatch(/\d/)
  })
  await row.assert(`the next wave does not start (${where})`, async () => {
    expect(startedOn(world, second)).toBe(0)
    const left = (await shares(world, job)).filter(({ wave }) => wave === 2)
    expect(left).toHaveLength(second.length)
    for (const share of left) expect(share).toMatchObject({ state: "cancelled", verdict: "stopped", ran: false })
  })
  await next.kill()
}

export const canaryStops: RowBody = async (row) => {
  const world = await row.world({ count: 40, profileMix: { "2.7": 1 }, timing: { jobMs: [20, 60] } })
  for (const { address } of world.hosts) world.fleet.publish(address)
  await canary(row, world, world.hosts.slice(0, 10), "job_decision_pending")
  await canary(row, world, world.hosts.slice(10, 20), "job_decision_written")

  const hosts = world.hosts.slice(20)
  const [max_failed, max_concurrency] = [2, 4]
  fails(world, hosts)
  await row.worker(world)
  const job = await world.apply(hosts, { max_failed, max_concurrency })
  await row.assert("the decision and its numbers are audited", async () => {
    await jobEnds(world, job, 40_000)
    const [stop] = await stops(world, job)
    expect(stop?.after).toMatchObject({ max_failed, unhealthy: 0, unresolved: 0 })
    expect(stop!.after.failed).toBeGreaterThan(max_failed)
    expect(stop!.after.failed + stop!.after.not_started).toBeLessThanOrEqual(hosts.length)
  })
  await row.assert(
    "after the commit that reaches the limit no host is started: started <= failed limit + max concurrency, by the ledger",
    async () => {
      expect(startedOn(world, hosts)).toBeLessThanOrEqual(max_failed + max_concurrency)
      const late = await world.query(
        `select t.host_id from host_transitions t join patch_job_hosts o on o.id = t.order_id and o.job_id = $1
       where t.event_type = 'order' and t.at > (select min(s.at) from job_transitions s where s.job_id = $1
         and s.version >= (select min(version) from job_transitions x where x.job_id = $1
           and (x.event->'counts'->>'failed')::int > $2))`,
        [job, max_failed]
      )
      expect(late).toEqual([])
    }
  )
}

interface Run {
  readonly opens_at: string
  readonly outcome: string
  readonly note: string
  readonly job_id: string | null
}

export const missedWindows: RowBody = async (row) => {
  const world = await row.world({ count: 1, profileMix: { "2.7": 1 } })
  const [host] = world.hosts as [WorldHost]
  world.fleet.publish(host.address)
  const web = await row.web(world)
  const minutesAgo = 5
  const id = await addWindow(world, host.id, minutesAgo, 60)
  const start = new Date(Date.now() - minutesAgo * 60_000).toISOString().slice(11, 16)
  // Watched since three openings ago, as if it had been made before the manager was switched off.
  await world.query(
    `update maintenance_windows set watched_since = now() - interval '3 days 1 hour', rule = $2::jsonb, auto_apply = $3::jsonb where id = $1`,
    [
      id,
      JSON.stringify({ kind: "daily", starts_at_local: start }),
      JSON.stringify({
        selection: { kind: "all" },
        reboot: "never",
        reboot_delay_seconds: 0,
        max_concurrency: 5,
        on_change: "take"
      })
    ]
  )
  const runs = async () =>
    (await web.call<{ runs: ReadonlyArray<Run> }>("GET", `/api/v1/windows/${id}/occurrences`)).runs.toReversed()
  const first = await row.worker(world)
  const decided = await until(runs, (found) => found.length === 4, 20_000)
  await row.assert("the three openings of the time when the manager was off are shown as missed", () => {
    expect(decided.map(({ outcome }) => outcome)).toEqual(["missed", "missed", "missed", "fired"])
    for (const run of decided.slice(0, 3))
      expect(run).toMatchObject({ job_id: null, note: expect.stringMatching(/manager was off/) })
  })
  const jobs = () => world.query<{ id: JobId }>("select id from patch_jobs")
  await row.assert("skip is the rule: nothing is run for them; the opening of now is run once", async () => {
    const made = await jobs()
    expect(made).toHaveLength(1)
    expect(await jobEnds(world, made[0]!.id)).toBe("succeeded")
    expect(changesOf(world, host)).toHaveLength(1)
  })
  await first.kill()
  world.fleet.publish(host.address)
  await row.worker(world)
  await allHealthy(world)
  await row.assert("never three times: a restarted manager decides nothing anew", async () => {
    await world.query("select pg_notify('worker', 'window_changed')")
    await new Promise((resolve) => setTimeout(resolve, 2_000))
    expect(await runs()).toEqual(decided)
    expect(await jobs()).toHaveLength(1)
    expect(callsOf(world, host, APPLY)).toBe(1)
  })
  row.missing(
    "a catch-up policy per schedule, run once",
    "windows have the one rule that the issue asks for: missed openings are shown and skipped"
  )
}
