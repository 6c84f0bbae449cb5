/** Who may connect, over real connections from several addresses of loopback. */
import { connect } from "node:net"
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { callFrom } from "./callFrom.ts"
import { startTestWeb, type TestWeb } from "./TestWeb.ts"

let web: TestWeb
let token: string
beforeAll(async () => {
  web = await startTestWeb()
  await web.addUser("admin", "admin")
  token = (await web.signIn("admin")).token
})
afterAll(() => web.stop())

const EDITOR = "127.0.0.9"
const PROXY = "127.0.0.20"

const from = (
  address: string,
  method: string,
  path: string,
  options: { body?: unknown; headers?: Record<string, string> } = {}
) => callFrom(web, address, method, path, { token, ...options })
const knock = (address: string, headers: Record<string, string> = {}) =>
  callFrom(web, address, "GET", "/api/v1/ca/root.crt", { headers })
const read = async () => (await from("127.0.0.1", "GET", "/api/v1/network"))!
const change = async (body: object, address = "127.0.0.1", headers: Record<string, string> = {}) =>
  (await from(address, "PATCH", "/api/v1/network", {
    body,
    headers: { "if-match": (await read()).headers["etag"] as string, ...headers }
  }))!
const confirm = async (address: string) =>
  (await from(address, "POST", "/api/v1/network/confirm", {
    headers: { "if-match": (await read()).headers["etag"] as string }
  }))!

/** Until the web process has seen what counts, two seconds at most. */
const within = async (seconds: number, holds: () => Promise<boolean>): Promise<boolean> => {
  const end = performance.now() + seconds * 1000
  while (performance.now() < end) if (await holds()) return true
  return holds()
}
const isLetIn = (address: string) => async () => (await knock(address)) !== null
const isKeptOut = (address: string) => async () => (await knock(address)) === null

const open = { allowed_networks: [], trusted_proxies: [], agent_networks: [], confirm_seconds: 120 }
beforeEach(async () => {
  await web.rows("update network_access set policy = $1, previous = null, confirm_by = null, version = version + 1", [
    JSON.stringify(open)
  ])
  expect(await within(4, isLetIn(EDITOR))).toBe(true)
  expect(await within(4, async () => (await knock(PROXY, { "x-forwarded-for": "192.0.2.1" })) !== null)).toBe(true)
})

describe("the allow-list", () => {
  it("lets in loopback alone while it is empty, and says what it sees", async () => {
    const answer = await read()
    expect(answer.status).toBe(200)
    expect(answer.body).toMatchObject({ ...open, your_address: "127.0.0.1", pending: null })
    expect((await knock("127.3.2.1"))?.status).toBe(200)
  })

  it("closes a refused connection before a byte of TLS, within two seconds of the change, and lets in who is named", async () => {
    expect((await change({ allowed_networks: ["127.0.0.5", "127.0.9.0/24"] })).status).toBe(200)
    expect(await within(2, isKeptOut(EDITOR))).toBe(true)
    expect(await within(2, isLetIn("127.0.0.5"))).toBe(true)
    expect((await knock("127.0.9.200"))?.status).toBe(200)
    expect(await knock("127.0.0.50")).toBeNull()
    // The machine itself always gets through.
    expect((await knock("127.0.0.1"))?.status).toBe(200)
    const bytes = await new Promise<number>((resolve) => {
      const socket = connect({ host: "127.0.0.1", port: web.port, localAddress: EDITOR })
      let count = 0
      socket.on("data", (chunk) => (count += chunk.length))
      socket.on("error", () => undefined)
      socket.on("close", () => resolve(count))
    })
    expect(bytes).toBe(0)
  })

  it("ends connections that are open when the right to be there ends", async () => {
    const socket = connect({ host: "127.0.0.1", port: web.port, localAddress: EDITOR })
    await new Promise((resolve) => socket.once("connect", resolve))
    const closed = new Promise<number>((resolve) => socket.once("close", () => resolve(performance.now())))
    const began = performance.now()
    await change({ allowed_networks: ["127.0.0.5"] })
    expect((await closed) - began).toBeLessThan(2000)
  })

  it("refuses to lock out its editor, unless he says so", async () => {
    const refused = await change({ allowed_networks: ["127.0.0.5"] }, EDITOR)
    expect([refused.status, refused.body["error"]]).toMatchObject([409, { code: "locks_out_editor" }])
    expect((await read()).body["allowed_networks"]).toEqual([])
    const made = await change({ allowed_networks: ["127.0.0.5"], confirm: true }, EDITOR)
    expect(made.status).toBe(200)
    expect(await within(2, isKeptOut(EDITOR))).toBe(true)
  })

  it("takes an unconfirmed change back, audited, and keeps a confirmed one", async () => {
    const made = await change({ allowed_networks: ["127.0.0.5"], confirm_seconds: 30 })
    expect(made.body["pending"]).toMatchObject({ changed_by: "admin", previous: { allowed_networks: [] } })
    await web.rows("update network_access set confirm_by = now()")
    expect(await within(3, async () => (await read()).body["pending"] === null)).toBe(true)
    expect((await read()).body["allowed_networks"]).toEqual([])
    expect((await knock(EDITOR))?.status).toBe(200)
    expect(await confirm("127.0.0.1")).toMatchObject({ status: 409, body: { error: { code: "nothing_to_confirm" } } })

    await change({ allowed_networks: ["127.0.0.5"] })
    expect(await within(2, isLetIn("127.0.0.5"))).toBe(true)
    expect(await confirm("127.0.0.5")).toMatchObject({ status: 200, body: { pending: null } })
    const rows = await web.rows<{ action: string; actor_name: string }>(
      "select action, actor_name from audit_log where object_type = 'network' order by seq desc limit 4"
    )
    expect(rows.map(({ action }) => action)).toEqual([
      "network.confirm",
      "network.change",
      "network.roll_back",
      "network.change"
    ])
  })

  it("takes several changes back together, to what was confirmed last", async () => {
    await change({ allowed_networks: ["127.0.0.0/24"] })
    const made = await change({ allowed_networks: ["127.0.0.0/25"] })
    expect(made.body["pending"]).toMatchObject({ previous: { allowed_networks: [] } })
    const back = await change({ allowed_networks: [] })
    expect(back.body["pending"]).toBeNull()
  })

  it("asks for the version that was read", async () => {
    const without = await from("127.0.0.1", "PATCH", "/api/v1/network", { body: {} })
    const stale = await from("127.0.0.1", "PATCH", "/api/v1/network", { body: {}, headers: { "if-match": '"-1"' } })
    expect([without?.status, stale?.status]).toEqual([428, 412])
  })

  it.each([
    "::ffff:10.0.0.1",
    "167772161",
    "0x0a000001",
    "012.0.0.1",
    "10.0.0",
    "10.0.0.1.evil",
    "10.0.0.1/33",
    "10.0.0.1/-1",
    "10.0.0.1/8/8",
    "fe80::1%eth0",
    "localhost",
    "*",
    ""
  ])("refuses %j as a network", async (text) => {
    expect((await change({ allowed_networks: [text] })).status).toBe(422)
  })
})

describe("a declared proxy", () => {
  const behind = (forwarded: string, more: Record<string, string> = {}) =>
    knock(PROXY, { "x-forwarded-for": forwarded, ...more })

  it("is believed about its right-most untrusted hop, and nobody else is", async () => {
    await change({ allowed_networks: ["192.0.2.0/24"], trusted_proxies: [PROXY, "192.0.2.200"] })
    expect(await within(2, async () => (await behind("203.0.113.1"))?.status === 403)).toBe(true)
    expect((await behind("203.0.113.1"))?.body).toMatchObject({ error: { code: "address_not_allowed" } })
    expect((await behind("192.0.2.7, 203.0.113.1"))?.status).toBe(403)
    expect((await behind("203.0.113.1, 192.0.2.7"))?.status).toBe(200)
    expect((await behind("203.0.113.1, 192.0.2.7, 192.0.2.200"))?.status).toBe(200)
    // Nobody named, or nothing that can be read: the proxy speaks for no client.
    expect((await knock(PROXY))?.status).toBe(403)
    for (const forged of ["", "unknown", "192.0.2.7.evil", "::ffff:192.0.2.7", "3221225991", "192.0.2.7%1"]) {
      expect([forged, (await behind(forged))?.status]).toEqual([forged, 403])
    }
    expect((await behind("203.0.113.1", { forwarded: "for=192.0.2.7", "x-real-ip": "192.0.2.7" }))?.status).toBe(403)
    expect(await knock(EDITOR, { "x-forwarded-for": "192.0.2.7" })).toBeNull()
  })

  it("passes the client's address on to the audit log", async () => {
    await change({ allowed_networks: ["192.0.2.0/24"], trusted_proxies: [PROXY] })
    expect(await within(2, async () => (await behind("203.0.113.1"))?.status === 403)).toBe(true)
    const answer = await from(PROXY, "GET", "/api/v1/network", {
      headers: { "x-forwarded-for": "10.9.9.9, 192.0.2.7" }
    })
    expect(answer?.body["your_address"]).toBe("192.0.2.7")
    expect((await confirm("127.0.0.1")).status).toBe(200)
    const etag = (await read()).headers["etag"] as string
    await from(PROXY, "PATCH", "/api/v1/network", {
      body: { confirm_seconds: 60 },
      headers: { "x-forwarded-for": "192.0.2.7", "if-match": etag }
    })
    const [row] = await web.rows<{ source_address: string }>(
      "select source_address from audit_log where action = 'network.change' order by seq desc limit 1"
    )
    expect(row?.source_address).toBe("192.0.2.7")
  })
})
