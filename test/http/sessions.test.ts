import { afterAll, beforeAll, expect, it } from "vitest"
import { startTestWeb, type TestWeb } from "./TestWeb.ts"

let web: TestWeb
beforeAll(async () => {
  web = await startTestWeb()
  for (const [name, role] of [
    ["admin", "admin"],
    ["olga", "operator"],
    ["audrey", "auditor"]
  ] as const)
    await web.addUser(name, role)
})
afterAll(() => web.stop())

interface Item {
  readonly id: string
  readonly current: boolean
  readonly user: { readonly username: string }
}
const items = (answer: { readonly at: (path: string) => unknown }) => answer.at("items") as ReadonlyArray<Item>
const me = (token: string) => web.call("GET", "/api/v1/auth/me", { token })

it("lists one's own sessions and ends one of them, but nobody else's", async () => {
  const here = await web.signIn("olga")
  const there = await web.signIn("olga")
  const foreign = await web.signIn("admin")
  const own = await web.call("GET", "/api/v1/auth/sessions", { token: here.token })
  expect(own.json()).toMatchObject({ total: 2, next_cursor: null })
  expect(items(own).map(({ id, current }) => [id, current])).toEqual([
    [there.session, false],
    [here.session, true]
  ])
  expect(items(own)[1]).toMatchObject({ stage: "full", factor: "totp", source_address: "127.0.0.1", user_agent: "" })
  const end = (id: string) => web.call("DELETE", `/api/v1/auth/sessions/${id}`, { token: here.token })
  for (const id of [foreign.session, "01a200e4-e652-72f9-b45c-117b1e318cc9"]) {
    const refused = await end(id)
    expect([refused.status, refused.at("error.code")]).toEqual([404, "session_not_found"])
  }
  expect((await end(there.session)).status).toBe(204)
  expect((await me(there.token)).status).toBe(401)
  expect((await me(here.token)).status).toBe(200)
  expect((await end(there.session)).status).toBe(404)
})

it("shows everybody's to administrators and auditors, a page at a time and by user", async () => {
  await Promise.all([web.signIn("olga"), web.signIn("olga"), web.signIn("audrey")])
  const { token } = await web.signIn("audrey")
  const first = await web.call("GET", "/api/v1/sessions?limit=2", { token })
  const rest = await web.call("GET", `/api/v1/sessions?limit=100&cursor=${first.string("next_cursor")}`, { token })
  const seen = [...items(first), ...items(rest)]
  expect(seen).toHaveLength(Number(first.at("total")))
  expect(new Set(seen.map(({ user }) => user.username))).toEqual(new Set(["admin", "olga", "audrey"]))
  const [olga] = await web.rows<{ id: string }>("select id from users where username = 'olga'")
  const hers = await web.call("GET", `/api/v1/sessions?user_id=${olga!.id}`, { token })
  expect(new Set(items(hers).map(({ user }) => user.username))).toEqual(new Set(["olga"]))
  const { token: operator } = await web.signIn("olga")
  expect((await web.call("GET", "/api/v1/sessions", { token: operator })).status).toBe(403)
})

it("lets an administrator end another's session, after proving who he is", async () => {
  const victim = await web.signIn("olga")
  const { token, session } = await web.signIn("admin")
  const end = () => web.call("DELETE", `/api/v1/sessions/${victim.session}`, { token })
  await web.rows("update sessions set stepped_up_at = now() - interval '5 minutes 1 second' where id = $1", [session])
  const refused = await end()
  expect([refused.status, refused.at("error.code")]).toEqual([403, "reauth_required"])
  expect((await me(victim.token)).status).toBe(200)
  await web.rows("update sessions set stepped_up_at = now() where id = $1", [session])
  expect((await end()).status).toBe(204)
  expect((await me(victim.token)).status).toBe(401)
  const [row] = await web.rows(
    "select actor_name, object_id from audit_log where action = 'session.end' order by seq desc limit 1"
  )
  expect(row).toEqual({ actor_name: "admin", object_id: victim.session })
})

it("is not kept alive by what a page asks for by itself", async () => {
  const { token, session, cookie } = await web.signIn("olga")
  const age = (interval: string) =>
    web.rows("update sessions set last_active_at = now() - $2::interval where id = $1", [session, interval])
  const activeAgo = async () =>
    (
      await web.rows<{ s: number }>(
        "select extract(epoch from now() - last_active_at)::int as s from sessions where id = $1",
        [session]
      )
    )[0]!.s
  await age("30 minutes")
  expect((await me(token)).status).toBe(200)
  const refreshed = await web.call("POST", "/api/v1/auth/refresh", { headers: { cookie } })
  expect(refreshed.status).toBe(200)
  expect(await activeAgo()).toBeGreaterThan(1790)
  await web.call("GET", "/api/v1/auth/me", { token, headers: { "x-user-activity": "1" } })
  expect(await activeAgo()).toBeLessThan(10)
  await age("60 minutes 1 second")
  expect((await me(token)).status).toBe(401)
})
