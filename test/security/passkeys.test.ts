/** Passkeys against a device in software that can bend every byte it says. */
import { afterAll, beforeAll, expect } from "vitest"
import { cookieOf, heldAfter, type Held, makeFactorSteps, publicOrigin } from "#test/http/factorSteps.ts"
import { type Answer, password, startTestWeb, type TestWeb } from "#test/http/TestWeb.ts"
import { type Bend, SoftAuthenticator } from "#test/setup/SoftAuthenticator.ts"
import { securityRow } from "./securityRow.ts"

let web: TestWeb
let steps: ReturnType<typeof makeFactorSteps>
beforeAll(async () => {
  web = await startTestWeb()
  steps = makeFactorSteps(web)
})
afterAll(() => web.stop())

const shown = (answer: Answer) => [answer.status, answer.status < 300 ? answer.at("status") : answer.at("error.code")]
const refused = [401, "passkey_refused"]
const signedIn = [200, "signed_in"]
const reasons = async () =>
  (
    await web.rows<{ reason: string }>(
      "select after ->> 'reason' as reason from audit_log where action = 'session.passkey_refused' order by seq"
    )
  ).map(({ reason }) => reason)

let users = 0
const holder = async () => {
  const username = `keys${++users}`
  await web.addUser(username, "operator")
  const first = heldAfter(await steps.login(username, password))
  return { username, ...(await steps.enrolPasskey(first)) }
}
const half = async (username: string) => heldAfter(await steps.login(username, password))

const secondFactor = async (session: Held, device: SoftAuthenticator, bend: Bend = {}) => {
  const options = await steps.post("/mfa/passkey/options", session)
  return steps.post("/mfa/passkey", session, { response: device.get(options.json() as never, bend) })
}
const alone = async (device: SoftAuthenticator, bend: Bend = {}) => {
  const options = await steps.post("/passkey/options", null)
  const cookie = cookieOf(options, "__Host-passkey")
  return steps.post("/passkey", { cookie }, { response: device.get(options.json() as never, bend) })
}

securityRow("S21", "Answers of a passkey device that must not count", async (row) => {
  const a = await holder()
  const b = await holder()
  const session = await half(a.username)
  /** Refused both as the second factor and alone, with one audit row each. */
  const refusedTwice = async (bend: Bend, reason: RegExp) => {
    const before = (await reasons()).length
    expect(shown(await secondFactor(session, a.device, bend))).toEqual(refused)
    expect(shown(await alone(a.device, bend))).toEqual(refused)
    const said = (await reasons()).slice(before)
    expect(said).toHaveLength(2)
    for (const one of said) expect(one).toMatch(reason)
  }

  await row.assert("replayed challenge: refused, audited", async () => {
    const before = (await reasons()).length
    const options = await steps.post("/mfa/passkey/options", session)
    const first = a.device.get(options.json() as never, { userVerified: false })
    expect(shown(await steps.post("/mfa/passkey", session, { response: first }))).toEqual(refused)
    const second = a.device.get(options.json() as never)
    expect(shown(await steps.post("/mfa/passkey", session, { response: second }))).toEqual(refused)
    expect((await reasons()).slice(before)[1]).toMatch(/challenge is unknown, used/)
  })
  await row.assert("challenge of another session: refused, audited", async () => {
    const before = (await reasons()).length
    const own = await half(a.username)
    const options = await steps.post("/mfa/passkey/options", own)
    const response = a.device.get(options.json() as never)
    expect(shown(await steps.post("/mfa/passkey", session, { response }))).toEqual(refused)
    const asked = await steps.post("/passkey/options", null)
    const elsewhere = cookieOf(await steps.post("/passkey/options", null), "__Host-passkey")
    for (const cookie of [elsewhere, ""]) {
      expect(
        shown(await steps.post("/passkey", { cookie }, { response: a.device.get(asked.json() as never) }))
      ).toEqual(refused)
    }
    expect(shown(await steps.post("/mfa/passkey", session, { response: a.device.get(asked.json() as never) }))).toEqual(
      refused
    )
    expect((await reasons()).length - before).toBe(4)
  })
  await row.assert("challenge older than 5 min: refused, audited", async () => {
    const options = await steps.post("/mfa/passkey/options", session)
    const [kept] = await web.rows<{ seconds: number }>(
      "select max(extract(epoch from expires_at - now()))::int as seconds from webauthn_challenges"
    )
    expect(kept?.seconds).toBeGreaterThan(295)
    expect(kept?.seconds).toBeLessThanOrEqual(300)
    await web.rows("update webauthn_challenges set expires_at = expires_at - interval '301 seconds'")
    const response = a.device.get(options.json() as never)
    expect(shown(await steps.post("/mfa/passkey", session, { response }))).toEqual(refused)
    expect((await reasons()).at(-1)).toMatch(/too old/)
  })
  await row.assert("wrong origin (https://host.evil, other port, http): refused, audited", async () => {
    for (const origin of [
      "https://localhost.evil",
      "https://localhost:9443",
      "http://localhost:8443",
      "https://localhost",
      "null"
    ]) {
      await refusedTwice({ origin }, /origin/)
    }
  })
  await row.assert("wrong RP id hash: refused, audited", () => refusedTwice({ rpId: "localhost.evil" }, /RP ID/i))
  await row.assert("type swapped: refused, audited", () => refusedTwice({ type: "webauthn.create" }, /type/))
  await row.assert("UV flag off: refused, audited", () => refusedTwice({ userVerified: false }, /verif/i))
  await row.assert("UP off: refused, audited", () => refusedTwice({ userPresent: false }, /present/i))
  await row.assert("signature over altered client data: refused, audited", () =>
    refusedTwice({ alterAfterSigning: true }, /signature/)
  )
  await row.assert("cross-origin true: refused, audited", async () => {
    await refusedTwice({ crossOrigin: true }, /another site/)
    await refusedTwice({ crossOrigin: true, topOrigin: "https://evil.example" }, /another site/)
    await refusedTwice({ topOrigin: publicOrigin }, /another site/)
  })
  await row.assert("credential of user B while logging in as A: refused, audited", async () => {
    expect(shown(await secondFactor(session, b.device))).toEqual(refused)
    expect(shown(await secondFactor(session, b.device, { userHandle: a.device.userHandle }))).toEqual(refused)
    expect(shown(await secondFactor(session, b.device, { userHandle: null }))).toEqual(refused)
    expect(shown(await alone(b.device, { userHandle: a.device.userHandle }))).toEqual(refused)
    expect(shown(await alone(b.device, { credentialId: a.device.id, userHandle: a.device.userHandle }))).toEqual(
      refused
    )
    expect((await reasons()).slice(-5, -1)).toEqual(Array.from({ length: 4 }, () => "the passkey is another account's"))
  })
  await row.assert("unknown algorithm: refused, audited", async () => {
    const before = (await reasons()).length
    const options = await steps.post("/factors/passkeys/options", a.held)
    const device = new SoftAuthenticator(publicOrigin)
    const response = device.create(options.json() as never, { algorithm: -47 })
    expect(shown(await steps.post("/factors/passkeys", a.held, { name: "odd", response }))).toEqual(refused)
    expect((await reasons()).slice(before)[0]).toMatch(/alg/)
    await row.assert("and so is every other bent registration", async () => {
      const bends: ReadonlyArray<Bend> = [
        { type: "webauthn.get" },
        { origin: "https://localhost.evil" },
        { rpId: "evil" },
        { userVerified: false },
        { userPresent: false },
        { crossOrigin: true },
        { challenge: "AAAA" },
        { credentialId: "AAAA" }
      ]
      for (const bend of bends) {
        const asked = await steps.post("/factors/passkeys/options", a.held)
        const made = new SoftAuthenticator(publicOrigin).create(asked.json() as never, bend)
        expect([bend, shown(await steps.post("/factors/passkeys", a.held, { name: "odd", response: made }))]).toEqual([
          bend,
          refused
        ])
      }
    })
  })
  await row.assert("same credential registered for two users: refused, audited", async () => {
    const options = await steps.post("/factors/passkeys/options", b.held)
    const response = a.device.create(options.json() as never)
    expect(shown(await steps.post("/factors/passkeys", b.held, { name: "copy", response }))).toEqual([
      409,
      "passkey_known"
    ])
    expect(await web.rows("select 1 from audit_log where action = 'factor.passkey_refused'")).toHaveLength(1)
  })
  await row.assert("the device itself, unbent, still signs in", async () => {
    a.device.userHandle = await handleOf(a.username)
    expect(shown(await alone(a.device))).toEqual(signedIn)
    expect(shown(await secondFactor(session, a.device))).toEqual(signedIn)
  })
  await row.assert("counter going back: refused, audited; counter regression also raises an alarm", async () => {
    expect(shown(await alone(a.device, { counter: 1 }))).toEqual(refused)
    expect(shown(await alone(a.device, { counter: 0 }))).toEqual(refused)
    expect((await reasons()).at(-1)).toBe("the counter went back")
    const alarms = await web.rows<{ message: string }>(
      "select message from alarms where kind = 'passkey_counter' and cleared_at is null"
    )
    expect(alarms).toEqual([{ message: expect.stringContaining(a.username) }])
  })
  await row.assert("two answers with one counter at once: one counts", async () => {
    const asked = await Promise.all([steps.post("/passkey/options", null), steps.post("/passkey/options", null)])
    const answers = await Promise.all(
      asked.map((options) =>
        steps.post(
          "/passkey",
          { cookie: cookieOf(options, "__Host-passkey") },
          { response: a.device.get(options.json() as never, { counter: 500 }) }
        )
      )
    )
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 401])
  })
  await row.assert(
    "a passkey opens while the password is paused, and no account that is disabled or signs in elsewhere",
    async () => {
      for (let round = 0; round < 6; round++) await steps.login(b.username, "wrong")
      expect((await steps.login(b.username, password)).status).toBe(429)
      b.device.userHandle = await handleOf(b.username)
      expect(shown(await alone(b.device))).toEqual(signedIn)
      await web.rows("update users set origin = 'sso' where username = $1", [b.username])
      expect(shown(await alone(b.device))).toEqual(refused)
      await web.rows("update users set origin = 'local', disabled_at = now() where username = $1", [b.username])
      expect(shown(await alone(b.device))).toEqual(refused)
    }
  )
})

const handleOf = async (username: string): Promise<string> => {
  const [row] = await web.rows<{ id: string }>("select id from users where username = $1", [username])
  return Buffer.from((row?.id ?? "").replaceAll("-", ""), "hex").toString("base64url")
}
