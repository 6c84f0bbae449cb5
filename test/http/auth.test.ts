import { createHash, createHmac, generateKeyPairSync } from "node:crypto"
import * as jose from "jose"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { password, startTestWeb, type TestWeb } from "./TestWeb.ts"

let web: TestWeb
beforeAll(async () => {
  web = await startTestWeb()
  await web.addUser("admin", "admin")
  await web.addUser("olga", "operator")
})
afterAll(() => web.stop())

const me = (token: string) => web.call("GET", "/api/v1/auth/me", { token })
const hosts = (token: string) => web.call("GET", "/api/v1/hosts", { token })
const refresh = (cookie: string, headers = {}) =>
  web.call("POST", "/api/v1/auth/refresh", { headers: { cookie, ...headers } })
const cookieOf = (answer: Awaited<ReturnType<typeof refresh>>): string =>
  String(answer.headers["set-cookie"]?.[0] ?? "").split(";")[0] ?? ""
const audit = async (action: string): Promise<number> =>
  (await web.rows<{ n: number }>("select count(*)::int as n from audit_log where action = $1", [action]))[0]!.n

describe("password", () => {
  it("gets a cookie no script and no other site can use, and a token that only leads on to a second factor", async () => {
    const before = await audit("session.sign_in")
    const { answer, token } = await web.login("admin")
    expect(answer.json()).toEqual({
      status: "enrolment_required",
      access_token: token,
      expires_in_seconds: 900,
      factors: ["totp", "passkey"]
    })
    const cookie = String(answer.headers["set-cookie"]?.[0])
    for (const part of [/^__Host-refresh=/, /; Path=\//, /; HttpOnly/, /; Secure/, /; SameSite=Strict/])
      expect(cookie).toMatch(part)
    expect(cookie).not.toMatch(/Domain/i)
    expect(await audit("session.sign_in")).toBe(before + 1)
    const refused = await hosts(token)
    expect([refused.status, refused.at("error.code")]).toEqual([401, "mfa_required"])
    expect((await me(token)).json()).toMatchObject({ username: "admin", stage: "enrolling", stepped_up_at: null })
  })

  it("asks for the second factors that the account has", async () => {
    await web.addUser("paula", "operator")
    await web.rows(
      "insert into totp_secrets (id, user_id, secret_sealed, confirmed_at) select gen_random_uuid(), id, '', now() from users where username = 'paula'"
    )
    const { answer, cookie } = await web.login("paula")
    expect(answer.json()).toMatchObject({ status: "mfa_required", factors: ["totp"] })
    const again = await refresh(cookie)
    expect([again.status, again.at("status")]).toEqual([200, "mfa_required"])
    expect((await hosts(again.string("access_token"))).at("error.code")).toBe("mfa_required")
  })

  it("says the same about a wrong password and a user who does not exist", async () => {
    const attempt = async (username: string) => {
      const answer = await web.call("POST", "/api/v1/auth/login", { body: { username, password: "wrong" } })
      return [answer.status, answer.at("error.code"), answer.at("error.message")]
    }
    expect(await attempt("admin")).toEqual(await attempt("nobody"))
    expect(await audit("session.sign_in_failed")).toBeGreaterThanOrEqual(2)
  })

  it("signing in again in the same browser ends the session it had", async () => {
    const first = await web.login("olga")
    const second = await web.login("olga", { cookie: first.cookie })
    expect((await me(first.token)).status).toBe(401)
    expect((await me(second.token)).status).toBe(200)
  })
})

describe("what has to be changed first", () => {
  it("leaves only the password, oneself and signing out open", async () => {
    await web.addUser("nina", "operator")
    const { token, cookie } = await web.signIn("nina")
    await web.rows("update users set must_change_password = true where username = 'nina'")
    const refused = await hosts(token)
    expect([refused.status, refused.at("error.code")]).toEqual([403, "password_change_required"])
    expect((await me(token)).json()).toMatchObject({ must_change_password: true, stage: "full" })
    expect((await refresh(cookie)).status).toBe(200)
    const changed = await web.call("PUT", "/api/v1/auth/password", {
      token,
      body: { current_password: password, new_password: "violet harbour umbrella 42" }
    })
    expect([changed.status, changed.text]).toEqual([204, ""])
    expect((await hosts(token)).status).toBe(200)
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
    expect(answers[0]!.at("status")).toBe("signed_in")
    expect((await hosts(answers[0]!.string("access_token"))).status).toBe(200)
  })

  it("ends as a whole when a used token comes back later, with an audit row", async () => {
    const { cookie, token } = await web.signIn("admin")
    const next = await refresh(cookie)
    await web.rows("update refresh_tokens set used_at = used_at - interval '11 seconds' where used_at is not null")
    const before = await audit("session.token_reused")
    expect((await refresh(cookie)).status).toBe(401)
    expect((await refresh(cookieOf(next))).status).toBe(401)
    expect(await audit("session.token_reused")).toBe(before + 1)
    expect((await me(token)).status).toBe(401)
  })

  it("ends when the used token comes back from another program, even at once", async () => {
    const { cookie } = await web.signIn("admin")
    expect((await refresh(cookie)).status).toBe(200)
    expect((await refresh(cookie, { "user-agent": "thief" })).status).toBe(401)
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

  it("is over at the next request when the account is disabled", async () => {
    await web.addUser("dora", "operator")
    const { token, cookie } = await web.signIn("dora")
    expect((await me(token)).status).toBe(200)
    await web.rows("update users set disabled_at = now() where username = 'dora'")
    expect((await me(token)).status).toBe(401)
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

  it("is signed with a key of 90 days; what the one before signed counts for a day more", async () => {
    const { token } = await web.signIn("admin")
    // Keys that somebody makes up do not keep a new one from being known at once.
    const { privateKey } = await jose.generateKeyPair("EdDSA")
    for (const kid of ["one", "two", "three"]) {
      const forged = new jose.SignJWT(jose.decodeJwt(token)).setProtectedHeader({ alg: "EdDSA", typ: "at+jwt", kid })
      expect((await me(await forged.sign(privateKey))).status).toBe(401)
    }
    await web.rows("update signing_keys set created_at = now() - interval '91 days' where ends_at is null")
    const { token: next } = await web.signIn("admin")
    const kid = (one: string) => jose.decodeProtectedHeader(one).kid
    expect(kid(next)).not.toBe(kid(token))
    expect((await me(next)).status).toBe(200)
    expect((await me(token)).status).toBe(200)
    const [old] = await web.rows<{ hours: number }>(
      "select round(extract(epoch from ends_at - now()) / 3600)::int as hours from signing_keys where kid = $1",
      [kid(token)]
    )
    expect(old!.hours).toBe(24)
    expect(await audit("signing_key.rotate")).toBeGreaterThanOrEqual(2)
  })
})
