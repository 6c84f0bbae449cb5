/** Sessions: what a token opens, for how long, and in whose browser. */
import * as jose from "jose"
import { afterAll, beforeAll, expect } from "vitest"
import WebSocket from "ws"
import { readSigningKey } from "#http/server/signingKeyFile.ts"
import { startTestWeb, type TestWeb } from "#test/http/TestWeb.ts"
import { guarded, notAnswered, rowCounts } from "./routeTable.ts"
import { securityRow } from "./securityRow.ts"
import { cookieOf, enrolTotp, giveTotp } from "./signInSteps.ts"

let web: TestWeb
beforeAll(async () => {
  web = await startTestWeb()
  await web.addUser("admin", "admin")
  await web.addUser("olga", "operator")
})
afterAll(() => web.stop())

type Answer = Awaited<ReturnType<TestWeb["call"]>>

const me = (token: string) => web.call("GET", "/api/v1/auth/me", { token })
const refresh = (cookie: string, headers = {}) =>
  web.call("POST", "/api/v1/auth/refresh", { headers: { cookie, ...headers } })
const codeOf = (answer: Answer) => [answer.status, answer.at("error.code")]
const sidOf = (token: string) => String(jose.decodeJwt(token)["sid"])
const audited = async (action: string) => (await web.rows("select 1 from audit_log where action = $1", [action])).length

/** A token of ours in every respect but these claims and header fields; undefined leaves one out. */
const mint = async (token: string, claims: object, header: object = {}) => {
  const { privateKey, kid } = await readSigningKey(web.jwtKeyFile)
  const payload = JSON.parse(JSON.stringify({ ...jose.decodeJwt(token), ...claims })) as jose.JWTPayload
  return new jose.SignJWT(payload).setProtectedHeader({ alg: "EdDSA", typ: "at+jwt", kid, ...header }).sign(privateKey)
}

securityRow("S09", "Access token after the end of its session", async (row) => {
  const { token: admin } = await web.signIn("admin")
  const ends = async (end: (session: { token: string; cookie: string; session: string }) => Promise<unknown>) => {
    const session = await web.signIn("olga")
    expect((await me(session.token)).status).toBe(200)
    await end(session)
    expect((await me(session.token)).status).toBe(401)
  }
  await row.assert("after logout: 401 at the next request", () =>
    ends(({ cookie }) => web.call("POST", "/api/v1/auth/logout", { headers: { cookie } }))
  )
  await row.assert("after revocation: 401 at the next request", () =>
    ends(({ session }) => web.call("DELETE", `/api/v1/sessions/${session}`, { token: admin }))
  )
  const edit = async (change: object) => {
    const list = await web.call("GET", "/api/v1/users?q=olga", { token: admin })
    const id = list.string("items.0.id")
    const etag = String((await web.call("GET", `/api/v1/users/${id}`, { token: admin })).headers["etag"])
    const headers = { "if-match": etag }
    const answer = await web.call("PATCH", `/api/v1/users/${id}`, { token: admin, body: change, headers })
    expect([answer.status, answer.text.slice(0, 200)]).toEqual([200, expect.anything()])
  }
  await row.assert("after deactivation: 401 at the next request", () => ends(() => edit({ disabled: true })))
  await edit({ disabled: false })
  await row.assert("after a role change: 401 at the next request", () => ends(() => edit({ role: "auditor" })))
  await edit({ role: "operator" })
  await row.assert("with idle timeout set to 0: the session row is always looked up", async () => {
    const settings = await web.call("PATCH", "/api/v1/settings", {
      token: admin,
      body: { idle_timeout_minutes: 0 },
      headers: { "if-match": '"0"' }
    })
    expect(settings.status).toBe(422)
    for (const key of ["idle_timeout_minutes", "session_idle_minutes"]) {
      await web.rows("insert into system_config (key, value) values ($1, '0')", [key])
    }
    await ends(({ session }) =>
      web.rows("update sessions set ended_at = now(), end_reason = 'test' where id = $1", [session])
    )
  })
})

securityRow("S10", "Access tokens out of their time", async (row) => {
  const { token } = await web.signIn("admin")
  const now = Math.floor(Date.now() / 1000)
  expect((await me(await mint(token, { iat: now, exp: now + 60 }))).status).toBe(200)
  await row.assert("token at exp + 1 s: 401", async () => {
    expect((await me(await mint(token, { iat: now - 900, exp: now - 1 }))).status).toBe(401)
  })
  await row.assert("nbf in the future: 401", async () => {
    expect((await me(await mint(token, { nbf: now + 60 }))).status).toBe(401)
  })
  await row.assert("no exp: 401", async () => {
    expect((await me(await mint(token, { exp: undefined }))).status).toBe(401)
  })
})

securityRow("S11", "Old refresh tokens", async (row) => {
  await row.assert("after 10 s: the family is revoked", async () => {
    const { cookie, token } = await web.signIn("admin")
    const next = await refresh(cookie)
    await web.rows("update refresh_tokens set used_at = used_at - interval '10 seconds' where used_at is not null")
    expect((await refresh(cookie)).status).toBe(401)
    expect((await refresh(cookieOf(next))).status).toBe(401)
    expect((await me(token)).status).toBe(401)
  })
  await row.assert("from another client: the family is revoked", async () => {
    const { cookie, token } = await web.signIn("admin")
    expect((await refresh(cookie)).status).toBe(200)
    expect((await refresh(cookie, { "user-agent": "another" })).status).toBe(401)
    expect((await me(token)).status).toBe(401)
  })
  await row.assert("after 12 h absolute: 401, however active", async () => {
    const { cookie, token, session } = await web.signIn("admin")
    await web.rows("update sessions set signed_in_at = now() - interval '12 hours 1 second' where id = $1", [session])
    expect((await refresh(cookie, { "x-user-activity": "1" })).status).toBe(401)
    expect((await me(token)).status).toBe(401)
  })
})

securityRow("S12", "20 parallel refreshes with one token", async (row) => {
  const { cookie, session } = await web.signIn("admin")
  const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(cookie)))
  await row.assert("one successor", async () => {
    expect(new Set(answers.map(cookieOf)).size).toBe(1)
    expect(await web.rows("select 1 from refresh_tokens where family_id = $1", [session])).toHaveLength(2)
  })
  await row.assert("no 500", () => expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200])))
  await row.assert("no two live families", () =>
    expect(new Set(answers.map((answer) => sidOf(answer.string("access_token"))))).toEqual(new Set([session]))
  )
})

securityRow("S13", "Idle sessions", async (row) => {
  const idle = async (interval: string) => {
    const session = await web.signIn("olga")
    await web.rows("update sessions set last_active_at = now() - $2::interval where id = $1", [
      session.session,
      interval
    ])
    return session
  }
  const open = async ({ token, cookie }: { token: string; cookie: string }) =>
    (await me(token)).status === 200 && (await refresh(cookie)).status === 200
  await row.assert("idle 60 min 1 s: re-login", async () => {
    expect(await open(await idle("59 minutes"))).toBe(true)
    expect(await open(await idle("60 minutes 1 second"))).toBe(false)
  })
  await row.assert("idle 15 min 1 s in the PCI profile: re-login", async () => {
    const running = await idle("16 minutes")
    expect((await me(running.token)).status).toBe(200)
    await web.rows("insert into system_config (key, value) values ('pci_profile', 'true')")
    row.after(() => web.rows("delete from system_config where key = 'pci_profile'"))
    expect((await me(running.token)).status).toBe(401)
    expect(await open(await idle("14 minutes"))).toBe(true)
    expect(await open(await idle("15 minutes 1 second"))).toBe(false)
    await web.rows("delete from system_config where key = 'pci_profile'")
  })
  await row.assert("a background poll or an open socket does not count as activity", async () => {
    const session = await idle("59 minutes 55 seconds")
    const { ticket } = (await web.call("POST", "/api/v1/ws/ticket", { token: session.token })).json() as {
      ticket: string
    }
    const socket = new WebSocket(`wss://127.0.0.1:${web.port}/api/v1/ws/fleet?ticket=${ticket}`, {
      ca: web.ca,
      headers: { host: `localhost:${web.port}`, origin: `https://localhost:${web.port}` }
    })
    const closed = new Promise<number>((resolve) => socket.on("close", resolve))
    socket.on("open", () => socket.send(JSON.stringify({ subscribe: { from_seq: null } })))
    await web.call("GET", "/api/v1/hosts", { token: session.token })
    expect((await refresh(session.cookie)).status).toBe(200)
    expect(await closed).toBe(4401)
    expect((await me(session.token)).status).toBe(401)
  })
  await row.assert("what its owner does counts", async () => {
    const session = await idle("59 minutes")
    await web.call("GET", "/api/v1/auth/me", { token: session.token, headers: { "x-user-activity": "1" } })
    const [found] = await web.rows<{ fresh: boolean }>(
      "select last_active_at > now() - interval '10 seconds' as fresh from sessions where id = $1",
      [session.session]
    )
    expect(found!.fresh).toBe(true)
  })
})

securityRow("S14", "Session fixation", async (row) => {
  await web.addUser("stefan", "operator")
  const before = await web.signIn("olga")
  const login = await web.login("stefan", { cookie: before.cookie })
  await row.assert("session id set before login: replaced at login", async () => {
    expect(sidOf(login.token)).not.toBe(before.session)
    expect(login.cookie).not.toBe(before.cookie)
    expect((await me(before.token)).status).toBe(401)
  })
  const { secret, token, cookie, login: begun } = await enrolTotp(web, "stefan")
  await row.assert("replaced when the second factor completes the sign-in", async () => {
    expect(sidOf(token)).not.toBe(sidOf(begun.string("access_token")))
    expect((await me(begun.string("access_token"))).status).toBe(401)
  })
  await row.assert("replaced at each step-up; what was known before opens nothing", async () => {
    const first = await giveTotp(web, secret, token, cookie)
    expect(first.status).toBe(200)
    const second = await giveTotp(web, secret, first.string("access_token"), cookieOf(first))
    expect(second.status).toBe(200)
    const tokens = [token, first.string("access_token"), second.string("access_token")]
    expect(new Set(tokens.map(sidOf)).size).toBe(3)
    expect(await Promise.all(tokens.map(async (one) => (await me(one)).status))).toEqual([401, 401, 200])
    expect(codeOf(await refresh(cookie))).toEqual([401, "session_replaced"])
    expect((await refresh(cookieOf(second))).status).toBe(200)
    expect(await audited("session.step_up")).toBeGreaterThanOrEqual(2)
  })
})

securityRow("S15", "A session with the password alone", async (row) => {
  const { token, cookie, session } = await web.signIn("admin", { stage: "password", factor: null })
  const allowed = guarded.filter(({ stage }) => stage === "password" || stage === "either")
  await row.assert("any API: 401 mfa_required; every route is tried from the route table", async () => {
    expect(allowed.map(({ name }) => name).toSorted()).toEqual([
      "GET /api/v1/auth/me",
      "POST /api/v1/auth/mfa/passkey",
      "POST /api/v1/auth/mfa/passkey/options",
      "POST /api/v1/auth/mfa/recovery-code",
      "POST /api/v1/auth/mfa/totp"
    ])
    expect(guarded.length).toBeGreaterThan(60)
    expect(await notAnswered(web, token, 401, "mfa_required", (route) => allowed.includes(route))).toEqual([])
  })
  await row.assert("includes the WS ticket and a socket", async () => {
    expect(codeOf(await web.call("POST", "/api/v1/ws/ticket", { token }))).toEqual([401, "mfa_required"])
    const { createHash } = await import("node:crypto")
    await web.rows(
      `insert into ws_tickets (ticket_hash, user_id, session_id, permissions, expires_at)
        select $1, user_id, id, '{hosts:read,live:open}', now() + interval '1 minute' from sessions where id = $2`,
      [createHash("sha256").update("planted").digest(), session]
    )
    const socket = new WebSocket(`wss://127.0.0.1:${web.port}/api/v1/ws/fleet?ticket=planted`, {
      ca: web.ca,
      headers: { host: `localhost:${web.port}`, origin: `https://localhost:${web.port}` }
    })
    socket.on("error", () => undefined)
    const status = await new Promise((resolve) =>
      socket.on("unexpected-response", (_request, response) => resolve(response.statusCode))
    )
    expect(status).toBe(401)
  })
  await row.assert("includes the page about the API, which the cookie opens", async () => {
    expect(codeOf(await web.call("GET", "/api/docs", { headers: { cookie } }))).toEqual([401, "mfa_required"])
  })
  await row.assert("includes refresh: it leads no further", async () => {
    const answer = await refresh(cookie)
    expect([answer.status, answer.at("status")]).toEqual([200, "mfa_required"])
    const next = answer.string("access_token")
    expect(codeOf(await web.call("GET", "/api/v1/hosts", { token: next }))).toEqual([401, "mfa_required"])
  })
  await row.assert("includes what a factor is chosen with: no route of the enrolment", async () => {
    const answer = await web.call("POST", "/api/v1/auth/factors/totp", { token })
    expect(codeOf(answer)).toEqual([401, "mfa_required"])
  })
  await row.assert("it lives 15 minutes", async () => {
    await web.rows("update sessions set signed_in_at = now() - interval '15 minutes 1 second' where id = $1", [session])
    expect((await me(token)).status).toBe(401)
  })
})

securityRow("S16", "A user without a second factor", async (row) => {
  const { token, cookie, answer } = await web.login("olga")
  expect(answer.at("status")).toBe("enrolment_required")
  const allowed = guarded.filter(({ stage }) => stage === "enrolling" || stage === "either")
  await row.assert("skip the enrolment page by URL or API: still no access", async () => {
    expect(await notAnswered(web, token, 401, "mfa_required", (route) => allowed.includes(route))).toEqual([])
    const refreshed = await refresh(cookie)
    expect([refreshed.status, refreshed.at("status")]).toEqual([200, "enrolment_required"])
    expect(codeOf(await web.call("GET", "/api/docs", { headers: { cookie: cookieOf(refreshed) } }))).toEqual([
      401,
      "mfa_required"
    ])
  })
  await row.assert("can reach only enrolment and logout", async () => {
    expect(allowed.map(({ name }) => name).toSorted()).toEqual([
      "GET /api/v1/auth/factors",
      "GET /api/v1/auth/me",
      "POST /api/v1/auth/factors/passkeys",
      "POST /api/v1/auth/factors/passkeys/options",
      "POST /api/v1/auth/factors/totp",
      "POST /api/v1/auth/factors/totp/confirm"
    ])
    expect((await web.call("GET", "/api/v1/auth/factors", { token })).status).toBe(200)
  })
})

securityRow("S22", "A sign-in that somebody else finishes", async (row) => {
  await web.addUser("sven", "operator")
  const { secret } = await enrolTotp(web, "sven")
  await row.assert(
    "user A starts a login, B finishes it in another browser: refused (bound to the session cookie)",
    async () => {
      const a = await web.login("sven")
      expect(a.answer.at("status")).toBe("mfa_required")
      const b = await web.signIn("olga")
      for (const cookie of [null, b.cookie, "__Host-refresh=x"]) {
        expect(codeOf(await giveTotp(web, secret, a.token, cookie))).toEqual([401, "session_ended"])
      }
      expect((await me(a.token)).at("stage")).toBe("password")
      const own = await giveTotp(web, secret, a.token, a.cookie)
      expect([own.status, own.at("status")]).toEqual([200, "signed_in"])
    }
  )
  await row.assert("nor with a cookie that was used up", async () => {
    const a = await web.login("sven")
    const next = await refresh(a.cookie)
    await web.rows("update refresh_tokens set used_at = used_at - interval '11 seconds' where used_at is not null")
    const token = next.string("access_token")
    expect(codeOf(await giveTotp(web, secret, token, a.cookie))).toEqual([401, "session_ended"])
    expect((await giveTotp(web, secret, token, cookieOf(next))).status).toBe(200)
  })
})

securityRow("S42", "Every route with tokens that open nothing", async (row) => {
  const { token } = await web.signIn("admin")
  const now = Math.floor(Date.now() / 1000)
  const stranger = await jose.generateKeyPair("EdDSA")
  const { kid } = await readSigningKey(web.jwtKeyFile)
  const cases: ReadonlyArray<readonly [string, string | undefined]> = [
    ["without a token", undefined],
    ["with an expired one", await mint(token, { iat: now - 1000, exp: now - 1 })],
    [
      "with a foreign one",
      await new jose.SignJWT(jose.decodeJwt(token))
        .setProtectedHeader({ alg: "EdDSA", typ: "at+jwt", kid })
        .sign(stranger.privateKey)
    ],
    ["with one for another audience", await mint(token, { aud: "agent" })]
  ]
  const before = await rowCounts(web)
  for (const [what, bearer] of cases) {
    await row.assert(`every route ${what}: 401`, async () => {
      expect(await notAnswered(web, bearer, 401, null)).toEqual([])
    })
  }
  await row.assert("no side effect (row counts equal)", async () => expect(await rowCounts(web)).toEqual(before))
})
