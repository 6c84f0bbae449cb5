/** What a provider's address must not become: a port scanner, or a way into networks that the caller cannot reach himself. */
import { type AddressInfo, createServer } from "node:net"
import { networkInterfaces } from "node:os"
import { afterAll, beforeAll, expect } from "vitest"
import { startSsoWorld, type SsoWorld } from "#test/http/ssoWorld.ts"
import { startFilteredPort } from "./filteredPort.ts"
import { type HostileProvider, startHostileProvider } from "./hostileProvider.ts"
import { securityRow } from "./securityRow.ts"

let world: SsoWorld
let hostile: HostileProvider
beforeAll(async () => {
  world = await startSsoWorld()
  hostile = await startHostileProvider()
})
afterAll(async () => {
  await world.web.stop()
  await hostile.stop()
})

securityRow("S80", '"Test connection" as a port scanner (OIDC)', async (row) => {
  const silent = createServer(() => undefined).listen(0, "127.0.0.1")
  const talking = createServer(
    (socket) => void socket.on("error", () => undefined).end("SSH-2.0-OpenSSH_9.9\r\n")
  ).listen(0, "127.0.0.1")
  row.after(() => (silent.close(), talking.close()))
  const filtered = await startFilteredPort()
  row.after(filtered.stop)
  const portOf = (server: typeof silent) => (server.address() as AddressInfo).port
  const tried = async (port: number) => {
    const made = await world.made(
      world.send("POST", "/api/v1/sso/providers", {
        name: `Port ${port}`,
        kind: "oidc",
        client_id: "x",
        issuer: `https://127.0.0.1:${port}`
      })
    )
    const at = performance.now()
    const answer = await world.made(world.send("POST", `/api/v1/sso/providers/${made.string("id")}/test`))
    return { ms: performance.now() - at, steps: JSON.stringify(answer.at("steps")).replaceAll(String(port), "PORT") }
  }
  const closed = await new Promise<number>((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const port = portOf(server)
      server.close(() => resolve(port))
    })
  })
  const [one, two, three, four] = await Promise.all([closed, portOf(silent), portOf(talking), filtered.port].map(tried))
  await row.assert("same text for open, closed, filtered", () => {
    expect(two!.steps).toBe(one!.steps)
    expect(three!.steps).toBe(one!.steps)
    expect(four!.steps).toBe(one!.steps)
    expect(one!.steps).toContain('"connection","result":"failed"')
  })
  await row.assert("same time class for open, closed, filtered", () => {
    const times = [one!.ms, two!.ms, three!.ms, four!.ms]
    expect(Math.min(...times)).toBeGreaterThan(4800)
    expect(Math.max(...times) - Math.min(...times)).toBeLessThan(2000)
  })
})

securityRow("S78", "SSRF by an OIDC issuer", async (row) => {
  let knocked = 0
  const listener = createServer((socket) => (knocked++, socket.destroy()))
  await new Promise<void>((resolve) => listener.listen(0, "0.0.0.0", resolve))
  row.after(() => listener.close())
  const { port } = listener.address() as AddressInfo
  const strict = await startSsoWorld({ standInFleet: false })
  row.after(() => strict.web.stop())
  const stepsAt = async (issuer: string) => {
    const made = await strict.made(
      strict.send("POST", "/api/v1/sso/providers", { name: crypto.randomUUID(), kind: "oidc", client_id: "x", issuer })
    )
    await strict.change(made.string("id"), { enabled: true })
    const answer = await strict.made(strict.send("POST", `/api/v1/sso/providers/${made.string("id")}/test`))
    const began = await strict.start(made.string("id"))
    return [answer.at("steps.0.result"), answer.at("steps.1.result"), began.location]
  }
  const own = Object.values(networkInterfaces()).flatMap((all) => (all ?? []).filter(({ internal }) => !internal))[0]
  const targets: ReadonlyArray<readonly [string, string]> = [
    ["loopback", "127.0.0.1"],
    ["loopback beyond its first address", "127.1.2.3"],
    ["`0.0.0.0`", "0.0.0.0"],
    ["169.254.0.0/16", "169.254.169.254"],
    ["names that stand for loopback", "localhost"],
    ["own addresses", own === undefined ? "127.0.0.2" : own.family === "IPv6" ? `[${own.address}]` : own.address],
    ["IPv6 forms", "[::1]"],
    ["IPv4 in IPv6", "[::ffff:127.0.0.1]"],
    ["decimal IPv4", "2130706433"],
    ["hex IPv4", "0x7f000001"]
  ]
  for (const [clause, host] of targets) {
    await row.assert(clause, async () => {
      expect(await stepsAt(`https://${host}:${port}`)).toEqual([
        "failed",
        "skipped",
        "/sign-in?sso_error=provider_unreachable"
      ])
    })
  }
  await row.assert("database port", async () => {
    const url = new URL(strict.web.databaseUrl.replace(/^[a-z+]+:/, "http:"))
    expect(await stepsAt(`https://127.0.0.1:${url.port || "5432"}`)).toEqual([
      "failed",
      "skipped",
      "/sign-in?sso_error=provider_unreachable"
    ])
  })
  await row.assert("none of them was knocked at", () => expect(knocked).toBe(0))
  await row.assert("`file:`, `gopher:` → refused", async () => {
    for (const issuer of [
      "file:///etc/passwd",
      "gopher://127.0.0.1/",
      "http://id.example.org",
      "https://a:b@id.example.org"
    ]) {
      const body = { name: issuer, kind: "oidc", client_id: "x", issuer }
      expect([issuer, (await strict.send("POST", "/api/v1/sso/providers", body)).status]).toEqual([issuer, 422])
    }
  })
  await row.assert("redirect", async () => {
    const path = "/.well-known/openid-configuration"
    hostile.overrides.set(path, { status: 302, headers: { location: `https://127.0.0.1:${port}/` }, body: "" })
    row.after(() => hostile.overrides.delete(path))
    const fresh = await world.addProvider({ issuer: hostile.issuer, ca_certificate: hostile.ca })
    expect((await world.start(fresh.id)).location).toBe("/sign-in?sso_error=provider_misconfigured")
    expect(knocked).toBe(0)
  })
  await row.assert("an endpoint of the discovery document that is not https", async () => {
    hostile.overrides.clear()
    hostile.metadata["token_endpoint"] = `http://127.0.0.1:${port}/token`
    const fresh = await world.addProvider({ issuer: hostile.issuer, ca_certificate: hostile.ca })
    expect((await world.start(fresh.id)).location).toBe("/sign-in?sso_error=provider_misconfigured")
    delete hostile.metadata["token_endpoint"]
    expect(knocked).toBe(0)
  })
  row.missing(
    "DNS answer changing between check and use",
    "no name server of the test's own here: names are checked in the look-up that the connection itself makes"
  )
})
