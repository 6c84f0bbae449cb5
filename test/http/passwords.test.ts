import { hash } from "argon2"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { calibrate, leastCost } from "#http/server/passwordCost.ts"
import { makeFactorSteps } from "./factorSteps.ts"
import { password, startTestWeb, type TestWeb } from "./TestWeb.ts"

let web: TestWeb
let steps: ReturnType<typeof makeFactorSteps>
beforeAll(async () => {
  web = await startTestWeb()
  steps = makeFactorSteps(web)
})
afterAll(() => web.stop())

const change = (token: string, current_password: string, new_password: string) =>
  web.call("PUT", "/api/v1/auth/password", { token, body: { current_password, new_password } })
const faultOf = (answer: Awaited<ReturnType<typeof change>>) => ({
  path: answer.at("error.details.fields.0.path"),
  message: String(answer.at("error.details.fields.0.message"))
})
const pci = (on: boolean) =>
  web.rows(
    "insert into system_config (key, value) values ('pci_profile', $1) on conflict (key) do update set value = excluded.value",
    [String(on)]
  )

describe("the cost of a hash", () => {
  it("is as many passes as take a third of a second, and never fewer than three", async () => {
    const perPass = (millis: number) => (cost: { readonly time_cost: number }) =>
      Promise.resolve(cost.time_cost * millis)
    expect(await calibrate(perPass(50))).toEqual({ memory_kib: 65_536, time_cost: 7, millis: 350 })
    expect(await calibrate(perPass(100))).toEqual({ ...leastCost, millis: 300 })
    expect(await calibrate(perPass(400))).toEqual({ ...leastCost, millis: 1200 })
    expect((await calibrate(perPass(1))).time_cost).toBe(30)
  })

  it("is brought up to date at the next sign-in", async () => {
    await web.addUser("henry", "operator")
    const old = await hash(password, { type: 2, memoryCost: 9216, timeCost: 2, parallelism: 1 })
    await web.rows("update users set password_hash = $1 where username = 'henry'", [old])
    expect((await steps.login("henry", password)).status).toBe(200)
    const [row] = await web.rows<{ password_hash: string; history: number }>(
      "select password_hash, (select count(*)::int from password_history h where h.user_id = u.id) as history from users u where username = 'henry'"
    )
    expect(row?.password_hash).toMatch(/^\$argon2id\$v=19\$m=8192,p=1,t=1\$/)
    expect(row?.history).toBe(0)
    expect((await steps.login("henry", password)).status).toBe(200)
  })
})

describe("a changed password", () => {
  it("is refused with the reason where the rules are against it", async () => {
    await web.addUser("rita", "operator")
    const { token } = await web.signIn("rita")
    for (const [given, reason] of [
      ["too short", /Too short/],
      ["Summer2024Winter!", /common word/],
      ["rita rita rita rita", /user name/],
      [password, /guessed first|have now/]
    ] as const) {
      const answer = await change(token, password, given)
      expect([answer.status, faultOf(answer).path]).toEqual([422, "payload.new_password"])
      expect(faultOf(answer).message).toMatch(reason)
    }
    expect(faultOf(await change(token, "wrong", "tall green lamps sing"))).toEqual({
      path: "payload.current_password",
      message: "This is not your current password."
    })
    expect((await change(token, password, "tall green lamps sing")).status).toBe(204)
    expect((await steps.login("rita", password)).status).toBe(401)
    expect((await steps.login("rita", "tall green lamps sing")).status).toBe(200)
  })

  it("may be one from before, but not in the PCI profile", async () => {
    await web.addUser("paula", "operator")
    const { token } = await web.signIn("paula")
    const chosen = ["kettle orbit 7 lemons", "window 3 barley coats", "silent 8 copper maps"]
    let current = password
    for (const next of [...chosen, chosen[0]!, chosen[1]!]) {
      expect((await change(token, current, next)).status).toBe(204)
      current = next
    }
    await pci(true)
    expect(faultOf(await change(token, current, chosen[2]!)).message).toMatch(/had this password before/)
    expect((await change(token, current, "fresh 12 lamp")).status).toBe(204)
    await pci(false)
  })

  it("is the same whichever way its accents were typed", async () => {
    await web.addUser("zoe", "operator")
    const { token } = await web.signIn("zoe")
    const chosen = "sœur café crème brûlée"
    expect((await change(token, password, chosen.normalize("NFD"))).status).toBe(204)
    expect((await steps.login("zoe", chosen.normalize("NFC"))).status).toBe(200)
  })
})

describe("too many failures", () => {
  it("make a name wait, known or not, and the right password waits too", async () => {
    await web.addUser("lena", "operator")
    for (const username of ["lena", "no-such-name"]) {
      const statuses: Array<number> = []
      for (let round = 0; round < 6; round++) statuses.push((await steps.login(username, "wrong")).status)
      expect(statuses).toEqual([401, 401, 401, 401, 401, 429])
    }
    const refused = await steps.login("lena", password)
    expect(refused.at("error.code")).toBe("sign_in_paused")
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(20)
    await web.rows("update sign_in_failures set blocked_until = now() - interval '1 second'")
    expect((await steps.login("lena", password)).status).toBe(200)
    expect((await steps.login("lena", password)).status).toBe(200)
  })

  it("count one by one, however many come at once", async () => {
    await web.addUser("nina", "operator")
    const answers = await Promise.all(Array.from({ length: 9 }, () => steps.login("nina", "wrong")))
    expect(answers.filter(({ status }) => status === 401).length).toBe(5)
    expect(answers.filter(({ status }) => status === 429).length).toBe(4)
  })
})
