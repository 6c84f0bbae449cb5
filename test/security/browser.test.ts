/** What every answer tells a browser, and what other sites' pages are told: against a real web process. */
import { afterAll, beforeAll, expect } from "vitest"
import type { Answer } from "#test/http/TestWeb.ts"
import { startTestWeb, type TestWeb } from "#test/http/TestWeb.ts"
import { rawWeb } from "./rawWeb.ts"
import { securityRow } from "./securityRow.ts"

let web: TestWeb
let named: TestWeb
let token: string
let host: string
beforeAll(async () => {
  web = await startTestWeb()
  await web.addUser("admin", "admin")
  token = (await web.signIn("admin")).token
  host = await web.addHost(token, { address: "127.0.0.1" })
  named = await startTestWeb({ publicUrl: "https://patch.example.org" })
})
afterAll(() => Promise.all([web.stop(), named.stop()]))

const policy = (csp: string): Map<string, string> =>
  new Map(csp.split(";").map((part) => [part.trim().split(" ")[0] ?? "", part.trim().split(" ").slice(1).join(" ")]))

/** Answers of every kind: pages, files, the API, downloads, errors of the router, of schemas and of the server itself. */
const answers = async (): Promise<ReadonlyArray<readonly [what: string, headers: Answer["headers"]]>> => {
  const called: ReadonlyArray<readonly [string, Promise<Answer>]> = [
    ["page", web.call("GET", "/")],
    ["client route", web.call("GET", "/hosts/1")],
    ["asset", web.call("GET", "/assets/app.js")],
    ["lost asset", web.call("GET", "/assets/gone.js")],
    ["list", web.call("GET", "/api/v1/hosts", { token })],
    ["download", web.call("GET", "/api/v1/ca/root.crt")],
    ["list of revoked certificates", web.call("GET", "/api/v1/pki/crl.pem")],
    ["health", web.call("GET", "/status/health")],
    ["redirect", web.call("GET", "/api/docs")],
    ["style of the API's page", web.call("GET", "/api/docs/docs.css")],
    ["400", web.call("POST", "/api/v1/hosts", { token, raw: "{", headers: { "idempotency-key": "k" } })],
    ["401", web.call("GET", "/api/v1/hosts")],
    ["404", web.call("GET", "/api/v1/nothing", { token })],
    ["405", web.call("PUT", "/api/v1/hosts", { token })],
    ["412", web.call("PATCH", `/api/v1/hosts/${host}`, { token, body: {}, headers: { "if-match": '"99"' } })],
    ["415", web.call("POST", "/api/v1/hosts", { token, raw: "a", headers: { "content-type": "text/plain" } })],
    ["421", web.call("GET", "/", { headers: { host: "evil.example" } })],
    ["422", web.call("GET", "/api/v1/hosts?limit=x", { token })],
    ["426", web.call("GET", "/api/v1/ws/jobs?ticket=x")],
    ["417", web.call("GET", "/", { headers: { expect: "miracles" } })],
    ["no content", web.call("DELETE", `/api/v1/hosts/${host}`, { token, headers: { "if-match": '"1"' } })]
  ]
  const raw: ReadonlyArray<readonly [string, string]> = [
    ["raw 400", "GARBAGE\r\n\r\n"],
    ["raw 431", `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${"y".repeat(20_000)}\r\n\r\n`]
  ]
  const parsed = raw.map(async ([what, bytes]) => {
    const { text } = await rawWeb(web, bytes)
    const lines = text.split("\r\n\r\n")[0]?.split("\r\n").slice(1) ?? []
    const headers = Object.fromEntries(
      lines.map((line) => [line.split(": ")[0] ?? "", line.split(": ").slice(1).join(": ")])
    )
    return [what, headers] as const
  })
  return Promise.all([...called.map(async ([what, answer]) => [what, (await answer).headers] as const), ...parsed])
}

securityRow("S69", "headers on every response", async (row) => {
  const all = await answers()
  const each = (name: string, expected: string | RegExp) => () => {
    for (const [what, headers] of all) {
      expect([what, String(headers[name])]).toEqual([what, expect.stringMatching(expected)])
    }
  }
  await row.assert("HSTS ≥ 1 year", async () => {
    const one = await named.call("GET", "/", { headers: { host: "patch.example.org" } })
    const missing = await named.call("GET", "/api/v1/nothing", { headers: { host: "patch.example.org" } })
    for (const { headers } of [one, missing]) {
      const age = /max-age=([0-9]+)/.exec(String(headers["strict-transport-security"]))?.[1]
      expect(Number(age)).toBeGreaterThanOrEqual(31_536_000)
    }
  })
  await row.assert("not on localhost or a bare address", async () => {
    for (const [what, headers] of all) expect([what, headers["strict-transport-security"]]).toEqual([what, undefined])
    const local = await named.call("GET", "/", { headers: { host: "localhost" } })
    expect(local.headers["strict-transport-security"]).toBeUndefined()
  })
  await row.assert("CSP without unsafe-inline, object-src none, base-uri none, frame-ancestors none", () => {
    for (const [what, headers] of all) {
      const csp = policy(String(headers["content-security-policy"]))
      expect([...csp.values()].join(" ")).not.toMatch(/unsafe-|\*|http:/)
      const found = ["default-src", "object-src", "base-uri", "frame-ancestors"].map((name) => csp.get(name))
      expect([what, ...found]).toEqual([what, "'self'", "'none'", "'none'", "'none'"])
    }
  })
  await row.assert("nosniff", each("x-content-type-options", /^nosniff$/))
  await row.assert("referrer policy", each("referrer-policy", /^no-referrer$/))
  await row.assert("COOP, CORP", () => {
    each("cross-origin-opener-policy", /^same-origin$/)()
    each("cross-origin-resource-policy", /^same-origin$/)()
  })
  await row.assert("no-store on API", () => {
    const kept = ["page", "client route", "asset", "lost asset", "style of the API's page", "421", "417"]
    for (const [what, headers] of all) {
      if (!kept.includes(what)) expect([what, headers["cache-control"]]).toEqual([what, "no-store"])
    }
  })
  await row.assert("no-store also where the path is written in other ways", async () => {
    for (const path of ["/%61pi/v1/hosts", "//api//v1/hosts/", "/api/v1/%68osts"]) {
      const answer = await web.call("GET", path, { token })
      expect([path, answer.headers["cache-control"]]).toEqual([path, "no-store"])
    }
  })
  await row.assert("no version in `Server`", () => {
    for (const [what, headers] of all) {
      expect([what, headers["server"], headers["x-powered-by"]]).toEqual([what, undefined, undefined])
    }
  })
})

securityRow("S67", "other sites' pages read nothing", async (row) => {
  const origins = [
    "https://evil.example",
    "null",
    "https://sub.localhost:8443",
    "https://localhost.evil.example",
    "http://localhost"
  ]
  await row.assert("foreign, `null`, subdomain, suffix origins → no allow header", async () => {
    for (const origin of origins) {
      const answer = await web.call("GET", "/api/v1/hosts", { token, headers: { origin } })
      const allowed = Object.keys(answer.headers).filter((name) => name.startsWith("access-control-"))
      expect([origin, allowed]).toEqual([origin, []])
    }
  })
  await row.assert("preflight refused", async () => {
    for (const origin of origins) {
      const answer = await web.call("OPTIONS", "/api/v1/hosts", {
        headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "authorization" }
      })
      const allowed = Object.keys(answer.headers).filter((name) => name.startsWith("access-control-"))
      expect([origin, answer.status, allowed]).toEqual([origin, 405, []])
    }
  })
})

securityRow("S86", "nothing without a login", async (row) => {
  await row.assert(
    "`/metrics`, health detail, API documentation, debug routes, source maps, `.git`, listings → 404",
    async () => {
      const paths = [
        "/metrics",
        "/status/metrics",
        "/api/metrics",
        "/api/v1/metrics",
        "/debug",
        "/api/debug",
        "/api/v1/debug/pprof",
        "/.git/config",
        "/.git/HEAD",
        "/.env",
        "/package.json",
        "/assets/app.js.map",
        "/app.js.map",
        "/assets/.htaccess",
        "/api/openapi.json",
        "/swagger.json",
        "/api/v1/swagger.json",
        "/status/health/detail",
        "/server-status"
      ]
      for (const path of paths) expect([path, (await web.call("GET", path)).status]).toEqual([path, 404])
      for (const path of ["/assets/", "/api", "/api/", "/api/v1/", "/status/"]) {
        const answer = await web.call("GET", path)
        expect([path, /app\.js|Index of/.test(answer.text)]).toEqual([path, false])
        expect([path, answer.status, answer.text.slice(0, 80)]).toEqual([path, 404, expect.any(String)])
      }
    }
  )
  await row.assert("the contract and its page are for people who are signed in", async () => {
    expect((await web.call("GET", "/api/v1/openapi.json")).status).toBe(401)
    const page = await web.call("GET", "/api/docs")
    expect([page.status, page.text]).toEqual([303, ""])
  })
  await row.assert("health says whether it works, and nothing else", async () => {
    const { text } = await web.call("GET", "/status/health")
    expect(Object.keys(JSON.parse(text))).toEqual(expect.not.arrayContaining(["version", "database_url", "hosts"]))
    expect(text.length).toBeLessThan(100)
  })
})

securityRow("S75", "downloads name ids, never files", async (row) => {
  const tricks = [
    "../",
    "..%2f",
    "%2e%2e%2f",
    "%252e%252e%252f",
    "..%5c",
    "..\\",
    "%00",
    "....//",
    "/etc/",
    "%2fetc%2f",
    "c%3a%5c",
    "con",
    "aux.txt"
  ]
  await row.assert("`../`, `%2e%2e%2f`, double encoding, NUL, absolute, `..\\`, Windows names → 404", async () => {
    for (const trick of tricks) {
      for (const path of [
        `/assets/${trick}passwd`,
        `/assets/${trick}index.html`,
        `/api/v1/hosts/${trick}passwd/client.crt`
      ]) {
        const answer = await rawWeb(
          web,
          `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`
        )
        expect([path, answer.text.includes("root:")]).toEqual([path, false])
        expect([path, [400, 401, 404, 422]]).toEqual([path, expect.arrayContaining([answer.statuses[0]])])
      }
    }
  })
  await row.assert("ids only, never names; `Content-Disposition` with RFC 6266 encoding", async () => {
    const issuing = await web
      .addHost(token, { address: "127.0.0.77", display_name: 'web\u2028"; filename=evil.sh' })
      .catch(() => null)
    const id = issuing ?? (await web.addHost(token, { address: "127.0.0.77" }))
    await web.call("POST", `/api/v1/hosts/${id}/certificate`, { token, headers: { "idempotency-key": "cert" } })
    const answer = await web.call("GET", `/api/v1/hosts/${id}/client.crt`, { token })
    const disposition = answer.headers["content-disposition"]
    if (disposition !== undefined) expect(String(disposition)).toMatch(/^attachment; filename="[A-Za-z0-9._-]+"/)
    expect(JSON.stringify(answer.headers)).not.toContain("evil")
  })
  await row.assert("header injection through file names → impossible", async () => {
    const answer = await web.call("GET", `/api/v1/hosts/${encodeURIComponent("x\r\nset-cookie: a=b")}/client.crt`, {
      token
    })
    expect([answer.status, answer.headers["set-cookie"]]).toEqual([422, undefined])
  })
  row.missing("symlink in the folder", "nothing that is served is a folder people can write to")
})
