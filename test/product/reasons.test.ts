import { afterAll, beforeAll, expect, it } from "vitest"
import { until } from "#test/fleet/makeTestFleet.ts"
import { startWeb, type Web } from "#test/harness/startWeb.ts"
import { makeWorld, type World } from "#test/harness/World.ts"

interface Reasons {
  readonly host: {
    readonly code: string
    readonly message: string
    readonly until: string | null
    readonly job: { readonly number: number } | null
  }
  readonly packages: ReadonlyArray<{
    readonly name: string
    readonly reason: { readonly code: string; readonly hold_id: string | null }
  }>
}
interface Share {
  readonly state: string
  readonly waits_for: { readonly code: string; readonly at?: string; readonly until?: string } | null
  readonly outcome: { readonly verdict: string } | null
}

let world: World
let web: Web
let host: string
let second: string
beforeAll(async () => {
  world = await makeWorld({ hosts: [{ profile: "2.7" }, { profile: "2.7" }] })
  web = await startWeb(world)
  await world.startWorker()
  host = world.hosts[0]!.id
  second = world.hosts[1]!.id
  for (const id of [host, second]) {
    await until(
      () => web.call<{ pending: number | null }>("GET", `/api/v1/hosts/${id}`),
      (seen) => (seen.pending ?? 0) > 0,
      20_000
    )
  }
}, 60_000)
afterAll(async () => {
  await web.stop()
  await world.stop()
})

const reasons = (id = host) => web.call<Reasons>("GET", `/api/v1/hosts/${id}/reasons`)
const share = async (job: string) =>
  (await web.call<{ items: ReadonlyArray<Share> }>("GET", `/api/v1/jobs/${job}/hosts`)).items[0]!
const order = async (more: object) =>
  (
    await web.call<{ id: string }>("POST", "/api/v1/jobs", {
      kind: "patch_apply",
      host_ids: [host],
      selection: { kind: "all" },
      ...more
    })
  ).id
/** What the dispatcher has noted down, and what is said of the same host. */
const bothSay = async (job: string, code: string) => {
  const { waits_for } = await until(
    () => share(job),
    (seen) => seen.waits_for?.code === code,
    15_000
  )
  const said = await reasons()
  expect([said.host.code, ...new Set(said.packages.map(({ reason }) => reason.code))]).toEqual([code, code])
  return { waits_for, said }
}

const clock = (minutes: number): string => new Date(Date.now() + minutes * 60_000).toISOString().slice(0, 16)
const makeWindow = async (more: object) =>
  (
    await web.call<{ id: string }>("POST", "/api/v1/windows", {
      name: `Window ${Math.random()}`,
      kind: "open",
      scope: { kind: "host", host_id: host },
      rule: { kind: "once", starts_on_local: clock(600) },
      time_zone: "UTC",
      duration_minutes: 120,
      ...more
    })
  ).id

it("is what the dispatcher does, from no window to done", async () => {
  expect((await reasons()).host.code).toBe("no_window")
  const job = await order({ when: { kind: "next_window" } })
  await bothSay(job, "no_window")

  const later = await makeWindow({})
  expect((await reasons(second)).host.code).toBe("no_window")
  const { waits_for, said } = await bothSay(job, "waiting_for_window")
  expect(new Date(said.host.until!).getTime()).toBe(new Date(waits_for!.at!).getTime())

  await web.call("POST", `/api/v1/jobs/${job}/pause`)
  await bothSay(job, "paused")
  await web.call("POST", `/api/v1/jobs/${job}/resume`)
  await bothSay(job, "waiting_for_window")

  const freeze = await makeWindow({
    name: "Freeze",
    kind: "blackout",
    rule: { kind: "once", starts_on_local: clock(-5) }
  })
  await bothSay(job, "blackout")
  await web.call("DELETE", `/api/v1/windows/${freeze}`, undefined, { "if-match": "1" })
  await bothSay(job, "waiting_for_window")

  await makeWindow({ rule: { kind: "once", starts_on_local: clock(-5) }, duration_minutes: 60 })
  const done = await until(
    () => share(job),
    (seen) => seen.outcome !== null,
    30_000
  )
  expect(done.outcome?.verdict).toBe("done")
  const after = await until(
    () => reasons(),
    (seen) => seen.host.code === "up_to_date",
    20_000
  )
  expect([after.host.code, after.packages]).toEqual(["up_to_date", []])
  expect(later).toBeTypeOf("string")
}, 120_000)

it("says which job or wave is in the way, and what is held", async () => {
  const { address } = world.hosts[0]!
  world.fleet.publish(address)
  world.fleet.misbehave(address, { kind: "hold", at: "before_change", times: 1 })
  await web.call("POST", `/api/v1/hosts/${host}/refresh`)
  await until(
    () => reasons(),
    (seen) => seen.packages.length > 0,
    15_000
  )
  const first = await order({ host_ids: [host, second], when: { kind: "immediate" }, waves: [{ hosts: 1 }] })
  await until(
    () => world.fleet.view(address),
    (view) => view.holding,
    20_000
  )
  expect((await reasons()).host.code).toBe("in_progress")
  expect((await reasons(second)).host.code).toBe("wave_not_reached")
  const behind = await order({ host_ids: [second], when: { kind: "immediate" } })
  const inTheWay = await order({ when: { kind: "immediate" } })
  await until(
    () => share(inTheWay),
    (seen) => seen.waits_for?.code === "blocked_by_job",
    15_000
  )
  await web.call("POST", `/api/v1/jobs/${inTheWay}/cancel`)
  await until(
    () => share(behind),
    (seen) => seen.outcome !== null,
    30_000
  )
  await web.call("POST", `/api/v1/jobs/${first}/cancel`)
  world.fleet.release(address)
  const left = await until(
    () => web.call<{ counts: object; finished_at: string | null }>("GET", `/api/v1/jobs/${first}`),
    (seen) => seen.finished_at !== null,
    30_000
  )
  expect(left.counts).toEqual({ succeeded: 1, cancelled: 1 })
  expect((await reasons(second)).host.code).toBe("up_to_date")
}, 120_000)
