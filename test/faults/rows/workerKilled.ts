/** Rows about a worker that dies around the call that changes a host: F01 to F03, F05, F06. */
import { expect } from "vitest"
import { listTransitions } from "#sql/HostTimeline.ts"
import { until } from "#test/fleet/makeTestFleet.ts"
import type { RowBody } from "../row.ts"
import { APPLY, LIST, TAKEOVER_MS, appliedOnce, callsOf, countOf, dieAt, eventsOf } from "./workerSteps.ts"

export const killedBeforeIntent: RowBody = async (row) => {
  const { world, host, job } = await dieAt(row, "order_taken")
  await row.assert("no intent had been written by the first worker", async () => {
    const intents = await world.query(
      "select id from host_intents where opened_at < (select taken_at from worker_lease)"
    )
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
  await row.assert(
    "the takeover finds the intent without a job id, asks the job list, and adopts the job",
    async () => {
      const events = await until(
        () => eventsOf(world, host),
        (all) =>
          all.some((event) => event.event_type === "jobs") || all.some((event) => event.event_type === "evidence"),
        TAKEOVER_MS
      )
      expect(events.map((event) => event.event_type)).toContain("resumed")
    }
  )
  await appliedOnce(row, world, host, job)
  await row.assert("nothing is sent a second time", () => expect(callsOf(world, host, APPLY)).toBe(1))
  await row.assert("the intent is closed as ran", async () => {
    const intents = await world.query<{ verdict: string }>("select verdict from host_intents where host_id = $1", [
      host.id
    ])
    expect(intents).toEqual([{ verdict: "ran" }])
  })
  await row.assert("the operator sees that it was resumed after a restart", async () => {
    const timeline = await world.run(listTransitions(world.caller.principal, host.id, undefined))
    expect(timeline.items.map((step) => step.words).join("\n")).toContain(
      "The manager was restarted and took up where it was"
    )
  })
}

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
