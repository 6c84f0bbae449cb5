import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { makeJobWorld } from "./jobWorld.ts"
import { startTestWeb, type TestWeb } from "./TestWeb.ts"

let web: TestWeb
let token: string
let a: string
let b: string
let group: string
let world: ReturnType<typeof makeJobWorld>
beforeAll(async () => {
  web = await startTestWeb()
  await web.addUser("admin", "admin")
  token = await web.tokenFor("admin")
  world = makeJobWorld(web, token)
  a = await web.addHost(token, { address: "127.0.4.1", display_name: "plan-a" })
  b = await web.addHost(token, { address: "127.0.4.2", display_name: "plan-b" })
  const made = await web.call("POST", "/api/v1/groups", {
    token,
    body: { name: "planned", description: "" },
    headers: { "idempotency-key": "group" }
  })
  group = made.string("id")
  await web.rows("insert into host_groups (host_id, group_id) values ($1, $2)", [b, group])
})
afterAll(() => web.stop())
beforeEach(async () => {
  await world.list(a, [
    { name: "curl", from: "8.0", to: "8.1", security: true },
    { name: "bash", from: "5.1", to: "5.2" }
  ])
  await world.list(b, [])
})

const now = { when: { kind: "immediate" } }
const body = (more: object = {}) => ({
  kind: "patch_apply",
  host_ids: [a, b],
  selection: { kind: "all" },
  ...now,
  ...more
})
const plan = (more: object = {}) => web.call("POST", "/api/v1/jobs/plan", { token, body: body(more) })

describe("a plan", () => {
  it("puts hosts with work into the first waves: a canary on which nothing happens proves nothing", async () => {
    await world.list(a, [])
    await world.list(b, [{ name: "curl", from: "8.0", to: "8.1" }])
    const answer = await plan({ waves: [{ hosts: 1 }] })
    expect(answer.at("hosts.0")).toMatchObject({ host_name: "plan-b", wave: 1, skipped: null })
    expect(answer.at("hosts.1")).toMatchObject({ host_name: "plan-a", wave: 2, skipped: "nothing_to_do" })
  })

  it("says what changes where, when it starts, what cannot be undone and what is skipped, and makes nothing", async () => {
    const answer = await plan({ waves: [{ hosts: 1 }], error_limit: { percent: 50 } })
    expect(answer.status).toBe(200)
    expect(answer.json()).toMatchObject({ hosts_total: 2, changes_total: 2, waves: [1, 1], max_failed: 1 })
    expect(answer.at("hosts.0")).toMatchObject({
      host_name: "plan-a",
      wave: 1,
      changes: [
        { name: "curl", from: "8.0", to: "8.1" },
        { name: "bash", from: "5.1", to: "5.2" }
      ],
      held: [],
      reboot: "no",
      waits_for: null,
      skipped: null,
      expected_seconds: 120,
      undo: { answer: "no" }
    })
    expect(answer.at("hosts.0.starts_at")).toBe(answer.at("made_at"))
    expect(answer.at("hosts.1")).toMatchObject({
      host_name: "plan-b",
      wave: 2,
      skipped: "nothing_to_do",
      starts_at: null,
      waits_for: { code: "wave_not_reached", wave: 2, current_wave: 1 }
    })
    expect((await web.rows("select 1 from patch_jobs")).length).toBe(0)
  })

  it("waits for a window unless it is told otherwise, and says where there is none", async () => {
    const answer = await web.call("POST", "/api/v1/jobs/plan", {
      token,
      body: { kind: "reboot", host_ids: [a] }
    })
    expect(answer.at("hosts.0")).toMatchObject({ reboot: "yes", starts_at: null, waits_for: { code: "no_window" } })
  })

  it("names what is held and by whom, and leaves it out", async () => {
    const hold = await world.post("/api/v1/holds", {
      target: { kind: "host", host_id: a },
      pattern: "cur*",
      reason: "The proxy breaks with 8.1"
    })
    expect(hold.status).toBe(201)
    const answer = await plan()
    expect(answer.at("hosts.0.changes")).toEqual([{ name: "bash", from: "5.1", to: "5.2" }])
    expect(answer.at("hosts.0.held")).toEqual([
      { name: "curl", hold_id: hold.string("id"), pattern: "cur*", reason: "The proxy breaks with 8.1", until: null }
    ])
    const only = await plan({ selection: { kind: "packages", names: ["curl"] } })
    expect(only.at("hosts.0.skipped")).toBe("all_held")
    await web.call("DELETE", `/api/v1/holds/${hold.string("id")}`, { token })
  })

  it("says that lists were never read, and cannot say what will change", async () => {
    const fresh = await web.addHost(token, { address: "127.0.4.3", display_name: "plan-fresh" })
    const answer = await plan({ host_ids: [fresh] })
    expect(answer.at("hosts.0")).toMatchObject({
      changes: null,
      skipped: null,
      link: "unknown",
      undo: { answer: "cannot_be_known" }
    })
  })

  it("is of exactly the hosts of the group or the filter", async () => {
    const { host_ids: _, ...rest } = body() as ReturnType<typeof body> & { host_ids: unknown }
    const ofGroup = await web.call("POST", "/api/v1/jobs/plan", { token, body: { ...rest, group_id: group } })
    expect([ofGroup.at("hosts_total"), ofGroup.at("hosts.0.host_id")]).toEqual([1, b])
    const filtered = await web.call("POST", "/api/v1/jobs/plan", {
      token,
      body: { ...rest, filter: { pending: "any" } }
    })
    expect([filtered.at("hosts_total"), filtered.at("hosts.0.host_id")]).toEqual([1, a])
    const none = await web.call("POST", "/api/v1/jobs/plan", { token, body: { ...rest, filter: { q: "nobody" } } })
    expect([none.status, none.at("error.details.fields.0.path")]).toEqual([422, "payload.filter"])
  })
})

describe("a job of a group or a filter", () => {
  it("freezes its hosts at submit, counts them back, and refuses another number than was counted on", async () => {
    const { host_ids: _, ...rest } = body() as ReturnType<typeof body> & { host_ids: unknown }
    const wrong = await world.post("/api/v1/jobs", { ...rest, group_id: group, expected_hosts: 5 })
    expect([wrong.status, wrong.at("error.code"), wrong.at("error.details")]).toEqual([
      409,
      "hosts_differ",
      { expected_hosts: 5, hosts_total: 1 }
    ])
    const made = await world.post("/api/v1/jobs", { ...rest, group_id: group, expected_hosts: 1 })
    expect(made.json()).toMatchObject({
      hosts_total: 1,
      target: { kind: "group", group_id: group, name: "planned" },
      on_change: "stop",
      current_wave: 1
    })
    await web.rows("insert into host_groups (host_id, group_id) values ($1, $2)", [a, group])
    expect((await web.call("GET", `/api/v1/jobs/${made.string("id")}`, { token })).at("hosts_total")).toBe(1)
    await web.rows("delete from host_groups where host_id = $1", [a])
    await web.rows("update patch_job_hosts set state = 'cancelled', ended = true where not ended")
    await web.rows("update patch_jobs set state = 'cancelled', finished_at = now() where finished_at is null")
  })
})

describe("a plan's hash", () => {
  it("makes the job that was looked at, which stores what was foretold", async () => {
    const hash = (await plan()).string("hash")
    const made = await world.post("/api/v1/jobs", body({ plan_hash: hash }))
    expect([made.status, made.at("plan_hash")]).toEqual([201, hash])
    const rows = await web.call("GET", `/api/v1/jobs/${made.string("id")}/hosts`, { token })
    expect(rows.at("items.0.foretold")).toMatchObject({ host_id: a, changes: [{ name: "curl" }, { name: "bash" }] })
    const stored = await web.rows(
      "select planned, expected_seconds from patch_job_hosts where job_id = $1 and host_id = $2",
      [made.string("id"), a]
    )
    expect(stored[0]).toMatchObject({ planned: [{ name: "curl", from: "8.0", to: "8.1" }, {}], expected_seconds: 120 })
    await web.rows("update patch_job_hosts set state = 'cancelled', ended = true where not ended")
  })

  it("refuses another plan and says what differs", async () => {
    const hash = (await plan()).string("hash")
    await world.list(a, [
      { name: "curl", from: "8.0", to: "8.2", security: true },
      { name: "jq", from: "1.6", to: "1.7" }
    ])
    const refused = await world.post("/api/v1/jobs", body({ plan_hash: hash }))
    expect([refused.status, refused.at("error.code")]).toEqual([409, "plan_changed"])
    expect(refused.at("error.details.differences")).toEqual([
      "plan-a: bash is gone, curl is 8.0 to 8.2 and was 8.0 to 8.1, jq is new."
    ])
    expect(refused.at("error.details.plan_hash")).toBe((await plan()).string("hash"))
  })
})

describe("how long a host takes", () => {
  it("is what nine of ten of its own runs took, else of the fleet's", async () => {
    const made = await world.post("/api/v1/jobs", body())
    await world.end(made.string("id"), a, "succeeded")
    const answer = await plan()
    expect([answer.at("hosts.0.expected_seconds"), answer.at("hosts.1.expected_seconds")]).toEqual([40, 40])
    await web.rows("delete from patch_jobs")
  })
})

it.each([
  ["no target", { host_ids: undefined }, "payload.host_ids"],
  ["two targets", { filter: { pending: "any" } }, "payload"],
  ["packages for patches", { packages: [{ name: "curl", version: null }] }, "payload.packages"],
  ["a selection for a reboot", { kind: "reboot" }, "payload.selection"],
  ["an install of nothing", { kind: "package_install", selection: undefined }, "payload.packages"],
  [
    "two packages to remove",
    {
      kind: "package_remove",
      selection: undefined,
      packages: [
        { name: "a1", version: null },
        { name: "b1", version: null }
      ]
    },
    "payload.packages"
  ],
  [
    "a version to update to",
    { kind: "package_update", selection: undefined, packages: [{ name: "a1", version: "2" }] },
    "payload.packages.0.version"
  ],
  ["a moment that has passed", { when: { kind: "at", at: "2020-01-01T00:00:00Z" } }, "payload.when.at"],
  ["a moment outside of the windows", { when: { kind: "at", at: "2090-01-01T00:00:00Z" } }, "payload.when.at"],
  [
    "a blackout ignored in a window",
    { when: { kind: "next_window" }, ignore_blackout: true },
    "payload.ignore_blackout"
  ]
])("refuses %s", async (_what, more, path) => {
  for (const answer of [await plan(more), await world.post("/api/v1/jobs", body(more))]) {
    expect([answer.status, answer.at("error.details.fields.0.path")]).toEqual([422, path])
  }
})
