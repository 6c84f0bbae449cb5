import { randomUUID } from "node:crypto"
import net from "node:net"
import tls from "node:tls"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import type { TestFleet } from "./makeTestFleet.ts"
import { makeTestFleet, until } from "./makeTestFleet.ts"
import type { Misbehaviour } from "./Misbehaviour.ts"

const address = "127.78.3.1"
const other = "127.78.3.2"
let test: TestFleet

beforeAll(async () => {
  test = await makeTestFleet({
    rateLimit: false,
    hosts: [
      { address, profile: "2.5.5", distro: "ubuntu-24.04", fqdn: "one.example.test" },
      { address: other, profile: "2.5.5", distro: "ubuntu-24.04", fqdn: "two.example.test" }
    ]
  })
  test.fleet.publish(address, "bash")
})
afterEach(() => test.fleet.misbehave(address))
afterAll(() => test.stop())

const health = (deadlineMs = 10_000) => test.call(address, "/api/v1/health", { deadlineMs })

const told = (...list: ReadonlyArray<Misbehaviour>) => test.fleet.misbehave(address, ...list)

const peerCertificate = (): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = tls.connect(
      {
        host: address,
        port: test.fleet.port,
        rejectUnauthorized: false,
        cert: test.client.certificate_pem,
        key: test.client.private_key_pem
      },
      () => {
        resolve(socket.getPeerCertificate().subjectaltname ?? "")
        socket.destroy()
      }
    )
    socket.on("error", reject)
  })

describe("before and in the handshake", () => {
  it("refuses, closes and goes back to normal after the given times", async () => {
    told({ kind: "refuse", times: 2 })
    await expect(health()).rejects.toMatchObject({ code: "ECONNRESET" })
    await expect(health()).rejects.toMatchObject({ code: "ECONNRESET" })
    expect((await health()).status).toBe(200)
    told({ kind: "close", times: 1 })
    await expect(health()).rejects.toMatchObject({ code: "ECONNRESET" })
  })

  it("hangs before TLS", async () => {
    told({ kind: "hang_connect" })
    await expect(health(150)).rejects.toMatchObject({ name: "AbortError" })
  })

  it("speaks something that is not TLS", async () => {
    told({ kind: "not_tls" })
    await expect(health()).rejects.toMatchObject({ code: "EPROTO" })
  })

  it("speaks TLS 1.2 only", async () => {
    told({ kind: "tls12" })
    await expect(
      new Promise((_resolve, reject) => {
        tls
          .connect({ host: address, port: test.fleet.port, minVersion: "TLSv1.3", rejectUnauthorized: false })
          .on("error", reject)
      })
    ).rejects.toMatchObject({ code: "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION" })
  })

  it("otherwise speaks TLS 1.3 only and wants a certificate of the manager's CA", async () => {
    await expect(
      new Promise((_resolve, reject) => {
        tls
          .connect({ host: address, port: test.fleet.port, maxVersion: "TLSv1.2", rejectUnauthorized: false })
          .on("error", reject)
      })
    ).rejects.toMatchObject({ code: "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION" })
    const { TestCa } = await import("./testCa.ts")
    const stranger = await (await TestCa.make("Stranger")).client()
    await expect(test.call(address, "/api/v1/health", { client: stranger })).rejects.toMatchObject({
      code: "ECONNRESET"
    })
  })

  it("shows a certificate of a wrong CA", async () => {
    told({ kind: "wrong_ca" })
    await expect(health()).rejects.toMatchObject({ code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" })
  })

  it("shows an expired certificate", async () => {
    told({ kind: "certificate", identity: await test.ca.expiredHost({ address, fqdn: "one.example.test" }) })
    await expect(health()).rejects.toMatchObject({ code: "CERT_HAS_EXPIRED" })
  })

  it("shows a certificate of a wrong name", async () => {
    told({ kind: "certificate", identity: await test.ca.host({ address: "127.99.0.1", fqdn: "wrong.example.test" }) })
    await expect(health()).rejects.toMatchObject({ code: "ERR_TLS_CERT_ALTNAME_INVALID" })
  })

  it("shows another host's certificate, or its own names with another id", async () => {
    told({ kind: "certificate_of", address: other })
    await expect(health()).rejects.toMatchObject({ code: "ERR_TLS_CERT_ALTNAME_INVALID" })
    const hostId = randomUUID()
    told({ kind: "certificate", identity: await test.ca.host({ address, fqdn: "one.example.test", hostId }) })
    expect((await health()).status).toBe(200)
    expect(await peerCertificate()).toContain(`URI:urn:patch-manager:host:${hostId}`)
  })

  it("refuses the manager's client certificate", async () => {
    told({ kind: "refuse_client" })
    await expect(health()).rejects.toMatchObject({ code: "ECONNRESET" })
  })

  it("does not serve a host that has no certificate", async () => {
    test.fleet.addHost({ address: "127.78.3.9" })
    await expect(test.call("127.78.3.9", "/api/v1/health")).rejects.toMatchObject({ code: "ECONNRESET" })
  })
})

describe("at a call", () => {
  it("hangs after TLS, only on the path it was told", async () => {
    told({ kind: "hang", path: "/patches" })
    await expect(test.call(address, "/api/v1/patches", { deadlineMs: 150 })).rejects.toMatchObject({
      name: "AbortError"
    })
    expect((await health()).status).toBe(200)
  })

  it("drips its answer", async () => {
    told({ kind: "drip", interval_ms: 20 })
    await expect(health(200)).rejects.toMatchObject({ name: "AbortError" })
  })

  it("answers garbage", async () => {
    told({ kind: "garbage_http" })
    await expect(health()).rejects.toMatchObject({ code: expect.stringMatching(/^HPE_/) })
    told({ kind: "garbage_json" })
    expect(await health()).toMatchObject({ status: 200, text: "OK", json: undefined })
  })

  it("answers without end", async () => {
    told({ kind: "huge", bytes: 3_000_000 })
    expect((await health()).text.length).toBeGreaterThan(3_000_000)
  })

  it("is rate limited and fails inside, as told", async () => {
    told({ kind: "rate_limited", retry_after_seconds: 7, times: 1 })
    expect(await health()).toMatchObject({ status: 429, text: "Rate limit exceeded. Retry after 7 seconds." })
    told({ kind: "server_error", path: "/patches" })
    const failed = await test.call(address, "/api/v1/patches")
    expect(failed).toMatchObject({ status: 500, json: { error: { code: "PKG_MANAGER_ERROR", retryable: true } } })
  })

  it("loses the answer, and the job runs all the same", async () => {
    told({ kind: "lost_answer", method: "POST", times: 1 })
    const before = test.fleet.readLedger(address).length
    const lost = test.call(address, "/api/v1/patches/apply", { body: { packages: ["bash"] } })
    await expect(lost).rejects.toMatchObject({ code: "ECONNRESET" })
    await until(
      () => test.fleet.readLedger(address).length,
      (length) => length === before + 1
    )
    const { json } = await test.call(address, "/api/v1/jobs")
    expect(json).toMatchObject({ data: { jobs: [{ operation: "patchapply", packages: ["bash"] }] } })
  })

  it("loses the request, and no job exists", async () => {
    const count = async () =>
      ((await test.call(address, "/api/v1/jobs?limit=500")).json as { data: { total: number } }).data.total
    const before = await count()
    told({ kind: "lost_request", method: "POST", times: 1 })
    const lost = test.call(address, "/api/v1/patches/apply", { body: { packages: ["bash"] } })
    await expect(lost).rejects.toMatchObject({ code: "ECONNRESET" })
    expect(await count()).toBe(before)
  })

  it("lies about a finished job", async () => {
    const pending = test.fleet.publish(address, "curl")
    told({ kind: "liar", times: 1 })
    const answer = await test.call(address, "/api/v1/patches/apply", { body: { packages: ["curl"] } })
    const { job_id: id } = (answer.json as { data: { job_id: string } }).data
    await until(
      () => test.call(address, `/api/v1/jobs/${id}`),
      ({ json }) => (json as { data: { status: string } }).data.status === "completed"
    )
    expect((await test.fleet.truth(address)).pending).toContainEqual(pending)
  })

  it("times a job out when told so, in both spellings", async () => {
    told({ kind: "fail_job", status: "timedout", times: 1 })
    const answer = await test.call(address, "/api/v1/patches/apply", { body: { packages: ["curl"] } })
    const { job_id: id } = (answer.json as { data: { job_id: string } }).data
    await until(
      () => test.call(address, `/api/v1/jobs/${id}`),
      ({ json }) => (json as { data: { status: string } }).data.status === "timedout"
    )
  })
})

describe("counting", () => {
  it("counts open connections, their peak and resumed handshakes", async () => {
    await until(
      () => test.fleet.stats().open_connections,
      (open) => open === 0
    )
    test.fleet.resetStats()
    told({ kind: "hang_connect" })
    const sockets = Array.from({ length: 5 }, () => net.connect(test.fleet.port, address))
    await until(
      () => test.fleet.stats().open_connections,
      (open) => open === 5
    )
    for (const socket of sockets) socket.destroy()
    await until(
      () => test.fleet.stats().open_connections,
      (open) => open === 0
    )
    expect(test.fleet.stats().peak_connections).toBe(5)
    told()
    const connect = (event: "session" | "secureConnect", session?: Buffer): Promise<Buffer> =>
      new Promise((resolve, reject) => {
        const socket = tls.connect({
          host: address,
          port: test.fleet.port,
          ca: test.ca.certificatePem,
          cert: test.client.certificate_pem,
          key: test.client.private_key_pem,
          ...(session === undefined ? {} : { session })
        })
        socket.resume()
        socket.once(event, (ticket: Buffer) => {
          resolve(ticket)
          socket.end()
        })
        socket.on("error", reject)
      })
    await connect("secureConnect", await connect("session"))
    await until(
      () => test.fleet.stats(),
      (stats) => stats.handshakes === 2 && stats.resumed === 1
    )
  })
})
