/** The emergency account: made on the machine, sealed, loud, and over after four hours. */
import { execFile } from "node:child_process"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { heldAfter, makeFactorSteps } from "#test/http/factorSteps.ts"
import { type Answer, password as ordinary, startTestWeb, type TestWeb } from "#test/http/TestWeb.ts"

let web: TestWeb
let steps: ReturnType<typeof makeFactorSteps>
beforeAll(async () => {
  web = await startTestWeb()
  steps = makeFactorSteps(web)
  await web.addUser("admin", "admin")
})
afterAll(() => web.stop())

const root = join(import.meta.dirname, "..", "..")
const cli = (...args: ReadonlyArray<string>): Promise<{ code: number; stdout: string; stderr: string }> =>
  new Promise((resolve) => {
    const env = { PATH: process.env["PATH"] ?? "", PATCH_MANAGER__DATABASE__URL: web.databaseUrl }
    execFile(process.execPath, [join(root, "deploy", "cli.ts"), ...args], { env }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr })
    )
  })

const readSheet = (text: string) => ({
  password: /^password {3}(\S+)$/m.exec(text)?.[1] ?? "",
  codes: text.match(/[0-9A-Z]{4}(-[0-9A-Z]{4}){3}/g) ?? []
})
const shown = (answer: Answer) => [answer.status, answer.status < 300 ? answer.at("status") : answer.at("error.code")]
const audited = async (action: string) =>
  web.rows<{ actor_name: string; after: unknown }>(
    "select actor_name, after from audit_log where action = $1 order by seq",
    [action]
  )
const alarms = () =>
  web.rows<{ message: string }>("select message from alarms where kind = 'break_glass_used' and cleared_at is null")
const me = (token: string) => web.call("GET", "/api/v1/auth/me", { token })

describe("break-glass", () => {
  let sheet: ReturnType<typeof readSheet>
  const open = async (code: string | undefined) => {
    const first = await steps.login("break-glass", sheet.password)
    return steps.post("/mfa/recovery-code", heldAfter(first), { code })
  }

  it("prints its sheet once; the database holds hashes, and making it is audited", async () => {
    const made = await cli("user", "break-glass")
    expect([made.code, made.stderr]).toEqual([0, ""])
    sheet = readSheet(made.stdout)
    expect(sheet.password.length).toBeGreaterThan(20)
    expect(sheet.codes).toHaveLength(10)
    const [user] = await web.rows<{ role: string; origin: string; expires_at: string | null }>(
      "select role, origin, expires_at from users where username = 'break-glass'"
    )
    expect(user).toEqual({ role: "admin", origin: "break_glass", expires_at: null })
    const [stored] = await web.rows<{ text: string }>(
      "select (select string_agg(u::text, '') from users u) || (select string_agg(a::text, '') from audit_log a) as text"
    )
    for (const secret of [sheet.password, ...sheet.codes]) expect(stored?.text).not.toContain(secret)
    expect((await audited("break_glass.create"))[0]?.actor_name).toMatch(/ on the command line$/)
    expect(await alarms()).toEqual([])
  })

  it("needs the sealed code beside the password; the password alone opens and changes nothing", async () => {
    const first = await steps.login("break-glass", sheet.password)
    expect(first.json()).toMatchObject({ status: "mfa_required", factors: ["recovery_code"] })
    const half = heldAfter(first)
    expect(shown(await web.call("GET", "/api/v1/users", { token: half.token }))).toEqual([401, "mfa_required"])
    expect(shown(await steps.post("/mfa/totp", half, { code: "000000" }))).toEqual([401, "wrong_code"])
    expect(shown(await steps.post("/factors/totp", half))).toEqual([401, "mfa_required"])
    expect(await web.rows("select 1 from users where username = 'break-glass' and expires_at is not null")).toEqual([])
    expect(await alarms()).toEqual([])
  })

  it("opens everything with the code, raises an alarm at once and is over in four hours", async () => {
    const opened = await open(sheet.codes[0])
    expect(shown(opened)).toEqual([200, "signed_in"])
    const { token } = heldAfter(opened)
    expect((await web.call("GET", "/api/v1/users", { token })).status).toBe(200)
    expect((await alarms())[0]?.message).toMatch(
      /^The emergency account break-glass was used from 127\.0\.0\.1; it ends at /
    )
    expect(await audited("break_glass.use")).toMatchObject([
      { actor_name: "break-glass", after: { recovery_codes_left: 9 } }
    ])
    const [left] = await web.rows<{ minutes: number }>(
      "select round(extract(epoch from expires_at - now()) / 60)::int as minutes from users where username = 'break-glass'"
    )
    expect(left?.minutes).toBe(240)
    const [session] = await web.rows<{ factor: string }>(
      "select factor from sessions where stage = 'full' order by signed_in_at desc limit 1"
    )
    expect(session?.factor).toBe("sealed")
  })

  it("cannot make itself last: no factor, no password of its own, and a second use moves nothing", async () => {
    const { token, cookie } = heldAfter(await open(sheet.codes[1]))
    expect(shown(await steps.post("/factors/totp", { token, cookie }))).toEqual([409, "break_glass_account"])
    expect(shown(await steps.post("/factors/passkeys/options", { token, cookie }))).toEqual([
      409,
      "break_glass_account"
    ])
    expect(shown(await steps.post("/factors/recovery-codes", { token, cookie }))).toEqual([409, "break_glass_account"])
    const body = { current_password: sheet.password, new_password: "tall green lamps sing" }
    expect((await web.call("PUT", "/api/v1/auth/password", { token, body })).status).toBe(422)
    await web.rows("update users set expires_at = now() + interval '10 minutes' where username = 'break-glass'")
    expect(shown(await open(sheet.codes[2]))).toEqual([200, "signed_in"])
    const [left] = await web.rows<{ minutes: number }>(
      "select round(extract(epoch from expires_at - now()) / 60)::int as minutes from users where username = 'break-glass'"
    )
    expect(left?.minutes).toBe(10)
  })

  it("refuses a used code and one that was guessed", async () => {
    await web.rows("delete from sign_in_failures")
    expect(shown(await open(sheet.codes[0]))).toEqual([401, "wrong_code"])
    expect(shown(await open("0000-0000-0000-0000"))).toEqual([401, "wrong_code"])
  })

  it("ends with its sessions when the four hours are over", async () => {
    await web.rows("delete from sign_in_failures")
    const { token } = heldAfter(await open(sheet.codes[3]))
    await web.rows("update users set expires_at = now() - interval '1 second' where username = 'break-glass'")
    await expect.poll(async () => (await me(token)).status, { timeout: 5000 }).toBe(401)
    expect(shown(await steps.login("break-glass", sheet.password))).toEqual([401, "wrong_credentials"])
  })

  it("is sealed anew with another password and other codes, which ends the alarm", async () => {
    await web.rows("delete from sign_in_failures")
    const before = sheet
    sheet = readSheet((await cli("user", "break-glass", "--name", "break-glass")).stdout)
    expect(sheet.password).not.toBe(before.password)
    expect(shown(await steps.login("break-glass", before.password))).toEqual([401, "wrong_credentials"])
    expect(await alarms()).toEqual([])
    expect(shown(await open(before.codes[5]))).toEqual([401, "wrong_code"])
    expect(shown(await open(sheet.codes[0]))).toEqual([200, "signed_in"])
    expect(await alarms()).toHaveLength(1)
  })

  it("never takes somebody else's name", async () => {
    const taken = await cli("user", "break-glass", "--name", "admin")
    expect(taken.code).toBe(1)
    expect(taken.stderr).toMatch(/^There is a user named admin already/)
  })
})

describe("accounts from the command line", () => {
  it("a user is made, gets another password, and loses the second factor", async () => {
    const made = await cli("user", "create", "--name", "carla", "--role", "operator")
    expect([made.code, made.stderr]).toEqual([0, ""])
    const first = await steps.login("carla", made.stdout.trim())
    expect(first.at("status")).toBe("enrolment_required")
    const { held } = await steps.enrolTotp(heldAfter(first))
    expect(shown(await web.call("GET", "/api/v1/hosts", { token: held.token }))).toEqual([
      403,
      "password_change_required"
    ])

    const reset = await cli("user", "reset-password", "--name", "carla")
    expect((await me(held.token)).status).toBe(401)
    expect((await steps.login("carla", made.stdout.trim())).status).toBe(401)
    expect((await steps.login("carla", reset.stdout.trim())).at("status")).toBe("mfa_required")

    expect((await cli("user", "reset-mfa", "--name", "carla")).code).toBe(0)
    expect((await steps.login("carla", reset.stdout.trim())).at("status")).toBe("enrolment_required")
    expect(await audited("user.reset_factors")).toMatchObject([{ after: { factors_removed: 1 } }])
    expect((await steps.login("admin", ordinary)).status).toBe(200)
  })

  it("says in one sentence what it does not understand", async () => {
    for (const [args, sentence] of [
      [["user", "create"], /^Say for whom/],
      [["user", "create", "--name", "Ünsal", "--role", "admin"], /is no user name/],
      [["user", "create", "--name", "x", "--role", "root"], /^--role says/],
      [["user", "create", "--name", "admin", "--role", "admin"], /^There is already a user named admin/],
      [["user", "reset-mfa", "--name", "nobody"], /^There is no user named nobody/],
      [["user", "reset-password", "--name", "break-glass"], /is an emergency account/],
      [["user", "reset-password", "--nme", "x"], /^Unknown option '--nme'/]
    ] as const) {
      const result = await cli(...args)
      expect([args, result.code, result.stdout]).toEqual([args, 1, ""])
      expect(result.stderr).toMatch(sentence)
    }
  }, 60_000)
})
