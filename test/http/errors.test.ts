import { connect } from "node:tls"
import pg from "pg"
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest"
import { withDatabase } from "#deploy/DatabaseUrl.ts"
import { testClient } from "#test/setup/testClient.ts"
import { type Answer, startTestWeb, type TestWeb } from "./TestWeb.ts"

let web: TestWeb
let token: string
let auditor: string
let host: string
beforeAll(async () => {
  web = await startTestWeb()
  await web.addUser("admin", "admin")
  await web.addUser("reader", "auditor")
  token = await web.tokenFor("admin")
  auditor = await web.tokenFor("reader")
  host = await web.addHost(token, { address: "127.0.0.1" })
})
afterAll(() => web.stop())

const ULID = /^[0-9A-HJKMNP-TV-Z]{26}$/

const mustBeEnvelope = (answer: Answer, status: number, code: string): void => {
  expect([answer.status, answer.at("error.code")]).toEqual([status, code])
  expect(answer.headers["content-type"]).toMatch(/^application\/json/)
  expect(answer.headers["x-request-id"]).toMatch(ULID)
  expect(answer.at("error.request_id")).toBe(answer.headers["x-request-id"])
  expect(String(answer.at("error.message")).length).toBeGreaterThan(10)
  expect(answer.at("error.details")).toBeTypeOf("object")
}

/** Bytes straight onto a TLS connection, for what no HTTP client would send. */
const raw = (bytes: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port: web.port, servername: "localhost", ca: web.ca }, () =>
      socket.write(bytes)
    )
    let text = ""
    socket.setEncoding("utf8")
    socket.on("data", (chunk) => (text += String(chunk)))
    socket.on("end", () => resolve(text))
    socket.on("error", reject)
    socket.setTimeout(10_000, () => socket.destroy(new Error("no answer")))
  })

const key = { "idempotency-key": "k" }
const nobody = "01a200e4-e652-72f9-b45c-117b1e318cc9"

const table: ReadonlyArray<readonly [status: number, code: string, what: string, call: () => Promise<Answer>]> = [
  [
    400,
    "malformed_json",
    "a body that is no JSON",
    () => web.call("POST", "/api/v1/hosts", { token, raw: "{", headers: key })
  ],
  [401, "unauthorized", "no token", () => web.call("GET", "/api/v1/hosts")],
  [401, "unauthorized", "an unknown API token", () => web.call("GET", "/api/v1/hosts", { token: "lpm_1_2" })],
  [401, "unauthorized", "no token, before the body is looked at", () => web.call("POST", "/api/v1/jobs", { raw: "{" })],
  [401, "unauthorized", "RPC without a token", () => web.call("POST", "/rpc", { body: {} })],
  [
    403,
    "forbidden",
    "a role that may not",
    () => web.call("POST", "/api/v1/hosts", { token: auditor, body: {}, headers: key })
  ],
  [404, "host_not_found", "no such host", () => web.call("GET", `/api/v1/hosts/${nobody}`, { token })],
  [404, "job_not_found", "no such job", () => web.call("GET", `/api/v1/jobs/${nobody}`, { token })],
  [404, "not_found", "no such path", () => web.call("GET", "/api/v1/nothing", { token })],
  [404, "not_found", "no such path outside the API", () => web.call("GET", "/nothing.js")],
  [404, "not_found", "broken percent-encoding", () => web.call("GET", "/api/v1/hosts/%zz", { token })],
  [405, "method_not_allowed", "a method the path does not take", () => web.call("PUT", "/api/v1/hosts", { token })],
  [405, "method_not_allowed", "GET on RPC", () => web.call("GET", "/rpc", { token })],
  [
    409,
    "address_taken",
    "an address that is taken",
    () =>
      web.call("POST", "/api/v1/hosts", {
        token,
        body: { address: "127.0.0.1" },
        headers: { "idempotency-key": "dup" }
      })
  ],
  [
    412,
    "version_mismatch",
    "an edit of an old version",
    () => web.call("PATCH", `/api/v1/hosts/${host}`, { token, body: {}, headers: { "if-match": '"99"' } })
  ],
  [
    413,
    "body_too_large",
    "64 KiB and more",
    () => web.call("POST", "/api/v1/hosts", { token, raw: `"${"x".repeat(65_536)}"`, headers: key })
  ],
  [
    413,
    "body_too_large",
    "512 KiB and more for a job",
    () => web.call("POST", "/api/v1/jobs", { token, raw: `"${"x".repeat(524_288)}"`, headers: key })
  ],
  [
    415,
    "unsupported_media_type",
    "a form",
    () =>
      web.call("POST", "/api/v1/hosts", {
        token,
        raw: "a=b",
        headers: { ...key, "content-type": "application/x-www-form-urlencoded" }
      })
  ],
  [421, "misdirected_request", "another host name", () => web.call("GET", "/", { headers: { host: "evil.example" } })],
  [
    422,
    "validation_failed",
    "an unknown field",
    () => web.call("POST", "/api/v1/hosts", { token, body: { address: "127.0.0.2", extra: 1 }, headers: key })
  ],
  [
    422,
    "validation_failed",
    "no Idempotency-Key",
    () => web.call("POST", "/api/v1/hosts", { token, body: { address: "127.0.0.2" } })
  ],
  [422, "validation_failed", "a limit beyond the largest", () => web.call("GET", "/api/v1/hosts?limit=501", { token })],
  [422, "validation_failed", "an id that is none", () => web.call("GET", "/api/v1/hosts/7", { token })],
  [
    422,
    "validation_failed",
    "a cursor of another list",
    () => web.call("GET", "/api/v1/hosts?cursor=WyJ4IiwieCIsIngiXQ", { token })
  ],
  [426, "upgrade_required", "a socket's path without an upgrade", () => web.call("GET", "/api/v1/ws/jobs?ticket=x")],
  [
    428,
    "precondition_required",
    "an edit without If-Match",
    () => web.call("PATCH", `/api/v1/hosts/${host}`, { token, body: {} })
  ]
]

describe("every error is an envelope", () => {
  it.each(table)("%i %s: %s", async (status, code, _what, call) => {
    mustBeEnvelope(await call(), status, code)
  })

  it("names the allowed methods with 405", async () => {
    const answer = await web.call("PUT", `/api/v1/hosts/${host}`, { token })
    expect(answer.headers["allow"]).toBe("GET, PATCH, DELETE, HEAD")
  })

  it("names every refused field with 422", async () => {
    const answer = await web.call("POST", "/api/v1/hosts", {
      token,
      body: { address: "1.2.3", agent_port: 0, extra: 1 },
      headers: key
    })
    const fields = answer.at("error.details.fields") as ReadonlyArray<{ readonly path: string }>
    expect(fields.map((field) => field.path).sort()).toEqual(["payload.address", "payload.agent_port", "payload.extra"])
  })

  it("counts a body without a length too", async () => {
    const chunk = `${(70_000).toString(16)}\r\n${"x".repeat(70_000)}\r\n0\r\n\r\n`
    const text = await raw(
      `POST /api/v1/hosts HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${token}\r\nidempotency-key: k\r\n` +
        `content-type: application/json\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n${chunk}`
    )
    expect(text).toMatch(/^HTTP\/1.1 413 /)
    expect(text).toContain('"body_too_large"')
  })

  it.each([
    [400, "bad_request", "GARBAGE\r\n\r\n"],
    [431, "headers_too_large", `GET / HTTP/1.1\r\nhost: localhost\r\nx: ${"y".repeat(20_000)}\r\n\r\n`]
  ])("%i %s for what Node's parser refuses", async (status, code, bytes) => {
    const text = await raw(bytes)
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(text).toContain(`"${code}"`)
    expect(text).toMatch(/x-request-id: [0-9A-Z]{26}/)
  })

  it("500 tells nothing of the inside", async () => {
    await web.rows("alter table host_packages rename to host_packages_away")
    const answer = await web.call("GET", `/api/v1/hosts/${host}/packages`, { token })
    await web.rows("alter table host_packages_away rename to host_packages")
    mustBeEnvelope(answer, 500, "internal_error")
    expect(answer.text).not.toMatch(/host_packages|sql|select/i)
  })

  it("503 with Retry-After while the database is away, and health says so", async () => {
    const name = new URL(web.databaseUrl.replace("postgresql:///", "http://x/")).pathname.slice(1)
    const elsewhere = testClient(withDatabase(inject("testDatabaseUrl"), "postgres"))
    await elsewhere.connect()
    await elsewhere.query(`alter database ${pg.escapeIdentifier(name)} allow_connections false`)
    await elsewhere.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and application_name = 'test web'",
      [name]
    )
    const answer = await web.call("GET", "/api/v1/status/fleet", { token })
    const health = await web.call("GET", "/status/health")
    await elsewhere.query(`alter database ${pg.escapeIdentifier(name)} allow_connections true`)
    await elsewhere.end()
    mustBeEnvelope(answer, 503, "unavailable")
    expect(answer.headers["retry-after"]).toBe("5")
    expect([health.status, health.json()]).toEqual([503, { status: "failing", failing: "database" }])
    await expect
      .poll(async () => (await web.call("GET", "/api/v1/status/fleet", { token })).status, { timeout: 10_000 })
      .toBe(200)
  })
})

it("carries the security headers on every answer, without unsafe-inline", async () => {
  for (const path of ["/", "/api/v1/hosts", "/status/health", "/api/docs"]) {
    const { headers } = await web.call("GET", path, { token, headers: { accept: "text/html" } })
    expect(headers["content-security-policy"]).toContain("default-src 'self'")
    expect(headers["content-security-policy"]).toContain("frame-ancestors 'none'")
    expect(headers["content-security-policy"]).not.toContain("unsafe")
    expect(headers["x-content-type-options"]).toBe("nosniff")
    expect(headers["referrer-policy"]).toBe("no-referrer")
    expect(headers["strict-transport-security"]).toBeUndefined()
  }
})

it("never lets an API answer be stored", async () => {
  const answer = await web.call("GET", "/api/v1/hosts", { token })
  expect(answer.headers["cache-control"]).toBe("no-store")
})

it("speaks nothing older than TLS 1.3", async () => {
  const old = new Promise((resolve, reject) => {
    const socket = connect({
      host: "127.0.0.1",
      port: web.port,
      ca: web.ca,
      servername: "localhost",
      maxVersion: "TLSv1.2"
    })
    socket.on("secureConnect", () => reject(new Error("TLS 1.2 was accepted")))
    socket.on("error", resolve)
  })
  await expect(old).resolves.toBeInstanceOf(Error)
})

it("serves the console, falls back to its page, and keeps unknown API paths out of it", async () => {
  const html = { accept: "text/html" }
  expect((await web.call("GET", "/hosts/abc", { headers: html })).text).toContain("console")
  expect((await web.call("GET", "/assets/app.js")).headers["cache-control"]).toContain("immutable")
  expect((await web.call("GET", "/api/nothing", { headers: html })).status).toBe(404)
})
