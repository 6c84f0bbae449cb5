/** What is no proper HTTP, what comes slowly, and what asks for another host: against a real web process. */
import { connect as connectPlain } from "node:net"
import { connect } from "node:tls"
import { afterAll, beforeAll, expect } from "vitest"
import { limits } from "#core/Limits.ts"
import { callFrom } from "#test/http/callFrom.ts"
import { startTestWeb, type TestWeb } from "#test/http/TestWeb.ts"
import { rawWeb } from "./rawWeb.ts"
import { securityRow } from "./securityRow.ts"

let web: TestWeb
let token: string
let host: string
beforeAll(async () => {
  web = await startTestWeb()
  await web.addUser("admin", "admin")
  token = (await web.signIn("admin")).token
  host = await web.addHost(token, { address: "127.0.0.1" })
})
afterAll(() => web.stop())

const count = async (table: string): Promise<number> =>
  Number((await web.rows<{ n: string }>(`select count(*) as n from ${table}`))[0]?.n)
const head = (line: string, ...headers: ReadonlyArray<string>): string =>
  [line, "Host: localhost", ...headers, "", ""].join("\r\n")
const smuggled = "GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"

/** One refusal, and nothing after it is taken for a second request. */
const refuses = async (bytes: string, status = 400): Promise<void> => {
  const answer = await rawWeb(web, bytes)
  expect([answer.statuses, answer.closed]).toEqual([[status], true])
  expect(answer.text).toMatch(/"code":"/)
}

securityRow("S92", "requests that two parsers would read differently", async (row) => {
  const post = (...headers: ReadonlyArray<string>): string => head("POST /api/v1/auth/login HTTP/1.1", ...headers)
  await row.assert("CL+TE", () =>
    refuses(`${post("Content-Length: 4", "Transfer-Encoding: chunked")}0\r\n\r\n${smuggled}`)
  )
  await row.assert("TE.TE variants", async () => {
    for (const te of ["chunked, identity", "xchunked", " chunked, chunked", "chunked\x0b", "identity"]) {
      const answer = await rawWeb(web, `${post(`Transfer-Encoding: ${te}`)}0\r\n\r\n${smuggled}`)
      // Nothing of it was answered as a request.
      expect([te, new Set(answer.statuses), answer.closed]).toEqual([te, new Set([400]), true])
    }
  })
  await row.assert("double CL", () => refuses(`${post("Content-Length: 0", "Content-Length: 30")}${smuggled}`))
  await row.assert("obs-fold", () => refuses(head("GET / HTTP/1.1", "X-A: b\r\n folded")))
  await row.assert("bare LF", () => refuses("GET / HTTP/1.1\nHost: localhost\n\n"))
  await row.assert("chunk extensions", async () => {
    const body = `5;${"x".repeat(20_000)}\r\nhello\r\n0\r\n\r\n`
    const answer = await rawWeb(web, `${post("Transfer-Encoding: chunked", "Content-Type: application/json")}${body}`)
    expect(answer.statuses.every((status) => status === 400 || status === 413)).toBe(true)
    expect(answer.closed).toBe(true)
  })
  await row.assert("header with space before colon", () => refuses(head("GET / HTTP/1.1", "X-A : b")))
  await row.assert("NUL", () => refuses(head("GET / HTTP/1.1", "X-A: b\0c")))
  await row.assert("two Host headers", () => refuses(head("GET / HTTP/1.1", "Host: evil.example", "Connection: close")))
  await row.assert("200 headers", async () => {
    const many = Array.from({ length: 2000 }, (_, n) => `X-${n}: 12345678`)
    await refuses(head("GET / HTTP/1.1", ...many), 431)
  })
  await row.assert("64 KiB header", () => refuses(head("GET / HTTP/1.1", `X: ${"y".repeat(65_536)}`), 431))
  await row.assert("HTTP/2 with connection headers → 400 and connection closed", async () => {
    const answer = await rawWeb(web, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    expect([answer.statuses.length <= 1, answer.closed]).toEqual([true, true])
    expect(answer.statuses[0] ?? 400).toBe(400)
  })
  row.missing(
    "also through the documented reverse proxy, both agree on the request count",
    "no reverse proxy is shipped"
  )
})

securityRow("S93", "bodies and headers that come slowly or not as said", async (row) => {
  await row.assert("body over limit per route", async () => {
    const over = await web.call("POST", "/api/v1/hosts", {
      token,
      raw: `"${"x".repeat(limits.body_bytes)}"`,
      headers: { "idempotency-key": "k" }
    })
    expect(over.status).toBe(413)
  })
  await row.assert("wrong length", async () => {
    const text = head(
      "POST /api/v1/hosts HTTP/1.1",
      `Authorization: Bearer ${token}`,
      "Idempotency-Key: k",
      "Content-Type: application/json",
      "Content-Length: 3"
    )
    const answer = await rawWeb(web, `${text}{"address":"127.0.0.2"}`)
    expect(answer.statuses.every((status) => status === 400)).toBe(true)
    expect(answer.closed).toBe(true)
  })
  /** Sends at once, then a byte a second; answers how many seconds the server let it. */
  const trickle = (start: string, byte: string): Promise<number> =>
    new Promise((resolve) => {
      const began = performance.now()
      const socket = connect({ host: "127.0.0.1", port: web.port, servername: "localhost", ca: web.ca }, () =>
        socket.write(start)
      )
      const timer = setInterval(() => socket.write(byte), 1000)
      socket.on("data", () => undefined)
      socket.on("error", () => undefined)
      socket.on("close", () => {
        clearInterval(timer)
        resolve((performance.now() - began) / 1000)
      })
    })
  await row.assert("slow headers, slow body (1 byte a second), nothing at all → cut by limits", async () => {
    const length = ["Content-Length: 1000", "Content-Type: application/json"]
    const [silence, headers, body] = await Promise.all([
      new Promise<number>((resolve) => {
        const began = performance.now()
        const socket = connectPlain({ host: "127.0.0.1", port: web.port })
        socket.on("error", () => undefined)
        socket.on("close", () => resolve((performance.now() - began) / 1000))
        socket.resume()
      }),
      trickle("GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", "x"),
      trickle(head("POST /api/v1/auth/login HTTP/1.1", ...length), " ")
    ])
    expect(silence).toBeGreaterThan(limits.tls_handshake_seconds - 1)
    expect(silence).toBeLessThan(limits.tls_handshake_seconds + 5)
    // Not refused for what was sent, but for its slowness.
    expect(headers).toBeGreaterThan(limits.headers_seconds - 1)
    expect(headers).toBeLessThan(limits.headers_seconds + 5)
    expect(body).toBeGreaterThan(limits.request_seconds - 1)
    expect(body).toBeLessThan(limits.request_seconds + 5)
  })
  await row.assert("idle keep-alive × 5,000 → cut by limits; normal users' p95 stays under 1 s", async () => {
    const held = new Set<ReturnType<typeof connect>>()
    row.after(() => held.forEach((socket) => socket.destroy()))
    const open = () =>
      new Promise<void>((resolve) => {
        const raw = connectPlain({ host: "127.0.0.1", port: web.port, localAddress: "127.0.0.66" })
        const socket = connect({ socket: raw, servername: "localhost", ca: web.ca })
        socket.once("secureConnect", () => {
          held.add(socket)
          resolve()
        })
        socket.on("error", () => undefined)
        socket.once("close", () => {
          held.delete(socket)
          resolve()
        })
      })
    for (let n = 0; n < 5_000; n += 250) await Promise.all(Array.from({ length: 250 }, open))
    expect(held.size).toBeGreaterThan(limits.connections_per_address - 20)
    expect(held.size).toBeLessThanOrEqual(limits.connections_per_address)
    // A connection each, as people who come anew have.
    const times: Array<number> = []
    for (let n = 0; n < 40; n++) {
      const began = performance.now()
      expect((await callFrom(web, "127.0.0.7", "GET", "/api/v1/hosts", { token }))?.status).toBe(200)
      times.push(performance.now() - began)
    }
    expect(times.toSorted((a, b) => a - b)[37]).toBeLessThan(1000)
    // Those let go make room again.
    const [one] = held
    one?.destroy()
    await expect
      .poll(async () => (await callFrom(web, "127.0.0.66", "GET", "/api/v1/hosts", { token }))?.status)
      .toBe(200)
  })
})

securityRow("S55", "the manager answers for its own name alone", async (row) => {
  const login = (headers: Record<string, string>) =>
    web.call("POST", "/api/v1/auth/login", { body: { username: "admin", password: "x" }, headers })
  await row.assert("`X-Forwarded-Proto`, `X-Forwarded-Host` → no effect on links, cookies, redirects", async () => {
    const plain = await login({})
    const forged = await login({
      "x-forwarded-proto": "http",
      "x-forwarded-host": "evil.example",
      "x-forwarded-port": "1"
    })
    expect([forged.status, forged.at("error.code")]).toEqual([plain.status, plain.at("error.code")])
    const docs = await web.call("GET", "/api/docs", { headers: { "x-forwarded-host": "evil.example" } })
    expect(JSON.stringify([docs.headers, docs.text, forged.headers, forged.text])).not.toContain("evil.example")
    expect(docs.headers["location"]).toBe("/")
    const { cookie } = await web.signIn("admin")
    const refreshed = await web.call("POST", "/api/v1/auth/refresh", {
      headers: { cookie, "x-forwarded-proto": "http", "x-forwarded-host": "evil.example" }
    })
    expect(refreshed.status).toBe(200)
    expect(refreshed.headers["set-cookie"]?.[0]).toMatch(/^__Host-refresh=[^;]+;(?!.*domain).*; Secure/i)
    expect(JSON.stringify([refreshed.headers, refreshed.text])).not.toContain("evil.example")
  })
  await row.assert("absolute-form URI", async () => {
    const foreign = await rawWeb(web, head("GET https://evil.example/ HTTP/1.1", "Connection: close"))
    expect(foreign.statuses).toEqual([421])
    const own = await rawWeb(web, head("GET https://localhost/api/v1/ca/root.crt HTTP/1.1", "Connection: close"))
    expect(own.statuses).toEqual([200])
  })
  await row.assert("unknown `Host` → 421", async () => {
    for (const name of [
      "evil.example",
      "localhost.evil.example",
      "127.0.0.2",
      "localhost@evil",
      "LOCALHOST.",
      "[::2]"
    ]) {
      const answer = await web.call("GET", "/", { headers: { host: name } })
      expect([name, answer.status]).toEqual([name, 421])
    }
    expect((await rawWeb(web, "GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n")).statuses).toEqual([421])
    expect((await web.call("GET", "/", { headers: { host: "LOCALHOST:1" } })).status).toBe(200)
  })
})

securityRow("S59", "methods that a path does not take", async (row) => {
  const paths = [
    "/api/v1/hosts",
    `/api/v1/hosts/${host}`,
    "/api/v1/jobs",
    "/api/v1/settings",
    "/api/v1/network",
    "/rpc"
  ]
  const before = await Promise.all(["hosts", "patch_jobs", "audit_log"].map(count))
  await row.assert("Method override headers → no effect", async () => {
    for (const header of ["x-http-method-override", "x-method-override", "x-http-method", "_method"]) {
      const answer = await web.call("GET", `/api/v1/hosts/${host}?_method=DELETE`, {
        token,
        headers: { [header]: "DELETE" }
      })
      expect([header, answer.status]).toEqual([header, 200])
      const posted = await web.call("POST", `/api/v1/hosts/${host}`, { token, headers: { [header]: "DELETE" } })
      expect([header, posted.status]).toEqual([header, 405])
    }
  })
  await row.assert("HEAD/OPTIONS/TRACE on writing routes → no effect", async () => {
    for (const path of paths) {
      for (const method of ["HEAD", "OPTIONS", "TRACE"]) {
        const answer = await web.call(method, path, { token })
        expect([path, method, answer.status < 500]).toEqual([path, method, true])
        if (method !== "HEAD") expect([path, method, answer.status]).toEqual([path, method, 405])
        expect(answer.headers["access-control-allow-methods"]).toBeUndefined()
      }
    }
    expect(await Promise.all(["hosts", "patch_jobs", "audit_log"].map(count))).toEqual(before)
  })
  await row.assert("unlisted methods 405", async () => {
    for (const method of ["PROPFIND", "MKCOL", "PURGE", "LINK", "SEARCH", "QUERY"]) {
      const answer = await web.call(method, "/api/v1/hosts", { token })
      expect([method, answer.status, answer.at("error.code")]).toEqual([method, 405, "method_not_allowed"])
    }
    for (const method of ["PUT", "PATCH", "DELETE"]) {
      expect((await web.call(method, "/api/v1/hosts", { token })).status).toBe(405)
    }
    const connected = await rawWeb(web, head("CONNECT localhost:443 HTTP/1.1"))
    expect([connected.statuses.filter((status) => status < 400), connected.closed]).toEqual([[], true])
  })
})
