import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { createToken } from "#http/server/createToken.ts"
import { password, startTestWeb, type TestWeb } from "./TestWeb.ts"

let web: TestWeb
beforeAll(async () => {
  web = await startTestWeb()
  for (const [name, role] of [
    ["admin", "admin"],
    ["olga", "operator"],
    ["audrey", "auditor"]
  ] as const)
    await web.addUser(name, role)
})
afterAll(() => web.stop())

let keys = 0
const make = (token: string, body: object, key = `token-${++keys}`) =>
  web.call("POST", "/api/v1/tokens", { token, body, headers: { "idempotency-key": key } })
const me = (token: string) => web.call("GET", "/api/v1/auth/me", { token })
const audit = async (action: string): Promise<number> =>
  (await web.rows<{ n: number }>("select count(*)::int as n from audit_log where action = $1", [action]))[0]!.n

describe("made on the machine", () => {
  it("works as Bearer, is stored hashed, expires, and is audited", async () => {
    const before = await audit("token.create")
    const token = await web.tokenFor("admin")
    expect(token).toMatch(/^lpm_[0-9a-f]{32}_[A-Za-z0-9_-]{43}$/)
    expect((await me(token)).json()).toMatchObject({ username: "admin", stage: null, factors: [] })
    expect(await audit("token.create")).toBe(before + 1)
    const stored = await web.rows<{ text: string }>("select t::text as text from api_tokens t")
    expect(stored.some((row) => row.text.includes(token.slice(-20)))).toBe(false)
    await web.rows("update api_tokens set expires_at = now() - interval '1 second'")
    expect((await me(token)).status).toBe(401)
  })

  it("never changes accounts or trust, whoever owns it", async () => {
    const token = await web.tokenFor("admin")
    const host = await web.addHost(token, { address: "127.0.0.21" })
    const change = await web.call("PUT", "/api/v1/auth/password", {
      token,
      body: { current_password: password, new_password: "a new long password" }
    })
    expect(change.status).toBe(403)
    expect((await web.call("POST", `/api/v1/hosts/${host}/certificate`, { token })).status).toBe(403)
    expect((await make(token, { name: "x", permissions: ["hosts:read"], expires_in_days: 1 })).status).toBe(403)
    await expect(
      web.run(createToken({ username: "admin", name: "x", expiresIn: "1 hour", permissions: ["certificates:issue"] }))
    ).rejects.toThrow(/certificates:issue/)
  })

  it("has no more than it was given and no more than its owner has now", async () => {
    const token = await web.run(
      createToken({ username: "olga", name: "narrow", expiresIn: "1 hour", permissions: ["hosts:read"] })
    )
    expect((await web.call("GET", "/api/v1/hosts", { token })).status).toBe(200)
    expect((await web.call("GET", "/api/v1/jobs", { token })).status).toBe(403)
    const wide = await web.tokenFor("olga")
    await web.rows("update users set role = 'auditor' where username = 'olga'")
    const refused = await web.call("POST", "/api/v1/hosts", {
      token: wide,
      body: {},
      headers: { "idempotency-key": "n" }
    })
    expect(refused.status).toBe(403)
    await web.rows("update users set role = 'operator' where username = 'olga'")
    await expect(web.run(createToken({ username: "olga", name: "x", expiresIn: "366 days" }))).rejects.toThrow(
      /365 days/
    )
  })
})

describe("made over REST", () => {
  it("is said once, listed, and ended by its owner", async () => {
    const { token } = await web.signIn("audrey")
    const made = await make(token, { name: "export", permissions: ["audit:read"], expires_in_days: 30 }, "once")
    expect(made.status).toBe(201)
    const secret = made.string("token")
    expect((await me(secret)).status).toBe(403)
    const again = await make(token, { name: "export", permissions: ["audit:read"], expires_in_days: 30 }, "once")
    expect([again.status, again.at("id"), again.at("token")]).toEqual([201, made.at("id"), null])
    const kept = await web.rows<{ text: string }>("select k::text as text from idempotency_keys k")
    expect(kept.some(({ text }) => text.includes(secret.slice(-20)))).toBe(false)
    const list = await web.call("GET", "/api/v1/tokens", { token })
    expect(list.json()).toMatchObject({
      total: 1,
      items: [{ name: "export", permissions: ["audit:read"], revoked_at: null }]
    })
    expect(list.text).not.toContain(secret.slice(-20))
    const end = () => web.call("DELETE", `/api/v1/tokens/${made.string("id")}`, { token })
    expect((await end()).status).toBe(204)
    expect((await me(secret)).status).toBe(401)
    expect((await end()).status).toBe(404)
  })

  it("wants fresh proof of who is asking", async () => {
    const { token, session } = await web.signIn("olga")
    await web.rows("update sessions set stepped_up_at = now() - interval '6 minutes' where id = $1", [session])
    const refused = await make(token, { name: "x", permissions: ["hosts:read"], expires_in_days: 1 })
    expect([refused.status, refused.at("error.code")]).toEqual([403, "reauth_required"])
  })

  it.each([
    ["more than its owner has", { permissions: ["settings:change"], expires_in_days: 1 }, "payload.permissions"],
    ["what no token may", { permissions: ["account:change"], expires_in_days: 1 }, "payload.permissions"],
    ["nothing", { permissions: [], expires_in_days: 1 }, "payload.permissions"],
    ["longer than a year", { permissions: ["hosts:read"], expires_in_days: 366 }, "payload.expires_in_days"],
    ["no time at all", { permissions: ["hosts:read"], expires_in_days: 0 }, "payload.expires_in_days"]
  ])("is refused %s", async (_what, body, path) => {
    const { token } = await web.signIn("olga")
    const refused = await make(token, { name: "x", ...body })
    expect([refused.status, refused.at("error.details.fields.0.path")]).toEqual([422, path])
  })

  it("bounded to a group sees its hosts and those without a group, whoever owns it", async () => {
    const { token } = await web.signIn("admin")
    const ids = await web.rows<{ id: string }>(
      "insert into groups (id, name) values (gen_random_uuid(), 'one'), (gen_random_uuid(), 'two') returning id"
    )
    const [one, two] = [ids[0]!.id, ids[1]!.id]
    const inOne = await web.addHost(token, { address: "127.0.4.1" })
    const inTwo = await web.addHost(token, { address: "127.0.4.2" })
    await web.rows("insert into host_groups values ($1, $2), ($3, $4)", [inOne, one, inTwo, two])
    const bounded = { name: "one", permissions: ["hosts:read"], expires_in_days: 1, group_ids: [one] }
    const secret = (await make(token, bounded)).string("token")
    const seen = (id: string) => web.call("GET", `/api/v1/hosts/${id}`, { token: secret })
    expect([(await seen(inOne)).status, (await seen(inTwo)).status]).toEqual([200, 404])
    const { token: operator } = await web.signIn("olga")
    expect((await make(operator, bounded)).status).toBe(404)
    const wide = await make(token, { ...bounded, permissions: ["settings:change"] })
    expect(wide.status).toBe(422)
  })

  it("is everybody's to see for auditors, and everybody's to end for administrators", async () => {
    const { token } = await web.signIn("olga")
    const made = await make(token, { name: "olgas", permissions: ["hosts:read"], expires_in_days: 1 })
    const id = made.string("id")
    expect((await web.call("GET", "/api/v1/tokens?all=true", { token })).status).toBe(403)
    const auditor = (await web.signIn("audrey")).token
    const all = await web.call("GET", "/api/v1/tokens?all=true&limit=500", { token: auditor })
    expect((all.at("items") as ReadonlyArray<{ id: string }>).some((one) => one.id === id)).toBe(true)
    expect((await web.call("DELETE", `/api/v1/tokens/${id}`, { token: auditor })).status).toBe(404)
    const admin = (await web.signIn("admin")).token
    expect((await web.call("DELETE", `/api/v1/tokens/${id}`, { token: admin })).status).toBe(204)
    expect((await me(made.string("token"))).status).toBe(401)
  })
})
