import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { startTestWeb, type TestWeb } from "./TestWeb.ts"

let web: TestWeb
let admin: string
let operator: string
beforeAll(async () => {
  web = await startTestWeb()
  await web.addUser("admin", "admin")
  await web.addUser("olga", "operator")
  admin = (await web.signIn("admin")).token
  operator = (await web.signIn("olga")).token
})
afterAll(() => web.stop())

let keys = 0
const scan = (cidr: string, extra: { key?: string; port?: number; token?: string } = {}) =>
  web.call("POST", "/api/v1/discovery/cidr", {
    token: extra.token ?? admin,
    body: { cidr, ...(extra.port === undefined ? {} : { port: extra.port }) },
    headers: { "idempotency-key": extra.key ?? `scan-${++keys}` }
  })
const allow = (networks: ReadonlyArray<string>) =>
  web.rows(
    "insert into system_config (key, value) values ('discovery_networks', $1::jsonb) on conflict (key) do update set value = excluded.value",
    [JSON.stringify(networks)]
  )
const endAll = () => web.rows("update discovery_scans set state = 'done' where state in ('queued', 'running')")

describe("which networks may be scanned", () => {
  it("none at first; the refusal says where to add one", async () => {
    const answer = await scan("127.0.0.0/24")
    expect([answer.status, answer.at("error.details.fields.0")]).toEqual([
      422,
      {
        path: "payload.cidr",
        message: "No network may be scanned yet. Add one under Settings > Discovery networks."
      }
    ])
  })

  it.each([
    ["10.0.0.0/8", "1024 addresses at most"],
    ["0.0.0.0/0", "1024 addresses at most"],
    ["2001:db8::/64", "more than a billion"],
    ["10.0.0.0/21", "1024 addresses at most"],
    ["192.168.0.0/24", "(10.0.0.0/8, 127.0.0.0/8, ::/0)"],
    ["169.254.169.254", "no host can be registered"],
    ["fe80::/120", "no host can be registered"],
    ["::ffff:10.0.0.1", "not a network"],
    ["2130706433", "not a network"],
    ["example.org", "not a network"]
  ])("refuses %s", async (cidr, words) => {
    await allow(["10.0.0.0/8", "127.0.0.0/8", "::/0"])
    const answer = await scan(cidr)
    expect([answer.status, answer.at("error.details.fields.0.path")]).toEqual([422, "payload.cidr"])
    expect(answer.string("error.details.fields.0.message")).toContain(words)
    expect(await web.rows("select 1 from discovery_scans")).toHaveLength(0)
  })

  it("a change of the setting counts at once, and what is no network there allows nothing", async () => {
    await allow(["nonsense"])
    expect((await scan("127.9.0.0/22")).status).toBe(422)
    await allow(["nonsense", "127.9.0.0/16"])
    expect((await scan("127.9.0.0/22")).status).toBe(201)
    await endAll()
  })
})

describe("scanning", () => {
  beforeAll(() => allow(["127.0.0.0/8"]))

  it("is one scan at a time, audited, and the same again for the same key", async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => scan("127.9.1.5/24", { key: `par-${n}` })))
    const made = answers.filter(({ status }) => status === 201)
    expect([made.length, answers.filter(({ status }) => status === 409).length]).toEqual([1, 19])
    expect(made[0]!.json()).toMatchObject({
      cidr: "127.9.1.0/24",
      port: 12443,
      state: "queued",
      addresses_total: 256,
      addresses_probed: 0,
      found: 0,
      requested_by: "admin"
    })
    const other = await scan("127.9.2.0/24")
    expect(other.string("error.message")).toContain("127.9.1.0/24 by admin is queued")
    const key = `par-${answers.findIndex(({ status }) => status === 201)}`
    expect((await scan("127.9.1.5/24", { key })).string("id")).toBe(made[0]!.string("id"))
    const audited = await web.rows<{ after: unknown }>(
      "select after from audit_log where action = 'discovery.scan' and object_id = $1",
      [made[0]!.string("id")]
    )
    expect(audited).toEqual([{ after: { cidr: "127.9.1.0/24", port: 12443, addresses_total: 256 } }])
    const id = made[0]!.string("id")
    expect((await web.call("POST", `/api/v1/discovery/scans/${id}/cancel`, { token: admin })).status).toBe(202)
    expect((await web.call("GET", `/api/v1/discovery/scans/${id}`, { token: admin })).at("state")).toBe("cancelled")
    expect((await web.call("POST", `/api/v1/discovery/scans/${id}/cancel`, { token: admin })).status).toBe(409)
    expect((await scan("127.9.2.0/24")).status).toBe(201)
    await endAll()
  })

  it("shows every verdict to administrators; others see our own agents, and only hosts of their groups", async () => {
    const made = await scan("127.9.3.0/29", { port: 4711 })
    const id = made.string("id")
    await endAll()
    const hidden = await web.addHost(admin, { address: "127.9.3.1", agent_port: 4711 })
    const open = await web.addHost(admin, { address: "127.9.3.77", display_name: "elsewhere" })
    await web.rows("insert into groups (id, name) values (gen_random_uuid(), 'secret')")
    await web.rows("insert into host_groups (host_id, group_id) select $1, id from groups where name = 'secret'", [
      hidden
    ])
    await web.rows(
      `insert into discovery_results (scan_id, address, verdict, fqdn, host_id) values
        ($1, '127.9.3.1', 'agent', 'a.example.org', $2), ($1, '127.9.3.2', 'agent', 'b.example.org', $3),
        ($1, '127.9.3.3', 'agent_other_certificate', null, null), ($1, '127.9.3.4', 'other_service', null, null),
        ($1, '127.9.3.5', 'closed', null, null), ($1, '127.9.3.6', 'no_answer', null, null)`,
      [id, hidden, open]
    )
    const results = (token: string, query = "") =>
      web.call("GET", `/api/v1/discovery/scans/${id}/results${query}`, { token })
    const all = await results(admin)
    expect(all.at("total")).toBe(6)
    expect(all.at("items.0")).toMatchObject({ verdict: "agent", registered: { host_id: hidden, by: "certificate" } })
    expect(all.at("items.1.registered")).toMatchObject({ display_name: "elsewhere", address: "127.9.3.77" })
    expect((await results(admin, "?verdict=closed&verdict=other_service")).at("total")).toBe(2)
    const page = await results(admin, "?limit=4")
    const rest = await results(admin, `?limit=4&cursor=${page.string("next_cursor")}`)
    expect([page.at("items.3.address"), rest.at("items.0.address"), rest.at("next_cursor")]).toEqual([
      "127.9.3.4",
      "127.9.3.5",
      null
    ])
    const seen = await results(operator, "?verdict=closed")
    expect(seen.at("total")).toBe(2)
    expect(seen.at("items.0")).toMatchObject({ address: "127.9.3.1", registered: null })
    expect(seen.at("items.1.registered.display_name")).toBe("elsewhere")
    const mine = await web.call("GET", `/api/v1/discovery/scans/${id}`, { token: operator })
    expect([mine.at("counts"), mine.at("found")]).toEqual([null, 2])
    expect((await web.call("GET", `/api/v1/discovery/scans/${id}`, { token: admin })).at("counts.closed")).toBe(1)
    const register = (key: string, more: object = { group_ids: [group.string("id")] }) =>
      web.call("POST", `/api/v1/discovery/scans/${id}/register`, {
        token: admin,
        body: { addresses: ["127.9.3.3", "127.9.3.4"], ...more },
        headers: { "idempotency-key": key }
      })
    const group = await web.call("POST", "/api/v1/groups", {
      token: admin,
      body: { name: "Found" },
      headers: { "idempotency-key": "found" }
    })
    const unknown = { group_ids: [group.string("id"), "01a200e4-e652-72f9-b45c-117b1e318cc9"] }
    expect((await register("reg-0", unknown)).at("error.code")).toBe("group_not_found")
    const done = await register("reg")
    expect([done.status, done.at("registered"), done.at("items.0.outcome"), done.at("items.1.outcome")]).toEqual([
      200,
      1,
      "registered",
      "refused"
    ])
    expect((await register("reg")).text).toBe(done.text)
    expect((await register("reg-2")).at("items.0.outcome")).toBe("already_registered")
    const hosts = await web.rows(
      "select 1 from hosts h join host_groups g on g.host_id = h.id where h.address = '127.9.3.3' and h.removed_at is null"
    )
    expect(hosts).toHaveLength(1)
  })

  it("keeps the last twenty scans", async () => {
    for (let n = 0; n < 25; n++) {
      expect((await scan("127.9.4.0/32")).status).toBe(201)
      await endAll()
    }
    const list = await web.call("GET", "/api/v1/discovery/scans?limit=15", { token: operator })
    expect([list.at("total"), (list.at("items") as Array<unknown>).length]).toEqual([20, 15])
  })
})
