import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { makeJobWorld } from "./jobWorld.ts"
import { startTestWeb, type TestWeb } from "./TestWeb.ts"

let web: TestWeb
let token: string
let a: string
let b: string
let world: ReturnType<typeof makeJobWorld>
beforeAll(async () => {
  web = await startTestWeb()
  await web.addUser("admin", "admin")
  token = await web.tokenFor("admin")
  world = makeJobWorld(web, token)
  a = await web.addHost(token, { address: "127.0.5.1", display_name: "follow-a" })
  b = await web.addHost(token, { address: "127.0.5.2", display_name: "follow-b" })
})
afterAll(() => web.stop())

const agent = "3.0.0"
const installed = { curl: { version: "8.1", available_versions: ["8.0", "8.1"] }, libnew: { version: "1" } }
beforeEach(async () => {
  await web.rows("delete from patch_jobs")
  await world.list(a, [{ name: "curl", from: "8.0", to: "8.1" }], { agent, installed })
  await world.list(b, [{ name: "curl", from: "8.0", to: "8.1" }], { agent })
})

const apply = async (more: object = {}) =>
  (
    await world.post("/api/v1/jobs", {
      kind: "patch_apply",
      host_ids: [a, b],
      selection: { kind: "all" },
      when: { kind: "immediate" },
      reboot: "if_needed",
      ...more
    })
  ).string("id")
const finish = (id: string, state: string) =>
  web.rows("update patch_jobs set state = $2, finished_at = now() where id = $1", [id, state])
const actions = async (id: string) =>
  (await web.rows<{ action: string }>("select action from audit_log where object_id = $1 order by seq", [id])).map(
    (row) => row.action
  )

describe("pausing", () => {
  it("is noted with who did it, once, and taken back", async () => {
    const id = await apply()
    const call = (what: string) => web.call("POST", `/api/v1/jobs/${id}/${what}`, { token })
    expect((await call("pause")).status).toBe(202)
    expect((await web.call("GET", `/api/v1/jobs/${id}`, { token })).at("paused_by")).toBe("admin")
    const again = await call("pause")
    expect([again.status, again.at("error.code")]).toEqual([409, "job_paused"])
    expect((await call("resume")).status).toBe(202)
    expect((await call("resume")).at("error.code")).toBe("job_not_paused")
    expect((await web.call("GET", `/api/v1/jobs/${id}`, { token })).at("paused_by")).toBe(null)
    expect(await actions(id)).toEqual(["job.create", "job.pause", "job.resume"])
    await finish(id, "cancelled")
    expect((await call("pause")).at("error.code")).toBe("job_finished")
  })
})

describe("cancelling", () => {
  it("also ends hosts that were put off to a later window", async () => {
    const id = await apply({ when: { kind: "next_window" } })
    await web.rows("update patch_job_hosts set state = 'deferred', deferrals = 1 where job_id = $1", [id])
    expect((await web.call("POST", `/api/v1/jobs/${id}/cancel`, { token })).status).toBe(202)
    expect((await web.call("GET", `/api/v1/jobs/${id}`, { token })).at("counts")).toEqual({ cancelled: 2 })
  })
})

describe("a retry", () => {
  it("is a new job like the old one, for the hosts that ended so", async () => {
    const id = await apply({ notes: "Tuesday", max_concurrency: 3 })
    await world.end(id, a, "failed", { verdict: "failed" })
    await world.end(id, b, "succeeded")
    const made = await world.post(`/api/v1/jobs/${id}/retry`, { states: ["failed", "deferred"] }, "retry")
    expect(made.status).toBe(201)
    expect(made.json()).toMatchObject({
      kind: "patch_apply",
      parent_job_id: id,
      hosts_total: 1,
      reboot: "if_needed",
      max_concurrency: 3,
      notes: "Tuesday",
      when: { kind: "immediate" }
    })
    const twice = await world.post(`/api/v1/jobs/${id}/retry`, { states: ["failed", "deferred"] }, "retry")
    expect(twice.at("id")).toBe(made.at("id"))
    const none = await world.post(`/api/v1/jobs/${id}/retry`, { states: ["cancelled"] })
    expect([none.status, none.at("error.code")]).toEqual([409, "nothing_to_retry"])
  })
})

describe("a rollback", () => {
  const effects = [
    { name: "curl", from: "8.0", to: "8.1" },
    { name: "libnew", from: null, to: "1" },
    { name: "linux-image-amd64", from: "6.1", to: "6.2" }
  ]
  const roll = (id: string, body: object) => world.post(`/api/v1/jobs/${id}/rollback`, body)
  const now = { when: { kind: "immediate" } }

  it("by versions puts back what can be, and says what cannot", async () => {
    const id = await apply({ host_ids: [a] })
    await world.end(id, a, "succeeded", {}, effects)
    const ran = await web.call("GET", `/api/v1/jobs/${id}/hosts`, { token })
    expect([ran.at("items.0.effects"), ran.at("items.0.undo")]).toEqual([
      effects,
      {
        answer: "partly",
        because:
          "The version from before is still offered for curl; kernel and boot packages are never put back (linux-image-amd64); what the run installed anew stays (libnew)."
      }
    ])
    const plan = await web.call("POST", `/api/v1/jobs/${id}/rollback/plan`, {
      token,
      body: { method: "versions", ...now }
    })
    expect(plan.at("hosts.0.changes")).toEqual([{ name: "curl", from: "8.1", to: "8.0", goal: "exactly" }])
    const made = await roll(id, { method: "versions", plan_hash: plan.string("hash"), ...now })
    expect(made.status).toBe(201)
    expect(made.json()).toMatchObject({ kind: "rollback", method: "versions", parent_job_id: id, hosts_total: 1 })
    const rows = await web.rows(
      "select planned, parent_order_id is not null as follows from patch_job_hosts where job_id = $1",
      [made.string("id")]
    )
    expect(rows[0]).toEqual({
      planned: [
        { name: "curl", from: "8.1", to: "8.0", goal: "exactly" },
        { name: "libnew", from: "1", to: null, goal: "absent" }
      ],
      follows: true
    })
    expect(await actions(made.string("id"))).toEqual(["job.create"])
  })

  it("by the agent takes the agent's job and everything it did", async () => {
    const id = await apply({ host_ids: [a] })
    await world.end(id, a, "succeeded", {}, effects)
    const made = await roll(id, { method: "agent", ...now })
    const rows = await web.rows(
      "select undone_agent_job_id, jsonb_array_length(planned) as n from patch_job_hosts where job_id = $1",
      [made.string("id")]
    )
    expect(rows[0]).toEqual({ undone_agent_job_id: "agent-job", n: 3 })
  })

  it("is refused with the reason where an older version cannot come back", async () => {
    await world.list(a, [], { agent: "2.7.0", installed })
    const id = await apply({ host_ids: [a] })
    await world.end(id, a, "succeeded", {}, effects)
    const refused = await roll(id, { method: "versions", ...now })
    expect([refused.status, refused.at("error.code")]).toEqual([409, "not_undoable"])
    expect(refused.string("error.message")).toContain("does not install older versions")
  })

  it("is refused for hosts on which the job did not run", async () => {
    const id = await apply()
    await world.end(id, a, "succeeded", {}, effects)
    const refused = await roll(id, { method: "versions", host_ids: [b], ...now })
    expect([refused.status, refused.at("error.details.host_ids")]).toEqual([409, [b]])
    await world.end(id, b, "failed", { ran: false })
    expect((await roll(id, { method: "versions", host_ids: [b], ...now })).string("error.message")).toContain(
      "did not run"
    )
  })
})

describe("an operator of one group", () => {
  it("plans, repeats and undoes only what he sees, and pauses only jobs that are his alone", async () => {
    await web.addUser("olga", "operator")
    const made = await web.call("POST", "/api/v1/groups", {
      token,
      body: { name: "foreign", description: "" },
      headers: { "idempotency-key": "foreign" }
    })
    await web.rows("insert into host_groups (host_id, group_id) values ($1, $2)", [b, made.string("id")])
    const olga = await web.tokenFor("olga")
    const call = (path: string, body: object, key = "olga") =>
      web.call("POST", path, { token: olga, body, headers: { "idempotency-key": key } })
    const now = { kind: "reboot", when: { kind: "immediate" } }

    const foreign = await call("/api/v1/jobs/plan", { ...now, host_ids: [a, b] })
    expect([foreign.status, foreign.at("error.details.host_ids")]).toEqual([404, [b]])
    expect((await call("/api/v1/jobs/plan", { ...now, group_id: made.string("id") })).at("error.code")).toBe(
      "group_not_found"
    )
    const all = await call("/api/v1/jobs/plan", { ...now, filter: {} })
    expect([all.at("hosts_total"), all.at("hosts.0.host_id")]).toEqual([1, a])
    expect((await web.call("GET", `/api/v1/hosts/${b}/reasons`, { token: olga })).status).toBe(404)

    const id = await apply()
    const paused = await call(`/api/v1/jobs/${id}/pause`, {})
    expect([paused.status, paused.at("error.code")]).toEqual([409, "not_all_in_sight"])
    const effects = [{ name: "curl", from: "8.0", to: "8.1" }]
    for (const host of [a, b]) await world.end(id, host, "failed", { verdict: "failed" }, effects)
    const retry = await call(`/api/v1/jobs/${id}/retry`, { states: ["failed"] }, "retry-olga")
    expect(retry.at("hosts_total")).toBe(1)
    const undo = await call(
      `/api/v1/jobs/${id}/rollback`,
      { method: "versions", when: { kind: "immediate" } },
      "undo-olga"
    )
    expect([undo.status, undo.at("hosts_total")]).toEqual([201, 1])
    await web.rows("delete from host_groups where host_id = $1", [b])
  })
})
