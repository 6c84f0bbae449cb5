/** Jobs that an operator cancels while they are at work. */
import { expect } from "vitest"
import type { JobId } from "#core/Ids.ts"
import { until } from "#test/fleet/makeTestFleet.ts"
import { refusalOf } from "#test/harness/addOperator.ts"
import type { WorldHost } from "#test/harness/World.ts"
import {
  allHealthy,
  APPLY,
  callsOf,
  changesOf,
  hold,
  jobEnds,
  pause,
  shareOf,
  shares,
  untilHolding,
  untilShare
} from "../jobSteps.ts"
import type { RowBody } from "../row.ts"

const RACES = 30

export const cancelMidFlight: RowBody = async (row) => {
  const world = await row.world({ count: 3 + RACES, profileMix: { "2.7": 1 }, timing: { jobMs: [20, 120] } })
  const [taken, runs, inLine, ...racers] = world.hosts as [WorldHost, WorldHost, WorldHost, ...Array<WorldHost>]
  for (const { address } of world.hosts) world.fleet.publish(address)
  const web = await row.web(world)
  // One host has its order and stands just before the call that would be sent.
  await row.worker(world, { failpoint: { at: "order_taken", host: taken.id, how: { sleep_ms: 3_000 } } })
  await allHealthy(world)
  const cancel = (job: JobId) => web.call("POST", `/api/v1/jobs/${job}/cancel`)
  hold(world, runs)

  const before = await world.apply([taken])
  await untilShare(world, before, taken, ({ state }) => state === "dispatching")
  await cancel(before)
  await row.assert("before `sent`, with the order taken: cancelled, ledger 0", async () => {
    expect(await jobEnds(world, before)).toBe("cancelled")
    expect(changesOf(world, taken)).toEqual([])
    expect(callsOf(world, taken, APPLY)).toBe(0)
  })

  const job = await world.apply([runs, inLine], { max_concurrency: 1 })
  await untilHolding(world, runs)
  await cancel(job)
  await row.assert("what has not been sent is never sent: cancelled at once, ledger 0", async () => {
    await untilShare(world, job, inLine, ({ state, ended }) => state === "cancelled" && ended)
    expect(callsOf(world, inLine, APPLY)).toBe(0)
  })
  await row.assert("after: the cancel request is stored, and the host's state stays running", async () => {
    const asked = () =>
      world.query<{ asked: string | null }>(
        "select context->>'cancel_asked' as asked from host_snapshots where host_id = $1",
        [runs.id]
      )
    await until(asked, ([found]) => found?.asked === "admin", 10_000)
    await pause(500)
    expect(await shareOf(world, job, runs)).toMatchObject({ state: "running", ended: false })
    expect(await web.call("GET", `/api/v1/jobs/${job}`)).toMatchObject({
      cancel_requested_by: "admin",
      state: "running"
    })
  })
  row.missing(
    "the agent is asked",
    "no agent has a call that cancels a running job (agent-api §5.3); DELETE /jobs/{id} only removes ended ones"
  )
  world.fleet.release(runs.address)
  await row.assert("it ends as it really ended: done, ledger 1, and the job says which was which", async () => {
    await jobEnds(world, job)
    expect(await shareOf(world, job, runs)).toMatchObject({ state: "succeeded", verdict: "done" })
    expect(await shareOf(world, job, inLine)).toMatchObject({ state: "cancelled" })
    expect(changesOf(world, runs)).toHaveLength(1)
    expect(changesOf(world, inLine)).toEqual([])
  })

  const raced = await Promise.all(
    racers.map(async (host) => {
      const one = await world.apply([host])
      // Some at any moment from the start, some close to the end of what was sent.
      if (row.random() < 0.5)
        await untilShare(world, one, host, ({ state }) => !["queued", "waiting", "dispatching"].includes(state))
      await pause(row.random() * 300)
      const refused = await cancel(one).then(
        () => null,
        () => refusalOf(cancel(one))
      )
      return { host, job: one, refused }
    })
  )
  for (const one of raced) await jobEnds(world, one.job)
  const verdicts = await Promise.all(
    raced.map(async (one) => ({ ...one, share: await shareOf(world, one.job, one.host) }))
  )
  await row.assert("cancel racing completion: exactly one of both wins, and the ledger agrees with it", async () => {
    for (const { host, share, refused } of verdicts) {
      expect(["succeeded", "cancelled"]).toContain(share.state)
      expect(changesOf(world, host)).toHaveLength(share.state === "succeeded" ? 1 : 0)
      if (refused !== null)
        expect([refused.status, refused.code, share.state]).toEqual([409, "job_finished", "succeeded"])
    }
  })
  await row.assert("the race went both ways", () => {
    const states = new Set(verdicts.map(({ share }) => share.state))
    expect([...states].toSorted()).toEqual(["cancelled", "succeeded"])
  })
  await row.assert("by version: each host's order ended in one step", async () => {
    const ends = await world.query<{ host_id: string; count: number }>(
      `select host_id, count(*)::int as count from host_transitions
       where from_work <> 'idle' and to_work = 'idle' group by host_id having count(*) > 1`
    )
    expect(ends).toEqual([])
  })
}

export const cancelThenDeath: RowBody = async (row) => {
  const world = await row.world({ count: 3 })
  const [taken, runs, inLine] = world.hosts as [WorldHost, WorldHost, WorldHost]
  for (const { address } of world.hosts) world.fleet.publish(address)
  const web = await row.web(world)
  const first = await row.worker(world, { failpoint: { at: "order_taken", host: taken.id, how: { sleep_ms: 30_000 } } })
  hold(world, runs)
  const job = await world.apply([taken, runs, inLine], { max_concurrency: 2 })
  await untilHolding(world, runs)
  await untilShare(world, job, taken, ({ state }) => state === "dispatching")
  // Frozen, so that it cannot have acted on the wish before it dies.
  process.kill(first.child.pid!, "SIGSTOP")
  await web.call("POST", `/api/v1/jobs/${job}/cancel`)
  await first.kill()
  await row.assert("the stored wish survives the worker", async () => {
    const wishes = await world.query<{ type: string }>("select event->>'type' as type from host_requests")
    expect(wishes).toEqual([{ type: "cancel" }, { type: "cancel" }])
    expect((await shares(world, job)).map(({ state }) => state).toSorted()).toEqual([
      "cancelled",
      "dispatching",
      "running"
    ])
  })
  await row.worker(world)
  await row.assert("the new owner does not send: cancelled, ledger 0", async () => {
    await untilShare(world, job, taken, ({ ended }) => ended)
    expect(await shareOf(world, job, taken)).toMatchObject({ state: "cancelled" })
    for (const host of [taken, inLine]) {
      expect(changesOf(world, host)).toEqual([])
      expect(callsOf(world, host, APPLY)).toBe(0)
    }
  })
  world.fleet.release(runs.address)
  await row.assert("what was running ends as it really ended, ledger 1", async () => {
    await jobEnds(world, job)
    expect(await shareOf(world, job, runs)).toMatchObject({ state: "succeeded" })
    expect(changesOf(world, runs)).toHaveLength(1)
  })
}
