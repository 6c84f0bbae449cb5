/** One-time codes, recovery codes, fresh proof, and what is sealed in the database. */
import { readFileSync } from "node:fs"
import { afterAll, beforeAll, expect } from "vitest"
import { SsoProviderId } from "#core/Ids.ts"
import { columnKeyFile, makeColumnCipher, sealedWith } from "#http/server/ColumnCipher.ts"
import { rotateColumnKey } from "#http/server/rotateColumnKey.ts"
import { secretPlace } from "#http/server/ssoPlaces.ts"
import { codeOf, heldAfter, makeFactorSteps } from "#test/http/factorSteps.ts"
import { type Answer, password, startTestWeb, type TestWeb } from "#test/http/TestWeb.ts"
import { Effect } from "effect"
import { securityRow } from "./securityRow.ts"

let web: TestWeb
let steps: ReturnType<typeof makeFactorSteps>
beforeAll(async () => {
  web = await startTestWeb()
  steps = makeFactorSteps(web)
})
afterAll(() => web.stop())

let users = 0
/** Somebody with an authenticator app. */
const holder = async (role: "operator" | "admin" = "operator") => {
  const username = `holder${++users}`
  await web.addUser(username, role)
  const first = heldAfter(await steps.login(username, password))
  return { username, ...(await steps.enrolTotp(first)) }
}
const half = async (username: string) => heldAfter(await steps.login(username, password))
const quiet = () => web.rows("delete from sign_in_failures")
/** The app's codes count again, as if some minutes had passed. */
const unused = () => web.rows("update totp_secrets set last_step = 0")
const audited = async (action: string) => (await web.rows("select 1 from audit_log where action = $1", [action])).length
const shown = (answer: Answer) => [answer.status, answer.status < 300 ? answer.at("status") : answer.at("error.code")]
const signedIn = [200, "signed_in"]
const wrong = [401, "wrong_code"]

securityRow("S17", "One-time codes", async (row) => {
  const { username, secret } = await holder()
  const give = async (code: string, session?: { token: string; cookie: string }) =>
    shown(await steps.post("/mfa/totp", session ?? (await half(username)), { code }))

  await row.assert("TOTP reused in its 30 s: the first use only", async () => {
    await unused()
    const code = codeOf(secret)
    expect(await give(code)).toEqual(signedIn)
    expect(await give(code)).toEqual(wrong)
  })
  await row.assert("with spaces: one code, used once", async () => {
    await unused()
    await quiet()
    const code = codeOf(secret)
    expect(await give(` ${code.slice(0, 3)} ${code.slice(3)} `)).toEqual(signedIn)
    for (const again of [code, `${code} `, ` ${code}`, code.split("").join(" ")])
      expect(await give(again)).toEqual(wrong)
  })
  await row.assert("with Unicode digits, '+', 7 digits, fewer, letters, nothing but spaces: refused", async () => {
    await unused()
    const code = codeOf(secret)
    const bent = [
      code.replaceAll(/\d/g, (digit) => String.fromCodePoint(0x0660 + Number(digit))),
      code.replaceAll(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))),
      `+${code}`,
      `+${code.slice(1)}`,
      `${code}0`,
      `0${code}`,
      code.slice(1),
      `${code.slice(0, 5)}x`,
      `${code}\n${code}`,
      "      "
    ]
    for (const one of bent) {
      await quiet()
      expect([one, await give(one)]).toEqual([one, wrong])
    }
    await quiet()
    expect(await give(codeOf(secret))).toEqual(signedIn)
  })
  await row.assert("code of t-2 or t+2 steps: refused", async () => {
    // Not where the step ends while it is tried.
    await expect.poll(() => Date.now() % 30_000, { timeout: 31_000, interval: 200 }).toBeLessThan(25_000)
    for (const away of [-3, -2, 2, 3]) {
      await unused()
      await quiet()
      const code = codeOf(secret, away)
      if ([-1, 0, 1].some((near) => codeOf(secret, near) === code)) continue
      expect([away, await give(code)]).toEqual([away, wrong])
    }
  })
  await row.assert("accepted drift ±1 step", async () => {
    await expect.poll(() => Date.now() % 30_000, { timeout: 31_000, interval: 200 }).toBeLessThan(25_000)
    for (const away of [-1, 0, 1]) {
      await unused()
      await quiet()
      expect([away, await give(codeOf(secret, away))]).toEqual([away, signedIn])
    }
  })
  await row.assert("last step is stored per user: an older code than the last one used is refused", async () => {
    await unused()
    await quiet()
    expect(await give(codeOf(secret, 1))).toEqual(signedIn)
    expect(await give(codeOf(secret, 0))).toEqual(wrong)
    const other = await holder()
    expect(await give(codeOf(other.secret), await half(other.username))).toEqual(signedIn)
  })
  await row.assert("two parallel uses: the first only", async () => {
    await unused()
    await quiet()
    const sessions = [await half(username), await half(username), await half(username)]
    const code = codeOf(secret)
    const answers = await Promise.all(sessions.map((session) => give(code, session)))
    expect(answers.filter(([status]) => status === 200)).toHaveLength(1)
  })
})

securityRow("S18", "Guessing codes", async (row) => {
  await row.assert("10,000 guesses over 10 min: 10 are looked at, the rest refused", async () => {
    const { username } = await holder()
    await quiet()
    const session = await half(username)
    let looked = 0
    for (let second = 0; second < 600; second += 4) {
      const answer = await steps.post("/mfa/totp", session, { code: String(second).padStart(6, "0") })
      if (answer.status === 401) looked++
      else expect([answer.status, answer.at("error.code")]).toEqual([429, "sign_in_paused"])
      // Four seconds pass for the counters; the other guesses of that time would wait like this one.
      await web.rows(
        "update sign_in_failures set last_failed_at = last_failed_at - interval '4 seconds', blocked_until = blocked_until - interval '4 seconds'"
      )
    }
    expect(looked).toBeLessThanOrEqual(10)
    expect(looked).toBeGreaterThanOrEqual(5)
  })
  await row.assert("counter shared with the password step", async () => {
    const { username, secret } = await holder()
    await quiet()
    const session = await half(username)
    for (const given of ["wrong one", "wrong two"]) expect((await steps.login(username, given)).status).toBe(401)
    for (const code of ["000000", "000001", "000002"]) {
      expect((await steps.post("/mfa/totp", session, { code })).status).toBe(401)
    }
    expect((await steps.post("/mfa/totp", session, { code: codeOf(secret) })).status).toBe(429)
    expect((await steps.post("/mfa/recovery-code", session, { code: "x" })).status).toBe(429)
    expect((await steps.login(username, password)).status).toBe(429)
  })
  await row.assert("the right password does not give back guesses of the code", async () => {
    const { username } = await holder()
    await quiet()
    for (let round = 0; round < 5; round++) {
      const session = await half(username)
      expect((await steps.post("/mfa/totp", session, { code: `00000${round}` })).status).toBe(401)
    }
    expect((await steps.login(username, password)).status).toBe(429)
  })
})

securityRow("S19", "Recovery codes", async (row) => {
  const one = await holder()
  const other = await holder()
  const give = async (username: string, code: string | undefined) =>
    shown(await steps.post("/mfa/recovery-code", await half(username), { code }))
  await row.assert("recovery code twice: once", async () => {
    expect(await give(one.username, one.codes[0])).toEqual(signedIn)
    expect(await give(one.username, one.codes[0])).toEqual(wrong)
  })
  await row.assert("two in parallel: once", async () => {
    await quiet()
    const sessions = [await half(one.username), await half(one.username), await half(one.username)]
    const answers = await Promise.all(
      sessions.map((session) => steps.post("/mfa/recovery-code", session, { code: one.codes[1] }))
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  })
  await row.assert("from another user: refused, and still good for its owner", async () => {
    await quiet()
    expect(await give(one.username, other.codes[0])).toEqual(wrong)
    expect(await give(other.username, other.codes[0])).toEqual(signedIn)
  })
  await row.assert("hashed, never stored in clear", async () => {
    const [stored] = await web.rows<{ text: string }>("select string_agg(t::text, '') as text from recovery_codes t")
    const [logged] = await web.rows<{ text: string }>("select string_agg(t::text, '') as text from audit_log t")
    for (const code of [...one.codes, ...other.codes]) {
      for (const written of [code, code.replaceAll("-", ""), Buffer.from(code.replaceAll("-", "")).toString("hex")]) {
        expect(stored?.text.includes(written)).toBe(false)
        expect(logged?.text.includes(written)).toBe(false)
      }
    }
  })
  await row.assert("64 bit at least, none twice", () => {
    const all = [...one.codes, ...other.codes]
    expect(new Set(all).size).toBe(20)
    for (const code of all) expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}$/)
  })
  await row.assert("use is audited", async () => expect(await audited("recovery_code.use")).toBe(3))
  row.missing("use is mailed", "the manager sends no mail yet")
})

securityRow("S20", "Changing factors without fresh proof", async (row) => {
  const { username, held, secret } = await holder("admin")
  const { answer, held: full } = await steps.enrolPasskey(held)
  const passkey = answer.string("passkey.id")
  const call = (method: string, path: string, body?: unknown) =>
    web.call(method, path, {
      token: full.token,
      headers: { cookie: full.cookie },
      ...(body === undefined ? {} : { body })
    })
  await web.rows("update sessions set stepped_up_at = now() - interval '301 seconds' where stage = 'full'")
  const stale = [403, "reauth_required"]
  await row.assert("switch MFA off: 403 reauth_required", async () => {
    expect(shown(await call("DELETE", "/api/v1/auth/factors/totp"))).toEqual(stale)
    expect(shown(await call("DELETE", `/api/v1/auth/factors/passkeys/${passkey}`))).toEqual(stale)
    expect(shown(await call("POST", "/api/v1/auth/factors/recovery-codes"))).toEqual(stale)
  })
  await row.assert("add a key: 403 reauth_required", async () => {
    expect(shown(await call("POST", "/api/v1/auth/factors/totp"))).toEqual(stale)
    expect(shown(await call("POST", "/api/v1/auth/factors/totp/confirm", { code: codeOf(secret) }))).toEqual(stale)
    expect(shown(await call("POST", "/api/v1/auth/factors/passkeys/options"))).toEqual(stale)
  })
  await row.assert("change mail: 403 reauth_required", async () => {
    const [user] = await web.rows<{ id: string }>("select id from users where username = $1", [username])
    const answer = await web.call("PATCH", `/api/v1/users/${user?.id}`, {
      token: full.token,
      body: { email: "thief@example.org" },
      headers: { "if-match": '"1"' }
    })
    expect(shown(answer)).toEqual(stale)
  })
  await row.assert("with fresh proof it is done", async () => {
    await unused()
    const proven = await steps.post("/mfa/totp", full, { code: codeOf(secret) })
    expect(shown(proven)).toEqual(signedIn)
    const token = proven.string("access_token")
    expect((await web.call("DELETE", `/api/v1/auth/factors/passkeys/${passkey}`, { token })).status).toBe(204)
    await row.assert("removing the last factor: 409", async () => {
      expect(shown(await web.call("DELETE", "/api/v1/auth/factors/totp", { token }))).toEqual([409, "last_factor"])
    })
    await row.assert("an API token has no fresh proof, whoever owns it", async () => {
      const script = await web.tokenFor(username)
      expect((await web.call("DELETE", "/api/v1/auth/factors/totp", { token: script })).status).toBe(403)
      expect(
        (await web.call("POST", "/api/v1/auth/mfa/totp", { token: script, body: { code: "000000" } })).status
      ).toBe(403)
    })
  })
})

securityRow("S89", "Column encryption", async (row) => {
  const one = await holder()
  const other = await holder()
  const give = async ({ username, secret }: { username: string; secret: string }) => {
    await unused()
    await quiet()
    return shown(await steps.post("/mfa/totp", await half(username), { code: codeOf(secret) }))
  }
  const swap = () =>
    web.rows(
      `with pair as (select t.id, t.secret_sealed, u.username from totp_secrets t join users u on u.id = t.user_id where u.username = any($1))
       update totp_secrets t set secret_sealed = p.secret_sealed from pair p where t.id in (select id from pair) and p.id <> t.id`,
      [[one.username, other.username]]
    )
  await row.assert(
    "swap two users' encrypted seeds: decryption fails (row id is bound as associated data)",
    async () => {
      await swap()
      expect(await give(one)).toEqual([503, "secret_unreadable"])
      expect(await give({ username: one.username, secret: other.secret })).toEqual([503, "secret_unreadable"])
      await swap()
      expect(await give(one)).toEqual(signedIn)
    }
  )
  const file = columnKeyFile(web.jwtKeyFile)
  await row.assert("a changed byte anywhere is noticed", async () => {
    const cipher = await Effect.runPromise(makeColumnCipher(file))
    const place = { table: "t", column: "c", row: "r" }
    const sealed = await Effect.runPromise(cipher.seal(place, "secret"))
    for (let at = 0; at < sealed.length; at++) {
      const bent = Uint8Array.from(sealed)
      bent[at] = bent[at]! ^ 1
      expect((await Effect.runPromiseExit(cipher.open(place, bent)))._tag).toBe("Failure")
    }
    for (const length of [0, 1, 16, 32]) {
      expect((await Effect.runPromiseExit(cipher.open(place, sealed.subarray(0, length))))._tag).toBe("Failure")
    }
    expect(await Effect.runPromise(cipher.open(place, sealed))).toBe("secret")
  })
  await row.assert("key rotation leaves none on the old key, while the web process runs", async () => {
    const keysBefore = readFileSync(file, "utf8")
    await web.addUser("chief", "admin")
    const provider = await web.call("POST", "/api/v1/sso/providers", {
      token: (await web.signIn("chief")).token,
      body: {
        name: "Example",
        kind: "oidc",
        issuer: "https://127.0.0.9:9443",
        client_id: "x",
        client_secret: "canary"
      },
      headers: { "idempotency-key": "s89" }
    })
    const origin = {
      actor: { kind: "machine", id: "test", name: "test" } as const,
      request_id: "test",
      source_address: "local"
    }
    const count = await web.run(rotateColumnKey(origin, file))
    expect(count).toBeGreaterThanOrEqual(2)
    const keys = readFileSync(file, "utf8")
    expect(keys.trim().split("\n")).toHaveLength(1)
    expect(keysBefore).not.toContain(keys.slice(0, 8))
    const rows = await web.rows<{ secret_sealed: Buffer }>("select secret_sealed from totp_secrets")
    const [client] = await web.rows<{ sealed: Buffer }>("select client_secret as sealed from azure_sso_config")
    const sealed = [...rows.map(({ secret_sealed }) => secret_sealed), client!.sealed]
    expect(new Set(sealed.map(sealedWith))).toEqual(new Set([keys.slice(0, 8)]))
    const cipher = await Effect.runPromise(makeColumnCipher(file))
    const place = secretPlace(SsoProviderId.make(provider.string("id")))
    expect(await Effect.runPromise(cipher.open(place, client!.sealed))).toBe("canary")
    expect(await give(one)).toEqual(signedIn)
    expect(await give(other)).toEqual(signedIn)
    const { username, secret } = await holder()
    expect(await give({ username, secret })).toEqual(signedIn)
  })
})
