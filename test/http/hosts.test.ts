import { X509Certificate } from "node:crypto"
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

const names = (answer: { readonly at: (path: string) => unknown }): ReadonlyArray<string> =>
  (answer.at("items") as ReadonlyArray<{ readonly display_name: string }>).map((item) => item.display_name)

const lastAudit = async (action: string) =>
  (
    await web.rows<{
      actor_name: string
      object_id: string
      before: unknown
      after: unknown
      request_id: string
      source_address: string
    }>("select * from audit_log where action = $1 order by seq desc limit 1", [action])
  )[0]

describe("registering", () => {
  it("writes host, first snapshot, hint and audit row together, and answers a repetition the same", async () => {
    const send = (body: object, key = "reg-1") =>
      web.call("POST", "/api/v1/hosts", { token: admin, body, headers: { "idempotency-key": key } })
    const body = { fqdn: "web-01.example.org", address: "127.1.0.1", agent_port: 12000 }
    const made = await send(body)
    expect(made.json()).toMatchObject({
      display_name: "web-01.example.org",
      address: "127.1.0.1",
      agent_port: 12000,
      link: "unknown",
      work: "idle",
      summary: "unknown",
      registered_by: "admin",
      version: 1
    })
    expect((await send(body)).json()).toEqual(made.json())
    const other = await send({ ...body, agent_port: 12001 })
    expect([other.status, other.at("error.code")]).toEqual([422, "idempotency_key_reused"])
    const audited = await lastAudit("host.register")
    expect(audited).toMatchObject({
      actor_name: "admin",
      object_id: made.string("id"),
      request_id: made.headers["x-request-id"],
      source_address: "127.0.0.1"
    })
    const rows = await web.rows<{ n: number }>(
      "select count(*)::int as n from host_snapshots where host_id = $1 and version = 0",
      [made.string("id")]
    )
    expect(rows[0]!.n).toBe(1)
  })

  it("carries out one of twenty equal requests at once", async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        web.call("POST", "/api/v1/hosts", {
          token: admin,
          body: { address: "127.1.0.2" },
          headers: { "idempotency-key": "same" }
        })
      )
    )
    expect(new Set(answers.map((answer) => `${answer.status} ${answer.text}`)).size).toBe(1)
    expect(answers[0]!.status).toBe(201)
  })

  it.each([
    [{}, "payload"],
    [{ address: "0.0.0.0" }, "payload.address"],
    [{ address: "169.254.169.254" }, "payload.address"],
    [{ address: "::ffff:169.254.169.254" }, "payload.address"],
    [{ address: "224.0.0.1" }, "payload.address"],
    [{ address: "fe80::1" }, "payload.address"],
    [{ address: "127.0.0.01" }, "payload.address"],
    [{ address: "1:2" }, "payload.address"],
    [{ fqdn: "Web.Example.org" }, "payload.fqdn"],
    [{ fqdn: "no-such-host.invalid" }, "payload.fqdn"]
  ])("refuses %j", async (body, path) => {
    const answer = await web.call("POST", "/api/v1/hosts", {
      token: admin,
      body,
      headers: { "idempotency-key": JSON.stringify(body) }
    })
    expect([answer.status, answer.at("error.details.fields.0.path")]).toEqual([422, path])
  })

  it("refuses a name that is taken, and frees it when the host is gone", async () => {
    const body = { fqdn: "twice.example.org", address: "127.1.0.3" }
    const id = await web.addHost(admin, body)
    const again = await web.call("POST", "/api/v1/hosts", {
      token: admin,
      body: { ...body, address: "127.1.0.4" },
      headers: { "idempotency-key": "twice" }
    })
    expect([again.status, again.at("error.code")]).toEqual([409, "fqdn_taken"])
    await web.rows("update hosts set removed_at = now() where id = $1", [id])
    expect(await web.addHost(admin, body)).not.toBe(id)
  })
})

describe("editing", () => {
  it("needs the version that was read, and keeps the edit of whoever came first", async () => {
    const id = await web.addHost(admin, { address: "127.1.1.1" })
    const read = await web.call("GET", `/api/v1/hosts/${id}`, { token: admin })
    expect(read.headers["etag"]).toBe('"1"')
    const edit = (display_name: string) =>
      web.call("PATCH", `/api/v1/hosts/${id}`, { token: admin, body: { display_name }, headers: { "if-match": '"1"' } })
    const both = await Promise.all([edit("one"), edit("two")])
    expect(both.map((answer) => answer.status).toSorted()).toEqual([200, 412])
    const winner = both.find((answer) => answer.status === 200)!
    expect(winner.headers["etag"]).toBe('"2"')
    const after = await web.call("GET", `/api/v1/hosts/${id}`, { token: admin })
    expect(after.at("display_name")).toBe(winner.at("display_name"))
    expect(await lastAudit("host.edit")).toMatchObject({
      before: { display_name: "127.1.1.1" },
      after: { display_name: winner.at("display_name") }
    })
  })

  it("raises the trust generation when the host moves, and has it polled", async () => {
    const id = await web.addHost(admin, { address: "127.1.1.2" })
    await web.call("PATCH", `/api/v1/hosts/${id}`, {
      token: admin,
      body: { address: "127.1.1.3" },
      headers: { "if-match": "1" }
    })
    const rows = await web.rows<{ trust_generation: number; wishes: number }>(
      "select trust_generation, (select count(*)::int from host_requests r where r.host_id = h.id and r.event->>'type' = 'refresh') as wishes from hosts h where id = $1",
      [id]
    )
    expect(rows[0]).toEqual({ trust_generation: 1, wishes: 1 })
  })
})

describe("asking the worker", () => {
  it("leaves a request in the machine's own words, with its audit row", async () => {
    const id = await web.addHost(admin, { address: "127.1.2.1" })
    expect((await web.call("POST", `/api/v1/hosts/${id}/refresh`, { token: admin })).status).toBe(202)
    expect((await web.call("DELETE", `/api/v1/hosts/${id}?force=true`, { token: admin })).status).toBe(202)
    const rows = await web.rows<{ event: unknown }>(
      "select event from host_requests where host_id = $1 order by created_at",
      [id]
    )
    expect(rows.map((row) => row.event)).toEqual([
      { type: "refresh", by: "admin" },
      { type: "retire", force: true, by: "admin" }
    ])
    expect((await lastAudit("host.remove"))?.object_id).toBe(id)
    const host = await web.call("GET", `/api/v1/hosts/${id}`, { token: admin })
    expect(host.at("removal_requested_at")).toBeTypeOf("string")
  })

  it.each(["dismiss", "retry", "settle"])("refuses %s where there is nothing to decide", async (what) => {
    const id = await web.addHost(admin, { address: `127.1.3.${what.length}` })
    const answer = await web.call("POST", `/api/v1/hosts/${id}/${what}`, {
      token: admin,
      ...(what === "settle" ? { body: { verdict: "done" } } : {})
    })
    expect([answer.status, answer.at("error.code")]).toEqual([409, "not_possible_now"])
  })

  it("takes a dismissal from a failed host", async () => {
    const id = await web.addHost(admin, { address: "127.1.3.20" })
    await web.rows(
      "update host_snapshots set value = jsonb_set(value, '{managed,work}', '\"failed\"'), work = 'failed', summary = 'failed' where host_id = $1",
      [id]
    )
    expect((await web.call("POST", `/api/v1/hosts/${id}/dismiss`, { token: admin })).status).toBe(202)
  })
})

describe("certificate", () => {
  it("is answered once with its key, signed by our CA, and replaces the one before", async () => {
    const id = await web.addHost(admin, { fqdn: "cert.example.org", address: "127.1.4.1" })
    expect((await web.call("GET", `/api/v1/hosts/${id}/client.crt`, { token: admin })).at("error.code")).toBe(
      "certificate_not_found"
    )
    const first = await web.call("POST", `/api/v1/hosts/${id}/certificate`, { token: admin })
    expect(first.status).toBe(201)
    expect(first.string("private_key_pem")).toContain("PRIVATE KEY")
    expect(first.string("install_commands")).toContain("systemctl restart")
    const root = await web.call("GET", "/api/v1/ca/root.crt")
    const leaf = new X509Certificate(first.string("certificate_pem"))
    expect(leaf.verify(new X509Certificate(root.text).publicKey)).toBe(true)
    expect(leaf.subjectAltName).toContain(`urn:patch-manager:host:${id}`)
    const second = await web.call("POST", `/api/v1/hosts/${id}/certificate`, { token: admin })
    const stored = await web.call("GET", `/api/v1/hosts/${id}/client.crt`, { token: admin })
    expect(stored.text).toBe(second.string("certificate_pem"))
    const rows = await web.rows<{ revoked: boolean; text: string }>(
      "select revoked_at is not null as revoked, c::text as text from certificates c where host_id = $1 order by issued_at",
      [id]
    )
    expect(rows.map((row) => row.revoked)).toEqual([true, false])
    expect(rows.some((row) => row.text.includes("PRIVATE"))).toBe(false)
    const audited = JSON.stringify(await lastAudit("certificate.issue"))
    expect(audited).toContain(second.string("certificate.serial"))
    expect(audited).not.toContain("PRIVATE")
    const host = await web.rows<{ trust_generation: number }>("select trust_generation from hosts where id = $1", [id])
    expect(host[0]!.trust_generation).toBe(2)
  })
})

describe("the list", () => {
  beforeAll(async () => {
    for (let i = 0; i < 12; i++) {
      const id = await web.addHost(admin, {
        address: `127.2.0.${i + 1}`,
        display_name: `list-${String(i).padStart(2, "0")}`
      })
      await web.rows(
        "update hosts set os = $2, reboot_needed = $3, last_seen_at = now() - $4 * interval '1 minute' where id = $1",
        [id, i % 2 ? "ubuntu" : "rocky", i === 3, i]
      )
      await web.rows(
        "insert into host_patch_data (host_id, patches, pending, security, content_hash) values ($1, '[]', $2, $3, '')",
        [id, i % 4, i % 4 === 3 ? 1 : 0]
      )
      if (i === 5) await web.rows("update host_snapshots set summary = 'failed' where host_id = $1", [id])
    }
  })

  const list = (query: string, token = admin) => web.call("GET", `/api/v1/hosts?q=list-&${query}`, { token })

  it.each([
    ["os=ubuntu", 6],
    ["os=ubuntu&os=rocky", 12],
    ["pending=any", 9],
    ["pending=security", 3],
    ["reboot_needed=true", 1],
    ["status=failed", 1],
    ["status=failed&status=unknown", 12],
    ["status=healthy", 0],
    ["os=ubuntu&pending=security", 3]
  ])("filtered by %s has %i", async (query, total) => {
    const answer = await list(query)
    expect([answer.at("total"), names(answer).length]).toEqual([total, total])
  })

  it.each([
    "name",
    "-name",
    "pending",
    "-pending",
    "security",
    "-security",
    "last_seen",
    "-last_seen",
    "status",
    "-status"
  ])("in the order %s gives every host once, page by page", async (sort) => {
    const whole = names(await list(`sort=${sort}&limit=500`))
    const paged: Array<string> = []
    let cursor: unknown = null
    do {
      const answer = await list(`sort=${sort}&limit=5${cursor === null ? "" : `&cursor=${String(cursor)}`}`)
      expect(answer.at("total")).toBe(12)
      paged.push(...names(answer))
      cursor = answer.at("next_cursor")
    } while (cursor !== null)
    expect(paged).toEqual(whole)
    expect(new Set(paged).size).toBe(12)
  })

  it("puts what needs a person first when sorted by status", async () => {
    expect(names(await list("sort=status"))[0]).toBe("list-05")
    expect(names(await list("sort=-last_seen"))[0]).toBe("list-00")
  })

  it("takes what is typed as text, not as a pattern or as SQL", async () => {
    for (const q of ["%", "_", "\\", "'; drop table hosts; --", "list-%"]) {
      const answer = await web.call("GET", `/api/v1/hosts?q=${encodeURIComponent(q)}`, { token: admin })
      expect([answer.status, answer.at("total")]).toEqual([200, 0])
    }
  })

  it("refuses a cursor made for another order, or made up", async () => {
    const cursor = String((await list("limit=1")).at("next_cursor"))
    expect((await list(`sort=-name&cursor=${cursor}`)).status).toBe(422)
    const forged = Buffer.from(JSON.stringify(["pending", "1; drop", "01a200e4-e652-72f9-b45c-117b1e318cc9"])).toString(
      "base64url"
    )
    expect((await list(`sort=pending&cursor=${forged}`)).status).toBe(422)
  })
})

describe("an operator", () => {
  it("sees the hosts of his groups and those without one; others are not there", async () => {
    const mine = await web.addHost(admin, { address: "127.3.0.1", display_name: "scope-mine" })
    const theirs = await web.addHost(admin, { address: "127.3.0.2", display_name: "scope-theirs" })
    const free = await web.addHost(admin, { address: "127.3.0.3", display_name: "scope-free" })
    const group = async (name: string, host: string) => {
      const rows = await web.rows<{ id: string }>(
        "insert into groups (id, name) values (gen_random_uuid(), $1) returning id",
        [name]
      )
      await web.rows("insert into host_groups (host_id, group_id) values ($1, $2)", [host, rows[0]!.id])
      return rows[0]!.id
    }
    const own = await group("own", mine)
    await group("foreign", theirs)
    await web.rows("insert into user_groups (user_id, group_id) select id, $1 from users where username = 'olga'", [
      own
    ])
    const token = (await web.signIn("olga")).token
    const seen = names(await web.call("GET", "/api/v1/hosts?q=scope-", { token }))
    expect(seen).toEqual(["scope-free", "scope-mine"])
    const foreign = `/api/v1/hosts/${theirs}`
    const missing = await web.call("GET", "/api/v1/hosts/01a200e4-e652-72f9-b45c-117b1e318cc9", { token })
    for (const path of ["", "/packages", "/patches", "/transitions", "/jobs", "/client.crt"]) {
      const answer = await web.call("GET", `${foreign}${path}`, { token })
      expect([answer.status, answer.at("error.code"), answer.at("error.message")]).toEqual([
        404,
        "host_not_found",
        missing.at("error.message")
      ])
    }
    for (const path of ["/refresh", "/dismiss", "/retry"]) {
      expect((await web.call("POST", `${foreign}${path}`, { token })).status).toBe(404)
    }
    expect((await web.call("DELETE", foreign, { token })).status).toBe(404)
    expect(
      (await web.call("PATCH", foreign, { token, body: { display_name: "x" }, headers: { "if-match": "1" } })).status
    ).toBe(404)
    const job = await web.call("POST", "/api/v1/jobs", {
      token,
      body: { kind: "reboot", host_ids: [mine, theirs] },
      headers: { "idempotency-key": "scope" }
    })
    expect([job.status, job.at("error.details.host_ids")]).toEqual([404, [theirs]])
    const whole = await web.call("POST", "/api/v1/jobs", {
      token: admin,
      body: { kind: "reboot", host_ids: [theirs] },
      headers: { "idempotency-key": "scope" }
    })
    expect((await web.call("GET", `/api/v1/jobs/${whole.string("id")}`, { token })).status).toBe(404)
    expect((await web.call("GET", `/api/v1/jobs/${whole.string("id")}/hosts`, { token })).status).toBe(404)
    expect((await web.call("POST", `/api/v1/jobs/${whole.string("id")}/cancel`, { token })).status).toBe(404)
    const fleet = await web.call("GET", "/api/v1/status/fleet", { token })
    const everything = await web.call("GET", "/api/v1/status/fleet", { token: admin })
    expect(fleet.at("hosts_total")).toBe(Number(everything.at("hosts_total")) - 1)
    expect((await web.call("GET", `/api/v1/hosts/${free}`, { token: operator })).status).toBe(200)
  })
})
