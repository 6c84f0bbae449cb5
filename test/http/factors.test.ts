import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { SoftAuthenticator } from "#test/setup/SoftAuthenticator.ts"
import { codeOf, cookieOf, type Held, heldAfter, makeFactorSteps, publicOrigin } from "./factorSteps.ts"
import { password, startTestWeb, type TestWeb } from "./TestWeb.ts"

let web: TestWeb
let steps: ReturnType<typeof makeFactorSteps>
beforeAll(async () => {
  web = await startTestWeb()
  steps = makeFactorSteps(web)
})
afterAll(() => web.stop())

const me = (token: string) => web.call("GET", "/api/v1/auth/me", { token })
let users = 0
/** Somebody new, with a session in which the first factor is set up. */
const newcomer = async () => {
  const username = `user${++users}`
  await web.addUser(username, "operator")
  const answer = await steps.login(username, password)
  return { username, answer, held: heldAfter(answer) }
}

describe("setting up", () => {
  it("an authenticator app ends the first sign-in and gives ten recovery codes, once", async () => {
    const { username, answer, held } = await newcomer()
    expect([answer.status, answer.at("status")]).toEqual([200, "enrolment_required"])
    const started = await steps.post("/factors/totp", held)
    expect(started.string("otpauth_uri")).toMatch(
      /^otpauth:\/\/totp\/Linux%20Patch%20Manager%20localhost:user\d+\?secret=/
    )
    expect(started.string("qr_svg")).toMatch(/^<svg/)
    const secret = started.string("secret")
    const wrong = await steps.post("/factors/totp/confirm", held, { code: "000000" })
    expect([wrong.status, wrong.at("error.details.fields.0.path")]).toEqual([422, "payload.code"])
    const done = await steps.post("/factors/totp/confirm", held, { code: codeOf(secret, -1) })
    expect(done.status).toBe(200)
    expect(new Set(done.at("recovery_codes") as Array<string>).size).toBe(10)
    const full = heldAfter(done, "signed_in.access_token")
    expect((await me(full.token)).at("stage")).toBe("full")
    expect((await me(held.token)).status).toBe(401)
    const listed = await web.call("GET", "/api/v1/auth/factors", { token: full.token })
    expect(listed.json()).toMatchObject({
      totp: { enrolled_at: expect.any(String) },
      passkeys: [],
      recovery_codes_left: 10
    })
    const stored = await web.rows<{ text: string }>("select encode(secret_sealed, 'escape') as text from totp_secrets")
    expect(stored.some(({ text }) => text.includes(secret))).toBe(false)

    const again = await steps.login(username, password)
    expect(again.json()).toMatchObject({ status: "mfa_required", factors: ["totp", "recovery_code"] })
    const second = await steps.post("/mfa/totp", heldAfter(again), { code: codeOf(secret) })
    expect([second.status, second.at("status")]).toEqual([200, "signed_in"])
  })

  it.each(["ES256", "EdDSA", "RS256"] as const)(
    "a passkey with %s, which then signs in by itself",
    async (algorithm) => {
      const { held } = await newcomer()
      const device = new SoftAuthenticator(publicOrigin, algorithm)
      const { answer, held: full } = await steps.enrolPasskey(held, device)
      expect(answer.json()).toMatchObject({ passkey: { name: "laptop", last_used_at: null } })
      expect((answer.at("recovery_codes") as Array<string>).length).toBe(10)
      expect((await me(full.token)).at("stage")).toBe("full")

      const options = await steps.post("/passkey/options", null)
      const cookie = cookieOf(options, "__Host-passkey")
      const response = device.get(options.json() as never)
      const signed = await steps.post("/passkey", { cookie }, { response })
      expect([signed.status, signed.at("status")]).toEqual([200, "signed_in"])
      expect((await steps.post("/passkey", { cookie }, { response })).at("error.code")).toBe("passkey_refused")
    }
  )

  it("is refused to a session that has not proved who it is", async () => {
    const { held } = await newcomer()
    const { held: full } = await steps.enrolTotp(held)
    await web.rows("update sessions set stepped_up_at = now() - interval '6 minutes' where stage = 'full'")
    await expect
      .poll(async () => (await steps.post("/factors/passkeys/options", full)).at("error.code"), { timeout: 5000 })
      .toBe("reauth_required")
  })

  it("is refused where another session set one up meanwhile", async () => {
    const { username, held } = await newcomer()
    const thief = heldAfter(await steps.login(username, password))
    await steps.enrolTotp(held)
    const late = await steps.post("/factors/totp", thief)
    expect([late.status, late.at("error.code")]).toEqual([401, "mfa_required"])
  })
})

describe("giving", () => {
  it("a recovery code counts once and says how many are left", async () => {
    const { username, held } = await newcomer()
    const { codes } = await steps.enrolTotp(held)
    const first = heldAfter(await steps.login(username, password))
    const given = await steps.post("/mfa/recovery-code", first, {
      code: ` ${codes[0]!.toLowerCase().replaceAll("-", " ")}`
    })
    expect(given.status).toBe(200)
    const full = heldAfter(given)
    expect((await web.call("GET", "/api/v1/auth/factors", { token: full.token })).at("recovery_codes_left")).toBe(9)
    const renewed = await steps.post("/factors/recovery-codes", full)
    expect((renewed.at("recovery_codes") as Array<string>).length).toBe(10)
    const next = heldAfter(await steps.login(username, password))
    expect((await steps.post("/mfa/recovery-code", next, { code: codes[1] })).status).toBe(401)
  })

  it("a passkey as the second factor, and again as fresh proof", async () => {
    const { username, held } = await newcomer()
    const { device } = await steps.enrolPasskey(held)
    const half = heldAfter(await steps.login(username, password))
    const options = await steps.post("/mfa/passkey/options", half)
    expect(options.at("allowCredentials.0.id")).toBe(device.id)
    const given = await steps.post("/mfa/passkey", half, { response: device.get(options.json() as never) })
    expect(given.at("status")).toBe("signed_in")
    const full = heldAfter(given)
    const more = await steps.post("/mfa/passkey/options", full)
    const proven = await steps.post("/mfa/passkey", full, { response: device.get(more.json() as never) })
    expect(proven.at("status")).toBe("signed_in")
  })

  it("is refused in another browser than the one that began", async () => {
    const { username, held } = await newcomer()
    const { secret } = await steps.enrolTotp(held)
    const half = heldAfter(await steps.login(username, password))
    const other = heldAfter(await steps.login(username, password))
    const code = codeOf(secret)
    const stolen = await steps.post("/mfa/totp", { token: half.token, cookie: other.cookie }, { code })
    expect([stolen.status, stolen.at("error.code")]).toEqual([401, "session_ended"])
    expect((await steps.post("/mfa/totp", half, { code })).status).toBe(200)
  })
})

describe("removing", () => {
  it("takes one of two, never the last", async () => {
    const { held } = await newcomer()
    const { held: first } = await steps.enrolTotp(held)
    const { answer, held: full } = await steps.enrolPasskey(first)
    expect(answer.at("recovery_codes")).toBeNull()
    const remove = (path: string) => web.call("DELETE", `/api/v1/auth/factors/${path}`, { token: full.token })
    expect((await remove("totp")).status).toBe(204)
    expect((await remove("totp")).status).toBe(404)
    const last = await remove(`passkeys/${answer.string("passkey.id")}`)
    expect([last.status, last.at("error.code")]).toEqual([409, "last_factor"])
    const actions = await web.rows<{ action: string }>("select action from audit_log where action like 'factor.%'")
    expect(actions.map(({ action }) => action)).toEqual(
      expect.arrayContaining(["factor.totp_add", "factor.passkey_add", "factor.totp_remove"])
    )
  })

  it("a passkey whose counter went back ends its alarm", async () => {
    const open = () => web.rows("select 1 from alarms where kind = 'passkey_counter' and cleared_at is null")
    const { held } = await newcomer()
    const { held: first } = await steps.enrolTotp(held)
    const { answer, device, held: full } = await steps.enrolPasskey(first)
    const prove = async (by: Held, counter: number) => {
      const options = await steps.post("/mfa/passkey/options", by)
      return steps.post("/mfa/passkey", by, { response: device.get(options.json() as never, { counter }) })
    }
    const proven = heldAfter(await prove(full, 7))
    expect([(await prove(proven, 6)).at("error.code"), (await open()).length]).toEqual(["passkey_refused", 1])
    const path = `/api/v1/auth/factors/passkeys/${answer.string("passkey.id")}`
    expect((await web.call("DELETE", path, { token: proven.token })).status).toBe(204)
    expect(await open()).toEqual([])
  })
})
