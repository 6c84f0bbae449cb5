/** What other sites can make a browser do. */
import { afterAll, beforeAll, expect } from "vitest"
import { startTestWeb, type TestWeb } from "#test/http/TestWeb.ts"
import { guarded, routes, rowCounts } from "./routeTable.ts"
import { securityRow } from "./securityRow.ts"

let web: TestWeb
beforeAll(async () => {
  web = await startTestWeb()
  await web.addUser("admin", "admin")
  await web.addUser("olga", "operator")
})
afterAll(() => web.stop())

const me = (token: string) => web.call("GET", "/api/v1/auth/me", { token })
const refresh = (cookie: string, headers = {}) =>
  web.call("POST", "/api/v1/auth/refresh", { headers: { cookie, ...headers } })

securityRow("S68", "Cross-site request forgery", async (row) => {
  const session = await web.signIn("admin")
  const { cookie } = session
  const ambient = ["/api/v1/auth/login", "/api/v1/auth/refresh", "/api/v1/auth/logout"]
  const from = (path: string, headers: Record<string, string>, raw = "{}") =>
    web.call("POST", path, { raw, headers: { cookie, ...headers } })
  /** A refusal is written down, which is no effect. */
  const changed = async () =>
    Object.fromEntries(Object.entries(await rowCounts(web)).filter(([table]) => !table.startsWith("audit_")))
  await row.assert("cross-site form: 403", async () => {
    for (const path of ambient) {
      const form = { "content-type": "application/x-www-form-urlencoded", origin: "https://evil.example" }
      expect([403, 415]).toContain((await from(path, form, "username=a&password=b")).status)
    }
  })
  await row.assert("text/plain JSON: refused", async () => {
    const body = JSON.stringify({ username: "admin", password: "x" })
    const answer = await from(
      "/api/v1/auth/login",
      { "content-type": "text/plain", origin: "https://evil.example" },
      body
    )
    expect([403, 415]).toContain(answer.status)
  })
  await row.assert("a foreign Origin, whatever is sent: 403", async () => {
    const login = JSON.stringify({ username: "admin", password: "x" })
    for (const path of ambient) {
      for (const origin of ["https://evil.example", "null", `https://localhost.evil.example:${web.port}`]) {
        const body = path.endsWith("login") ? { raw: login } : {}
        const answer = await web.call("POST", path, { ...body, headers: { cookie, origin } })
        expect([path, origin, answer.status]).toEqual([path, origin, 403])
      }
    }
    expect((await me(session.token)).status).toBe(200)
  })
  await row.assert("a form or text/plain from a browser that says nothing of where it comes from: 415", async () => {
    for (const path of ambient) {
      for (const type of ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x"])
        expect([path, type, (await from(path, { "content-type": type })).status]).toEqual([path, type, 415])
    }
    expect((await me(session.token)).status).toBe(200)
  })
  await row.assert("Sec-Fetch-Site: cross-site: 403", async () => {
    const login = JSON.stringify({ username: "admin", password: "x" })
    for (const path of ambient) {
      for (const site of ["cross-site", "same-site"]) {
        const body = path.endsWith("login") ? login : ""
        const headers = { "sec-fetch-site": site, ...(body === "" ? {} : { "content-type": "application/json" }) }
        const answer = await web.call("POST", path, {
          ...(body === "" ? {} : { raw: body }),
          headers: { cookie, ...headers }
        })
        expect([path, site, answer.status]).toEqual([path, site, 403])
      }
    }
    expect((await me(session.token)).status).toBe(200)
  })
  await row.assert("GET with effect: there is none", async () => {
    const before = await changed()
    for (const path of ambient) expect((await web.call("GET", path, { headers: { cookie } })).status).toBe(405)
    for (const { path } of routes.filter(({ method }) => method === "GET"))
      await web.call("GET", path, { headers: { cookie } })
    expect(await changed()).toEqual(before)
  })
  await row.assert("missing custom header: the cookie alone changes nothing, each route wants a Bearer", async () => {
    for (const { method, path, name } of guarded.filter((route) => route.method !== "GET")) {
      const answer = await web.call(method, path, { raw: "{}", headers: { cookie } })
      expect([name, answer.status]).toEqual([name, 401])
    }
  })
  await row.assert("cookies __Host-, Secure, HttpOnly, SameSite=Strict", async () => {
    const set = String((await refresh(cookie)).headers["set-cookie"]?.[0])
    expect(set).toMatch(/^__Host-refresh=[^;]+; /)
    for (const part of ["Path=/", "Secure", "HttpOnly", "SameSite=Strict"]) expect(set.split("; ")).toContain(part)
    expect(set).not.toMatch(/domain/i)
  })
})
