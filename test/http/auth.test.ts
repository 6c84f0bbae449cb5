import { createHash, createHmac, generateKeyPairSync } from "node:crypto"
import * as jose from "jose"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { createToken } from "#http/server/createToken.ts"
import { password, startTestWeb, type TestWeb } from "./TestWeb.ts"

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
const cookieOf = (answer: Awaited<ReturnType<typeof refresh>>): string =>
  String(answer.headers["set-cookie"]?.[0] ?? "").split(";")[0] ?? ""
const audit = async (action: string): Promise<number> =>
  (await web.rows<{ n: number }>("select count(*)::int as n from audit_log where action = $1", [action]))[0]!.n

describe("password", () => {
  it("signs in with a token for 15 minutes and a cookie no script and no other site can use", async () => {
    const before = await audit("session.sign_in")
    const { answer } = await web.signIn("admin")
    expect(answer.json()).toMatchObject({
      status: "signed_in",
      expires_in_seconds: 900,
      user: { username: "admin", role: "admin" }
    })
    const cookie = String(answer.headers["set-cookie"]?.[0])
    for (const part of [/^__Host-refresh=/, /; Path=\//, /; HttpOnly/, /; Secure/, /; SameSite=Strict/])
      expect(cookie).toMatch(part)
    expect(cookie).not.toMatch(/Domain/i)
    expect(await audit("session.sign_in")).toBe(before + 1)
  })

  it("says the same about a wrong password and a user who does not exist, and takes as long", async () => {
    const attempt = async (username: string) => {
      const start = performance.now()
      const answer = await web.call("POST", "/api/v1/auth/login", { body: { username, password: "wrong" } })
      return { text: answer.at("error.message"), status: answer.status, took: performance.now() - start }
    }
    const wrong = await attempt("admin")
    const unknown = await attempt("nobody")
    expect([wrong.status, wrong.text]).toEqual([401, unknown.text])
    expect(unknown.took).toBeGreaterThan(wrong.took / 4)
    expect(await audit("session.sign_in_failed")).toBeGreaterThanOrEqual(2)
  })

  it("hashes at most two at once, lets eight wait and tells the rest to come back", async () => {
    const answers = await Promise.all(
      Array.from({ length: 14 }, () =>
        web.call("POST", "/api/v1/auth/login", { body: { username: "nobody", password: "x" } })
      )
    )
    const refused = answers.filter((answer) => answer.status === 429)
    expect(refused.length).toBeGreaterThanOrEqual(1)
    expect(refused[0]!.headers["retry-after"]).toBe("5")
    expect(answers.filter((answer) => answer.status === 401).length).toBeGreaterThanOrEqual(10)
  }, 60_000)

  it("can be changed, which ends the other sessions", async () => {
    await web.addUser("chris", "operator")
    const first = await web.signIn("chris")
    const second = await web.signIn("chris")
    const change = (current_password: string) =>
      web.call("POST", "/api/v1/auth/password", {
        token: second.token,
        body: { current_password, new_password: "another long password" }
      })
    expect((await change("wrong")).status).toBe(422)
    expect((await change(password)).status).toBe(204)
    expect((await refresh(first.cookie)).status).toBe(401)
    expect((await refresh(second.cookie)).status).toBe(200)
    const old = await web.call("POST", "/api/v1/auth/login", { body: { username: "chris", password } })
    expect(old.status).toBe(401)
  })
})

describe("session", () => {
  it("rotates its token; the same one at once from two tabs gives one successor", async () => {
    const { cookie } = await web.signIn("admin")
    const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(cookie)))
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([200]))
    const successors = new Set(answers.map(cookieOf))
    expect(successors.size).toBe(1)
    expect(successors.has(cookie)).toBe(false)
    expect((await me(answers[0]!.string("access_token"))).status).toBe(200)
  })

  it("ends as a whole when a used token comes back later, with an audit row", async () => {
    const { cookie, token } = await web.signIn("admin")
    const next = await refresh(cookie)
    await web.rows("update refresh_tokens set used_at = used_at - interval '11 seconds' where used_at is not null")
    const before = await audit("session.token_reused")
    expect((await refresh(cookie)).status).toBe(401)
    expect((await refresh(cookieOf(next))).status).toBe(401)
    expect(await audit("session.token_reused")).toBe(before + 1)
    await expect.poll(async () => (await me(token)).status, { timeout: 5000 }).toBe(401)
  })

  it("ends when the used token comes back from another program, even at once", async () => {
    const { cookie } = await web.signIn("admin")
    expect((await refresh(cookie)).status).toBe(200)
    expect((await refresh(cookie, { "user-agent": "thief" })).status).toBe(401)
  })

  it("idles out after an hour and ends after twelve, however busy", async () => {
    const idle = await web.signIn("admin")
    await web.rows("update refresh_tokens set expires_at = now() - interval '1 second' where used_at is null")
    expect((await refresh(idle.cookie)).status).toBe(401)
    const old = await web.signIn("admin")
    await web.rows(
      "update refresh_tokens set signed_in_at = now() - interval '11 hours 50 minutes' where used_at is null"
    )
    const last = await refresh(old.cookie)
    expect(last.status).toBe(200)
    const rows = await web.rows<{ minutes: number }>(
      "select extract(epoch from expires_at - now()) / 60 as minutes from refresh_tokens order by issued_at desc limit 1"
    )
    expect(Number(rows[0]!.minutes)).toBeLessThan(10.1)
  })

  it("is over for the access token too at the next request after signing out", async () => {
    const { cookie, token } = await web.signIn("admin")
    expect((await me(token)).status).toBe(200)
    const out = await web.call("POST", "/api/v1/auth/logout", { headers: { cookie } })
    expect(out.status).toBe(204)
    expect(String(out.headers["set-cookie"]?.[0])).toMatch(/Max-Age=0/)
    expect((await me(token)).status).toBe(401)
    expect((await refresh(cookie)).status).toBe(401)
  })

  it("is over within seconds when the account is disabled", async () => {
    await web.addUser("dora", "operator")
    const { token, cookie } = await web.signIn("dora")
    expect((await me(token)).status).toBe(200)
    await web.rows("update users set disabled_at = now() where username = 'dora'")
    await expect.poll(async () => (await me(token)).status, { timeout: 5000 }).toBe(401)
    expect((await refresh(cookie)).status).toBe(401)
  })

  it.each([
    ["another site's origin", { origin: "https://evil.example" }],
    ["our name on another port", { origin: "https://localhost:1" }],
    ["a cross-site request", { "sec-fetch-site": "cross-site" }],
    ["no origin a browser would name", { origin: "null" }]
  ])("refuses its cookie from %s", async (_what, headers) => {
    const { cookie } = await web.signIn("admin")
    expect((await refresh(cookie, headers)).status).toBe(403)
    expect(
      (await refresh(cookie, { origin: `https://localhost:${web.port}`, "sec-fetch-site": "same-origin" })).status
    ).toBe(200)
  })
})

describe("access token", () => {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url")

  it("is refused when anything about it is not ours", async () => {
    const { token } = await web.signIn("admin")
    const claims = jose.decodeJwt(token)
    const stranger = generateKeyPairSync("ed25519").privateKey
    const body = part(claims)
    const hs = `${part({ alg: "HS256", typ: "at+jwt" })}.${body}`
    const [head, , signature] = token.split(".")
    const forged = [
      `${part({ alg: "none", typ: "at+jwt" })}.${body}.`,
      `${hs}.${createHmac("sha256", web.ca).update(hs).digest("base64url")}`,
      await new jose.SignJWT(claims).setProtectedHeader({ alg: "EdDSA", typ: "at+jwt" }).sign(stranger),
      `${head}.${part({ ...claims, exp: (claims.exp ?? 0) + 9999 })}.${signature}`,
      createHash("sha256").update("x").digest("base64url")
    ]
    for (const one of forged) expect((await me(one)).status).toBe(401)
    expect((await me(token)).status).toBe(200)
  })
})

describe("API token", () => {
  it("works as Bearer, is stored hashed, expires, and is audited", async () => {
    const before = await audit("token.create")
    const token = await web.tokenFor("admin")
    expect(token).toMatch(/^lpm_[0-9a-f]{32}_[A-Za-z0-9_-]{43}$/)
    expect((await me(token)).status).toBe(200)
    expect(await audit("token.create")).toBe(before + 1)
    const stored = await web.rows<{ text: string }>("select t::text as text from api_tokens t")
    expect(stored.some((row) => row.text.includes(token.slice(-20)))).toBe(false)
    await web.rows("update api_tokens set expires_at = now() - interval '1 second'")
    await expect.poll(async () => (await me(token)).status, { timeout: 5000 }).toBe(401)
  })

  it("never changes accounts or trust, whoever owns it", async () => {
    const token = await web.tokenFor("admin")
    const host = await web.addHost(token, { address: "127.0.0.21" })
    const change = await web.call("POST", "/api/v1/auth/password", {
      token,
      body: { current_password: password, new_password: "a new long password" }
    })
    expect(change.status).toBe(403)
    expect((await web.call("POST", `/api/v1/hosts/${host}/certificate`, { token })).status).toBe(403)
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
    await expect
      .poll(
        async () =>
          (await web.call("POST", "/api/v1/hosts", { token: wide, body: {}, headers: { "idempotency-key": "n" } }))
            .status,
        { timeout: 5000 }
      )
      .toBe(403)
    await web.rows("update users set role = 'operator' where username = 'olga'")
  })
})
