import { X509Certificate } from "node:crypto"
import { readFileSync } from "node:fs"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { expireEnrolments } from "#sql/EnrolmentStore.ts"
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

let machines = 0
const machine = (over: object = {}) => {
  const n = ++machines
  return {
    machine_id: n.toString(16).padStart(32, "0"),
    fqdn: `e${n}.example.org`,
    ip_address: `127.60.0.${n}`,
    os_details: { distro: "Ubuntu", version: "24.04", id_like: "debian", codename: "noble", kernel: "6.8.0" },
    hostname: `e${n}`,
    ...over
  }
}
const ask = (body: unknown) => web.call("POST", "/api/v1/enroll", { body })
const poll = (token: string) => web.call("GET", `/api/v1/enroll/status/${token}`)
let keys = 0
const approve = (id: string, body: object = {}, key = `approve-${++keys}`) =>
  web.call("POST", `/api/v1/enrolments/${id}/approve`, { token: admin, body, headers: { "idempotency-key": key } })
const deny = (id: string) => web.call("POST", `/api/v1/enrolments/${id}/deny`, { token: admin })
const queue = async (query = "?state=pending") =>
  (await web.call("GET", `/api/v1/enrolments${query}`, { token: admin })).at("items") as ReadonlyArray<{
    readonly id: string
    readonly fqdn: string
    readonly attempts: number
    readonly conflicts: ReadonlyArray<{ readonly kind: string; readonly name: string | null }>
  }>
const idOf = async (fqdn: string) => (await queue("?state=pending")).find((one) => one.fqdn === fqdn)?.id ?? ""
const joined = async (over: object = {}) => {
  const body = machine(over)
  const answer = await ask(body)
  expect(answer.status).toBe(202)
  return { body, token: answer.string("polling_token"), id: await idOf(body.fqdn) }
}
const audited = async (object: string) =>
  (await web.rows<{ action: string }>("select action from audit_log where object_id = $1 order by seq", [object])).map(
    ({ action }) => action
  )
const forget = () => web.rows("delete from enrolments")

describe("asking to join", () => {
  it("is answered in the bytes agents know, and leaves only what stays of the token", async () => {
    const sent = readFileSync("test/fixtures/agent/enroll-request.json", "utf8")
    const answer = await web.call("POST", "/api/v1/enroll", { raw: sent })
    expect(answer.status).toBe(202)
    expect(answer.text).toMatch(/^\{"polling_token":"[A-Za-z0-9]{64}"\}$/)
    expect((await poll(answer.string("polling_token"))).text).toBe(
      readFileSync("test/fixtures/agent/enroll-status-pending.json", "utf8").trim()
    )
    const rows = await web.rows<{ row: string; token_hash: string }>(
      "select e::text as row, token_hash from enrolments e"
    )
    expect(rows[0]!.row).not.toContain(answer.string("polling_token"))
    expect(rows[0]!.token_hash).toMatch(/^[0-9a-f]{64}$/)
    const [item] = await queue()
    expect(item).toMatchObject({
      fqdn: "web-01.fra.example.test",
      address: "10.20.30.41",
      machine_id: "9f2c0b7e1d3a4f5c8e6b7a9d0c1e2f3a",
      hostname: "web-01",
      system: { distro: "Ubuntu", version: "24.04", kernel: "6.8.0-45-generic" },
      source_address: "127.0.0.1",
      conflicts: []
    })
    expect(await audited(item!.id)).toEqual(["enrolment.request"])
    await forget()
  })

  it("takes keys nobody here knows, at every depth, and a body without the optional ones", async () => {
    const { hostname: _hostname, os_details: _details, ...bare } = machine()
    expect((await ask(bare)).status).toBe(202)
    const more = machine({
      fqdn: "UPPER.Example.org.",
      os_details: { distro: "Alpine", future: { a: 1 } },
      agent: "9.0"
    })
    expect((await ask(more)).status).toBe(202)
    expect((await queue()).map(({ fqdn }) => fqdn)).toContain("upper.example.org")
    await forget()
  })

  it.each([
    [{ machine_id: "short" }, 422],
    [{ fqdn: "not a name" }, 422],
    [{ ip_address: "169.254.1.1" }, 422],
    [{ ip_address: "nonsense" }, 422],
    [{ os_details: { distro: "x".repeat(501) } }, 422]
  ])("refuses %j", async (over, expected) => {
    expect((await ask(machine(over))).status).toBe(expected)
  })

  it("refuses a body that is too large", async () => {
    expect((await ask(machine({ os_details: { filler: "x".repeat(70_000) } }))).status).toBe(413)
  })

  it("keeps a machine's place when it asks again, with a new token only", async () => {
    const first = await joined()
    const again = await ask(first.body)
    const [item, ...others] = await queue()
    expect([item?.id, item?.attempts, others.length]).toEqual([first.id, 2, 0])
    expect((await poll(first.token)).json()).toEqual({ status: "notfound" })
    expect((await poll(again.string("polling_token"))).json()).toEqual({ status: "pending" })
    expect(await audited(first.id)).toEqual(["enrolment.request", "enrolment.repeat"])
    await forget()
  })

  it("lets nobody take over another's request, nor keep the machine out", async () => {
    const real = await joined()
    await web.rows("update enrolments set source_address = '192.0.2.50' where id = $1", [real.id])
    const stranger = await ask(real.body)
    expect(stranger.status).toBe(202)
    expect((await poll(real.token)).json()).toEqual({ status: "pending" })
    const both = await queue()
    expect(both.map(({ conflicts }) => conflicts.map(({ kind, name }) => [kind, name]))).toEqual([
      [["request", `${real.body.fqdn} from 127.0.0.1`]],
      [["request", `${real.body.fqdn} from 192.0.2.50`]]
    ])
    const refused = await approve(both[1]!.id)
    expect([refused.status, refused.at("error.code")]).toEqual([409, "enrolment_conflict"])
    expect((await deny(both[1]!.id)).status).toBe(200)
    expect((await poll(stranger.string("polling_token"))).json()).toEqual({ status: "denied" })
    expect((await approve(real.id)).status).toBe(200)
    expect((await poll(real.token)).at("status")).toBe("approved")
    await forget()
  })

  it("makes one request of ten equal ones at once", async () => {
    const body = machine()
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask(body)))
    const tokens = answers.filter(({ status }) => status === 202).map((answer) => answer.string("polling_token"))
    expect(tokens.length).toBeGreaterThan(0)
    expect(await queue()).toHaveLength(1)
    const alive = (await Promise.all(tokens.map(poll))).filter((answer) => answer.at("status") === "pending")
    expect(alive).toHaveLength(1)
    await forget()
  })
})

describe("what is public beside it", () => {
  it("a signed list of revoked certificates, the same until it is renewed", async () => {
    const answer = await web.call("GET", "/api/v1/pki/crl.pem")
    expect([answer.status, answer.headers["content-type"]]).toEqual([200, expect.stringContaining("x-pem-file")])
    expect(answer.text).toContain("-----BEGIN X509 CRL-----")
    expect((await web.call("GET", "/api/v1/pki/crl.pem")).text).toBe(answer.text)
  })

  it("no repository, in the envelope", async () => {
    const answer = await web.call("GET", "/api/v1/pki/repo-config?distro_id=ubuntu&codename=noble")
    expect([answer.status, answer.at("error.code")]).toEqual([404, "repo_config_missing"])
  })

  it("and a token that was never given out is not found, in words agents stop at", async () => {
    for (const token of ["x", "a".repeat(64), "%00", "..%2f", "a".repeat(90)]) {
      const answer = await poll(token)
      expect([answer.status, answer.text]).toEqual([
        200,
        readFileSync("test/fixtures/agent/enroll-status-notfound.json", "utf8").trim()
      ])
    }
  })
})

describe("deciding", () => {
  it("approves: host, certificate and bundle together, and the agent gets what it can use", async () => {
    const { body, token, id } = await joined()
    const group = await web.rows<{ id: string }>(
      "insert into groups (id, name) values (gen_random_uuid(), 'web') returning id"
    )
    const done = await approve(id, { display_name: "Web one", group_ids: [group[0]!.id], agent_port: 12500 })
    expect(done.status).toBe(200)
    expect(done.json()).toMatchObject({ state: "approved", decided_by: "admin", fetches: 0, first_fetched_at: null })
    const host = done.string("host_id")
    expect((await web.call("GET", `/api/v1/hosts/${host}`, { token: admin })).json()).toMatchObject({
      display_name: "Web one",
      fqdn: body.fqdn,
      address: body.ip_address,
      agent_port: 12500,
      groups: [{ name: "web" }],
      registered_by: "admin"
    })
    const stored = await web.rows<{ bundle: Buffer }>("select bundle from enrolments where id = $1", [id])
    expect(stored[0]!.bundle.includes("PRIVATE KEY")).toBe(false)
    const bundle = await poll(token)
    expect(Object.keys(bundle.json() as object)).toEqual(["status", "ca_crt", "server_crt", "server_key", "crl_pem"])
    const leaf = new X509Certificate(bundle.string("server_crt"))
    expect(leaf.verify(new X509Certificate(bundle.string("ca_crt")).publicKey)).toBe(true)
    expect(leaf.checkHost(body.fqdn)).toBe(body.fqdn)
    expect(leaf.checkIP(body.ip_address)).toBe(body.ip_address)
    expect(leaf.subjectAltName).toContain(`urn:patch-manager:host:${host}`)
    expect(bundle.string("server_key")).toContain("PRIVATE KEY")
    expect(bundle.string("crl_pem")).toContain("X509 CRL")
    expect((await poll(token)).text).toBe(bundle.text)
    const item = (await queue("?state=approved")).find((one) => one.id === id)
    expect(item).toMatchObject({ fetches: 2, first_fetched_at: expect.any(String) })
    expect(await audited(id)).toEqual(["enrolment.request", "enrolment.approve", "enrolment.fetch", "enrolment.fetch"])
    expect((await audited(host)).toSorted()).toEqual(["certificate.issue", "host.register"])
    const everything = await web.rows<{ text: string }>("select string_agg(a::text, '') as text from audit_log a")
    expect(everything[0]!.text).not.toContain("PRIVATE KEY")
    expect(everything[0]!.text).not.toContain(token)
  })

  it("keeps the bundle for ten minutes after the first fetch, and a day in all", async () => {
    const { token, id } = await joined()
    await approve(id)
    expect((await poll(token)).at("status")).toBe("approved")
    await web.rows("update enrolments set first_fetched_at = now() - interval '9 minutes 50 seconds' where id = $1", [
      id
    ])
    expect((await poll(token)).at("status")).toBe("approved")
    await web.rows("update enrolments set first_fetched_at = now() - interval '10 minutes 1 second' where id = $1", [
      id
    ])
    expect((await poll(token)).json()).toEqual({ status: "notfound" })
    const late = await joined()
    await approve(late.id)
    await web.rows("update enrolments set expires_at = now() - interval '1 second' where id = $1", [late.id])
    expect((await poll(late.token)).json()).toEqual({ status: "notfound" })
  })

  it("hands out no bundle of a host that was removed, or whose certificate was replaced", async () => {
    const { token, id } = await joined()
    const host = (await approve(id)).string("host_id")
    await web.call("POST", `/api/v1/hosts/${host}/certificate`, { token: admin })
    expect((await poll(token)).json()).toEqual({ status: "notfound" })
    const gone = await joined()
    const other = (await approve(gone.id)).string("host_id")
    await web.rows("update hosts set removed_at = now() where id = $1", [other])
    expect((await poll(gone.token)).json()).toEqual({ status: "notfound" })
  })

  it("is done once: in parallel, repeated under one key, and again under another", async () => {
    const { token, id } = await joined()
    const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => approve(id, {}, `same-${n}`)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(9)
    const key = `same-${answers.findIndex(({ status }) => status === 200)}`
    expect((await approve(id, {}, key)).status).toBe(200)
    expect((await deny(id)).at("error.message")).toBe("The request is already approved, by admin.")
    const host = answers.find(({ status }) => status === 200)!.string("host_id")
    const counted = await web.rows<{ hosts: number; certificates: number }>(
      `select (select count(*)::int from hosts where machine_id = (select machine_id from enrolments where id = $1)) as hosts,
        (select count(*)::int from certificates where host_id = $2 and revoked_at is null) as certificates`,
      [id, host]
    )
    expect(counted[0]).toEqual({ hosts: 1, certificates: 1 })
    const bundles = await Promise.all(Array.from({ length: 5 }, () => poll(token)))
    expect(new Set(bundles.map(({ text }) => text)).size).toBe(1)
  })

  it("leaves nothing behind where it fails in the middle", async () => {
    const { token, id, body } = await joined()
    const failed = await approve(id, { group_ids: ["01a200e4-e652-72f9-b45c-117b1e318cc9"] })
    expect(failed.status).toBe(404)
    expect(await web.rows("select 1 from hosts where fqdn = $1", [body.fqdn])).toHaveLength(0)
    expect((await poll(token)).json()).toEqual({ status: "pending" })
    expect((await approve(id)).status).toBe(200)
  })

  it("shows and refuses what is in the way, until it is out of the way", async () => {
    const name = await web.addHost(admin, { fqdn: "taken.example.org", address: "127.61.0.1", display_name: "Name" })
    const address = await web.addHost(admin, { address: "127.61.0.2", agent_port: 999, display_name: "Address" })
    const { id } = await joined({ fqdn: "taken.example.org", ip_address: "127.61.0.2" })
    const conflicts = async () =>
      (await queue()).find((one) => one.id === id)?.conflicts.map(({ kind, name: of }) => [kind, of])
    expect(await conflicts()).toEqual([
      ["address", "Address"],
      ["fqdn", "Name"]
    ])
    const refused = await approve(id)
    expect([refused.status, refused.at("error.message")]).toEqual([
      409,
      "Address is registered at this address. Remove it or correct its address."
    ])
    await web.rows("update hosts set removed_at = now() where id = any($1::uuid[])", [[name, address]])
    expect(await conflicts()).toEqual([])
    expect((await approve(id)).status).toBe(200)
  })

  it("does not take a machine in twice, and takes it in again after its host is gone", async () => {
    const { body, id } = await joined()
    const host = (await approve(id)).string("host_id")
    const again = await ask(body)
    expect([again.status, again.at("error.code")]).toEqual([409, "machine_registered"])
    await web.rows("update hosts set removed_at = now() where id = $1", [host])
    expect((await ask(body)).status).toBe(202)
    expect((await approve(await idOf(body.fqdn))).status).toBe(200)
  })

  it("shows an operator that a host is in the way, but not one he may not see", async () => {
    const hidden = await web.addHost(admin, { address: "127.61.0.9", display_name: "Hidden" })
    await web.rows("insert into host_groups (host_id, group_id) select $1, id from groups where name = 'web'", [hidden])
    const { id } = await joined({ ip_address: "127.61.0.9" })
    const seen = await web.call("GET", `/api/v1/enrolments/${id}`, { token: operator })
    expect(seen.at("conflicts")).toEqual([{ kind: "address", host_id: null, enrolment_id: null, name: null }])
    expect((await web.call("GET", `/api/v1/enrolments/${id}`, { token: admin })).at("conflicts.0.name")).toBe("Hidden")
  })

  it("registers a machine without a full name by its address", async () => {
    const { id } = await joined({ fqdn: "localbox", hostname: null })
    const host = (await approve(id)).string("host_id")
    expect((await web.call("GET", `/api/v1/hosts/${host}`, { token: admin })).json()).toMatchObject({
      fqdn: null,
      display_name: "localbox"
    })
  })
})

describe("what is over", () => {
  it("is ended by the clock alone, audited, and a host whose agent just got its certificate is looked at again", async () => {
    await forget()
    const unanswered = await joined()
    const unfetched = await joined()
    const fetched = await joined()
    await approve(unfetched.id)
    const host = (await approve(fetched.id)).string("host_id")
    await poll(fetched.token)
    await web.rows("update enrolments set first_fetched_at = now() - interval '11 minutes' where id = $1", [fetched.id])
    await web.rows("update enrolments set expires_at = now() where id = any($1::uuid[])", [
      [unanswered.id, unfetched.id]
    ])
    await web.run(expireEnrolments)
    await web.run(expireEnrolments)
    const rows = await web.rows<{ id: string; state: string; empty: boolean }>(
      "select id, state, bundle is null as empty from enrolments order by id"
    )
    expect(rows.map(({ state, empty }) => [state, empty])).toEqual([
      ["expired", true],
      ["approved", true],
      ["approved", true]
    ])
    expect((await audited(unanswered.id)).at(-1)).toBe("enrolment.expire")
    expect((await audited(unfetched.id)).at(-1)).toBe("enrolment.bundle_expire")
    expect((await poll(unanswered.token)).json()).toEqual({ status: "notfound" })
    const asked = await web.rows("select 1 from host_requests where host_id = $1 and event->>'by' = 'enrolment'", [
      host
    ])
    expect(asked).toHaveLength(1)
    expect((await approve(unanswered.id)).at("error.message")).toBe(
      "The request has expired. The agent has to ask again."
    )
  })
})

describe("too many requests", () => {
  it("are refused with a time to wait", async () => {
    const answers = []
    for (let n = 0; n < 60 && answers.at(-1)?.status !== 429; n++) answers.push(await ask(machine()))
    expect(answers.at(-1)?.status).toBe(429)
    expect(Number(answers.at(-1)?.headers["retry-after"])).toBeGreaterThan(0)
    expect(Number(answers.at(-1)?.headers["retry-after"])).toBeLessThan(5)
  })
})
