/** Who may connect and whose word is believed about it: against a real web process, from several addresses of loopback. */
import { connect } from "node:net"
import { connect as connectTls, type TLSSocket } from "node:tls"
import { afterAll, beforeAll, expect } from "vitest"
import { callFrom } from "#test/http/callFrom.ts"
import { startTestWeb, type TestWeb } from "#test/http/TestWeb.ts"
import { securityRow } from "./securityRow.ts"

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
const knock = (address: string, headers: Record<string, string> = {}) =>
  callFrom(web, address, "GET", "/api/v1/ca/root.crt", { headers })
const read = async () => (await callFrom(web, "127.0.0.1", "GET", "/api/v1/network", { token }))!
const change = async (body: object, address = "127.0.0.1") =>
  (await callFrom(web, address, "PATCH", "/api/v1/network", {
    token,
    body,
    headers: { "if-match": (await read()).headers["etag"] as string }
  }))!

/** The web process follows within two seconds; a busy machine gets three. */
const soon = async (holds: () => Promise<boolean>): Promise<void> => {
  const end = performance.now() + 3000
  while (!(await holds())) if (performance.now() > end) throw new Error("It did not come to that within 3 s.")
}

securityRow("S53", "the allow-list reads networks as networks", async (row) => {
  await row.assert("IPv4-mapped IPv6, decimal and octal forms, IPv6 zone, `10.0.0.1.evil` → refused", async () => {
    for (const text of [
      "::ffff:10.0.0.1",
      "::ffff:0a00:0001",
      "167772161",
      "0x0a.0.0.1",
      "012.0.0.1",
      "10.1",
      "fe80::1%eth0",
      "10.0.0.1.evil",
      "10.0.0.1/33"
    ]) {
      expect([text, (await change({ allowed_networks: [text] })).status]).toEqual([text, 422])
    }
  })
  const held = await new Promise<TLSSocket>((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port: web.port, localAddress: EDITOR })
    const tls = connectTls({ socket, servername: "localhost", ca: web.ca }, () => resolve(tls.resume()))
    tls.once("error", reject)
  })
  row.after(() => held.destroy())
  await row.assert(
    "list that would lock out its editor → handled by parsed CIDR; editor is warned and must confirm",
    async () => {
      const refused = await change({ allowed_networks: ["127.0.0.5"] }, EDITOR)
      expect([refused.status, refused.body["error"]]).toMatchObject([409, { code: "locks_out_editor" }])
      expect((await change({ allowed_networks: ["127.0.0.5"], confirm: true }, EDITOR)).status).toBe(200)
    }
  )
  await row.assert(
    "allow-list change while logged in: the next call and the connections that are open end",
    async () => {
      await soon(async () => (await callFrom(web, EDITOR, "GET", "/api/v1/hosts", { token })) === null)
      await expect.poll(() => held.closed, { timeout: 3000 }).toBe(true)
    }
  )
  await row.assert("refused before TLS: not a byte is answered", async () => {
    const bytes = await new Promise<number>((resolve) => {
      const socket = connect({ host: "127.0.0.1", port: web.port, localAddress: EDITOR })
      let count = 0
      socket.on("data", (chunk) => (count += chunk.length))
      socket.on("error", () => undefined)
      socket.on("close", () => resolve(count))
    })
    expect(bytes).toBe(0)
  })
  await row.assert("prefix tricks (`10.0.0.1` vs `10.0.0.10`)", async () => {
    expect((await knock("127.0.0.5"))?.status).toBe(200)
    for (const address of ["127.0.0.50", "127.0.0.52", "127.0.0.15", "127.0.5.5"]) {
      expect([address, await knock(address)]).toEqual([address, null])
    }
  })
  await row.assert("unconfirmed it is taken back, whoever was locked out", async () => {
    await web.rows("update network_access set confirm_by = now()")
    await soon(async () => (await knock(EDITOR)) !== null)
  })
})

securityRow("S54", "forwarding headers", async (row) => {
  const seen = async (address: string, headers: Record<string, string>) =>
    (await callFrom(web, address, "GET", "/api/v1/network", { token, headers }))?.body["your_address"]
  await row.assert(
    "`X-Forwarded-For`, `Forwarded`, `X-Real-IP`, `X_Forwarded_For` (underscore), duplicates, from a peer that is not a listed proxy → ignored",
    async () => {
      for (const name of [
        "x-forwarded-for",
        "forwarded",
        "x-real-ip",
        "x_forwarded_for",
        "true-client-ip",
        "x-client-ip"
      ]) {
        expect([name, await seen(EDITOR, { [name]: "192.0.2.7" })]).toEqual([name, EDITOR])
        expect([name, await seen(EDITOR, { [name]: "192.0.2.7, 192.0.2.8" })]).toEqual([name, EDITOR])
      }
    }
  )
  await row.assert("from a listed one only the right-most untrusted hop counts", async () => {
    await change({ allowed_networks: ["192.0.2.0/24", "127.0.0.9"], trusted_proxies: [PROXY, "192.0.2.200"] })
    await soon(async () => (await knock(PROXY, { "x-forwarded-for": "203.0.113.1" }))?.status === 403)
    expect(await seen(PROXY, { "x-forwarded-for": "10.0.0.1, 203.0.113.9, 192.0.2.7" })).toBe("192.0.2.7")
    expect(await seen(PROXY, { "x-forwarded-for": "192.0.2.7, 192.0.2.200" })).toBe("192.0.2.7")
    expect((await knock(PROXY, { "x-forwarded-for": "192.0.2.7, 203.0.113.9" }))?.status).toBe(403)
  })
  await row.assert("its other forwarding headers are ignored too", async () => {
    const headers = {
      "x-forwarded-for": "192.0.2.7",
      forwarded: "for=192.0.2.9",
      "x-real-ip": "192.0.2.9",
      x_forwarded_for: "192.0.2.9"
    }
    expect(await seen(PROXY, headers)).toBe("192.0.2.7")
  })
  await row.assert("what cannot be read lets nobody in", async () => {
    for (const text of ["unknown", "192.0.2.7:80", "[2001:db8::1]", "192.0.2.7%1", "::ffff:192.0.2.7", "", ","]) {
      for (const hops of [text, `192.0.2.7, ${text}`])
        expect([hops, (await knock(PROXY, { "x-forwarded-for": hops }))?.status]).toEqual([hops, 403])
    }
    expect((await knock(PROXY))?.status).toBe(403)
  })
  await row.assert("a proxy that names the manager's own machine opens nothing", async () => {
    for (const text of ["127.0.0.1", "::1"])
      expect([text, (await knock(PROXY, { "x-forwarded-for": text }))?.status]).toEqual([text, 403])
  })
})
