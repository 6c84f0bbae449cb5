import { describe, expect } from "vitest"
import { until } from "#test/fleet/makeTestFleet.ts"
import type { Misbehaviour } from "#test/fleet/Misbehaviour.ts"
import {
  allAnswer,
  APPLY,
  applied,
  calls,
  callsOf,
  type Ended,
  ended,
  expectAskedBetweenPosts,
  intents,
  place,
  publish,
  steps,
  startWorker
} from "./agentSteps.ts"
import { faultRow } from "./row.ts"

const HOSTS = 100
const ROUNDS = 3
const ORDERS = HOSTS * ROUNDS

describe("manager and agent: answers that are lost, late or doubled", () => {
  faultRow("F14", "the agent accepts and its answer is lost, 1,000 times", { timeout: 300_000 }, async (row) => {
    const world = await row.world({ count: HOSTS, profileMix: { "2.7": 1, "2.5.5": 1, "1.2": 1 } })
    // Times that a busy machine keeps too: here answers are lost by the hosts alone, never by our own limits.
    await row.worker(world, {
      client: { connectMs: 10_000, healthMs: 20_000, readMs: 20_000, listMs: 20_000, commandMs: 20_000 },
      tuning: { send_ms: 40_000, call_ms: 40_000, run_ms: 90_000, verify_ms: 60_000, settle_ms: 120_000 }
    })
    await allAnswer(world)
    let unreached = 0
    const results: Array<Ended> = []
    for (let round = 0; round < ROUNDS; round++) {
      publish(world, world.hosts)
      for (const host of world.hosts) {
        // Now and then it is the request that is lost on its way, which looks the same from here.
        const never = row.random() < 0.05
        world.fleet.misbehave(host.address, {
          kind: never ? "lost_request" : "lost_answer",
          path: "/patches/apply",
          times: 1
        })
        if (never) unreached++
      }
      results.push(...(await ended(world, await world.apply(world.hosts), 120_000)))
    }
    const posts = world.hosts.reduce((sum, host) => sum + calls(world, host, APPLY), 0)
    const orders = await world.query<{ first: string; sent: number; adopted: boolean }>(
      `select (array_agg(event_type || ' ' || to_work order by version) filter (
           where from_work = 'patching.dispatching'))[1] as first,
         (count(*) filter (where to_work = 'patching.dispatching'))::int as sent,
         bool_or(from_work = 'settling.asking' and event_type = 'jobs' and to_work = 'patching.running') as adopted
       from host_transitions where order_id is not null group by order_id`
    )
    await row.assert("Job goes `sent → unknown`", () => {
      expect(orders.map(({ first }) => first)).toEqual(Array.from({ length: ORDERS }, () => "unclear settling.quiet"))
    })
    await row.assert("the same key is asked, then re-sent only if the agent does not know it", () => {
      // Agents keep no key: the job list is asked, and one that is found is adopted.
      expect(orders.filter(({ sent, adopted }) => sent === 1 && adopted)).toHaveLength(ORDERS - unreached)
      expect(orders.filter(({ sent, adopted }) => sent === 2 && !adopted)).toHaveLength(unreached)
      expect(posts).toBe(ORDERS + unreached)
      expect(unreached).toBeGreaterThan(0)
    })
    await row.assert("and inventory shows no change", () => {
      let resent = 0
      for (const host of world.hosts) {
        const all = callsOf(world, host)
        const posts = all.flatMap((call, index) => (call === "POST /patches/apply" ? [index] : []))
        for (const [n, from] of posts.entries()) {
          const between = all.slice(from + 1, posts[n + 1])
          // A job that was followed is the end of its order: the next post is the next order's.
          if (posts[n + 1] === undefined || between.some((call) => call.startsWith("GET /jobs/"))) continue
          resent++
          expect(between.filter((call) => call === "GET /jobs").length).toBeGreaterThanOrEqual(2)
          expect(between.filter((call) => call === "GET /packages").length).toBeGreaterThanOrEqual(2)
        }
      }
      expect(resent).toBe(unreached)
    })
    await row.assert("Ledger 1 over 1,000 lost answers", () => {
      expect(results).toHaveLength(ORDERS)
      expect(results.filter(({ verdict }) => verdict !== "done")).toEqual([])
      for (const host of world.hosts) {
        const ledger = applied(world, host)
        expect(ledger).toHaveLength(ROUNDS)
        // Each order ended with the job that its own request had made.
        const known = results.filter((result) => result.host === host.id).map((result) => result.agent_job_id)
        expect(known).toEqual(ledger.map((entry) => entry.job_id))
      }
    })
    row.missing(
      "Ledger 1 over 1,000 lost answers",
      `This machine has two cores: played with ${ORDERS} orders, ${HOSTS} hosts ${ROUNDS} times.`
    )
  })

  faultRow("F15", "the connection is reset during the request body", {}, async (row) => {
    const world = await row.world({ count: 6 })
    await startWorker(row, world)
    await allAnswer(world)
    publish(world, world.hosts)
    for (const host of world.hosts)
      world.fleet.misbehave(host.address, { kind: "reset_request", path: "/patches/apply", times: 1 })
    const results = await ended(world, await world.apply(world.hosts))
    await row.assert("Same as F14", async () => {
      expect(results.map((result) => result.verdict)).toEqual(world.hosts.map(() => "done"))
      for (const host of world.hosts) {
        expect(applied(world, host)).toHaveLength(1)
        expect((await intents(world, host)).map((intent) => intent.verdict)).toEqual(["no_effect", "ran"])
        expectAskedBetweenPosts(world, host)
      }
    })
    await row.assert("not counted as a host failure", async () => {
      for (const host of world.hosts) {
        const { link, context } = await place(world, host)
        expect([link, context["misses"], context["attempts"]]).toEqual(["healthy", 0, 0])
        expect((await steps(world, host)).filter((step) => step.to === "failed")).toEqual([])
      }
    })
  })

  faultRow("F16", "the agent answers after our deadline", {}, async (row) => {
    const world = await row.world({ count: 2, profileMix: { "2.7": 1 } })
    const [late, older] = world.hosts
    await startWorker(row, world, { client: { commandMs: 1_000 } })
    await allAnswer(world)
    publish(world, world.hosts)
    // A job of an earlier order, done, so that there is an old job in the list of each.
    await ended(world, await world.apply(world.hosts))
    publish(world, world.hosts)
    world.fleet.misbehave(late!.address, { kind: "late_answer", path: "/patches/apply", delay_ms: 2_500, times: 1 })
    world.fleet.misbehave(older!.address, { kind: "lost_request", path: "/patches/apply", times: 1 })
    const results = await ended(world, await world.apply(world.hosts))
    const of = (id: string) => results.find((result) => result.host === id)!
    await row.assert("Late answer is matched by key and epoch", async () => {
      // Agents echo no key. The socket is gone when the answer comes; the job is recognised in the agent's list instead.
      expect(of(late!.id).verdict).toBe("done")
      expect(of(late!.id).agent_job_id).toBe(applied(world, late!).at(-1)!.job_id)
      expect((await intents(world, late!)).map((intent) => intent.verdict)).toEqual(["ran", "ran"])
    })
    await row.assert("it may finish the current attempt", async () => {
      const way = (await steps(world, late!)).map(({ from, event, to }) => `${from} ${event} ${to}`)
      expect(way).toContain("settling.asking jobs patching.running")
      expect(applied(world, late!)).toHaveLength(2)
      expect(calls(world, late!, APPLY)).toBe(2)
    })
    await row.assert("never an older one", async () => {
      const ledger = applied(world, older!)
      expect(ledger).toHaveLength(2)
      expect(of(older!.id).agent_job_id).toBe(ledger[1]!.job_id)
      expect(of(older!.id).agent_job_id).not.toBe(ledger[0]!.job_id)
      expect((await intents(world, older!)).map((intent) => intent.verdict)).toEqual(["ran", "no_effect", "ran"])
    })
  })

  faultRow("F17", "the completion comes twice and reports come out of order", {}, async (row) => {
    const world = await row.world({
      hosts: [{ profile: "2.7" }, { profile: "1.0" }],
      timing: { jobMs: [3_500, 3_600] }
    })
    const [doubled, shuffled] = world.hosts
    const backwards: ReadonlyArray<Misbehaviour> = [
      { kind: "report_as", path: "/jobs/", progress: 60, times: 1 },
      { kind: "report_as", path: "/jobs/", status: "pending", progress: 0, times: 2 }
    ]
    await startWorker(row, world)
    await allAnswer(world)
    publish(world, world.hosts)
    world.fleet.misbehave(doubled!.address, { kind: "double_events" })
    world.fleet.misbehave(shuffled!.address, ...backwards)
    const job = await world.apply(world.hosts)
    const seen: Array<number> = []
    const results = await until(
      async () => {
        const rows = await world.query<{ host: string; percent: number; verdict: string | null }>(
          `select host_id as host, progress_percent as percent, outcome->>'verdict' as verdict from patch_job_hosts
           where job_id = $1`,
          [job]
        )
        seen.push(rows.find((one) => one.host === shuffled!.id)?.percent ?? 0)
        return rows
      },
      (rows) => rows.every((one) => one.verdict !== null),
      40_000
    )
    await row.assert("Second is a no-op", async () => {
      const reports = await world.query<{ n: number }>(
        `select count(*)::int as n from host_transitions
         where host_id = $1 and event_type = 'job' and event->'job'->>'status' = 'completed'`,
        [doubled!.id]
      )
      expect(reports[0]?.n).toBe(1)
      const [stored] = await world.query<{ n: number; jobs: number }>(
        `select (select count(*)::int from host_intents where host_id = $1 and verdict = 'ran') as n,
           (select count(*)::int from patch_job_hosts where host_id = $1 and ended) as jobs`,
        [doubled!.id]
      )
      expect(stored).toEqual({ n: 1, jobs: 1 })
      expect(applied(world, doubled!)).toHaveLength(1)
    })
    await row.assert("an older sequence never overwrites a newer one", () => {
      expect(results.map((result) => result.verdict)).toEqual(["done", "done"])
      expect(Math.max(...seen)).toBeGreaterThanOrEqual(60)
      expect(seen.toSorted((a, b) => a - b)).toEqual(seen)
    })
    row.missing(
      "unique on job, sequence",
      "Agents number no reports; the manager reads one at a time, and a report that goes back is not taken."
    )
  })
})
