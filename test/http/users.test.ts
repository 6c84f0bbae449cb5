import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type ScopeWorld, startScopeWorld } from "./scopeWorld.ts"
import type { Answer } from "./TestWeb.ts"

const unknown = "01a200e4-e652-72f9-b45c-117b1e318cc9"
const path = "/api/v1/users"

let world: ScopeWorld
beforeAll(async () => {
  world = await startScopeWorld()
})
afterAll(() => world.web.stop())

let made = 0
const create = (body: object = {}, headers: Record<string, string> = {}) => {
  const username = `user-${++made}`
  const user = { username, display_name: username, role: "operator", group_ids: [], ...body }
  return world.send(world.admin, "POST", path, user, headers)
}
const fresh = async (body: object = {}): Promise<Answer> => world.made(create(body))
const edit = (id: string, version: number, change: object, who = world.admin) =>
  world.send(who, "PATCH", `${path}/${id}`, change, { "if-match": `"${version}"` })
const errorOf = (answer: Answer) => [answer.status, answer.at("error.code")]

describe("the list of users", () => {
  it("is read by administrators and auditors, and by nobody else", async () => {
    for (const who of [world.admin, world.audrey]) {
      const page = await world.send(who, "GET", `${path}?sort=-username&limit=2`)
      expect([page.status, page.at("items.0.username"), page.at("items.1.username")]).toEqual([200, "free", "bob"])
      const next = await world.send(who, "GET", `${path}?sort=-username&limit=2&cursor=${page.string("next_cursor")}`)
      expect(next.at("items.0.username")).toBe("audrey")
    }
    expect((await world.send(world.ann, "GET", path)).status).toBe(403)
    expect((await world.send(world.ann, "GET", `${path}/${unknown}`)).status).toBe(403)
    const cross = await world.send(world.admin, "GET", `${path}?limit=1`)
    expect(
      (await world.send(world.admin, "GET", `${path}?sort=created&cursor=${cross.string("next_cursor")}`)).status
    ).toBe(422)
  })

  it("says of each what an administrator has to know, and no hash", async () => {
    const page = await world.send(world.admin, "GET", `${path}?q=ANN&role=operator&disabled=false`)
    expect(page.at("total")).toBe(1)
    expect(Object.keys(page.at("items.0") as object).toSorted()).toEqual([
      "created_at",
      "disabled",
      "display_name",
      "email",
      "factors",
      "groups",
      "id",
      "last_sign_in_at",
      "locked",
      "must_change_password",
      "origin",
      "role",
      "username",
      "version"
    ])
    expect(page.at("items.0")).toMatchObject({
      username: "ann",
      origin: "local",
      factors: { totp: false, passkeys: 0 },
      groups: [{ id: world.groups.a, name: "Databases" }]
    })
    expect(Date.parse(page.string("items.0.last_sign_in_at"))).toBeGreaterThan(Date.now() - 600_000)
  })

  it("shows a lock of the password path", async () => {
    const { user } = (await fresh({ username: "locked" })).json() as { user: { id: string } }
    await world.web.rows(
      `insert into sign_in_failures (kind, key_hash, failures, blocked_until)
       values ('account', sha256('account' || '\\x00'::bytea || 'locked'::bytea), 10, now() + interval '1 hour')`
    )
    expect((await world.send(world.admin, "GET", `${path}/${user.id}`)).at("locked")).toBe(true)
    await world.made(world.send(world.admin, "POST", `${path}/${user.id}/reset-password`))
    expect((await world.send(world.admin, "GET", `${path}/${user.id}`)).at("locked")).toBe(false)
  })
})

describe("a new user", () => {
  it("is made once, with a first password that is said once and has to be changed", async () => {
    const body = {
      username: "carla",
      display_name: "Carla",
      role: "auditor",
      group_ids: [],
      email: "carla@example.org"
    }
    const first = await create(body, { "idempotency-key": "carla" })
    const again = await create(body, { "idempotency-key": "carla" })
    const password = first.string("temporary_password")
    expect([first.status, password.length]).toEqual([201, 24])
    expect([again.status, again.at("user"), again.at("temporary_password")]).toEqual([201, first.at("user"), null])
    expect(first.at("user")).toMatchObject({
      username: "carla",
      must_change_password: true,
      email: "carla@example.org"
    })
    const kept = await world.web.rows<{ n: number }>(
      "select count(*)::int as n from idempotency_keys where response::text like '%' || $1 || '%'",
      [password]
    )
    expect(kept[0]!.n).toBe(0)
    expect(JSON.stringify(await world.audits("user.create"))).not.toContain(password)
    expect((await world.audits("user.create"))[0]).toMatchObject({
      actor_name: "admin",
      after: { username: "carla", role: "auditor" }
    })
    const login = await world.web.call("POST", "/api/v1/auth/login", { body: { username: "carla", password } })
    expect([login.status, login.at("status")]).toEqual([200, "enrolment_required"])
    const token = login.string("access_token")
    expect((await world.web.call("GET", "/api/v1/hosts", { token })).status).toBe(401)
  })

  it.each([
    ["a capital", { username: "Carl" }, "payload.username"],
    ["letters that look alike", { username: "ａdmin" }, "payload.username"],
    ["a space", { username: " carl" }, "payload.username"],
    ["no name to show", { display_name: "" }, "payload.display_name"],
    ["a control character", { display_name: "Carl\u0007" }, "payload.display_name"],
    ["a role that is none", { role: "root" }, "payload.role"],
    ["no mail address", { email: "carl" }, "payload.email"],
    ["a group twice", { group_ids: [unknown, unknown] }, "payload.group_ids"],
    ["a password of somebody's choosing", { password: "hunter2hunter2" }, "payload.password"]
  ])("is refused with %s", async (_why, body, field) => {
    const answer = await create(body)
    expect([answer.status, answer.at("error.details.fields.0.path")]).toEqual([422, field])
  })

  it("is refused whole with an unknown group or a taken name", async () => {
    const before = await world.web.rows("select id from users")
    expect(errorOf(await create({ group_ids: [world.groups.a, unknown] }))).toEqual([404, "group_not_found"])
    expect(errorOf(await create({ username: "ann" }))).toEqual([409, "username_taken"])
    expect((await world.web.rows("select id from users")).length).toBe(before.length)
  })
})

describe("an account", () => {
  it("is edited by whoever read it last, and the audit row says what was before", async () => {
    const id = (await fresh({ username: "dora" })).string("user.id")
    const bare = await world.web.call("PATCH", `${path}/${id}`, { token: world.admin, body: {} })
    expect(bare.status).toBe(428)
    const changed = await edit(id, 1, { role: "auditor", group_ids: [world.groups.b], email: "d@example.org" })
    expect([changed.status, changed.headers["etag"]]).toEqual([200, '"2"'])
    expect(errorOf(await edit(id, 1, { role: "admin" }))).toEqual([412, "version_mismatch"])
    const read = await world.send(world.audrey, "GET", `${path}/${id}`)
    expect([read.headers["etag"], read.at("role"), read.at("groups.0.name")]).toEqual(['"2"', "auditor", "Mail"])
    expect((await world.audits("user.edit"))[0]).toMatchObject({
      object_id: id,
      before: { role: "operator", group_ids: [], email: null },
      after: { role: "auditor", group_ids: [world.groups.b], email: "d@example.org" }
    })
    expect((await edit(id, 2, { email: null })).at("email")).toBeNull()
  })

  it("sees its new groups' hosts at once, and signs in anew for another role", async () => {
    const id = (await fresh({ username: "erik", group_ids: [world.groups.b] })).string("user.id")
    await world.web.rows("update users set must_change_password = false where id = $1", [id])
    const { token } = await world.web.signIn("erik")
    const seen = async (host: string) => (await world.send(token, "GET", `/api/v1/hosts/${host}`)).status
    expect([await seen(world.hosts.other), await seen(world.hosts.own)]).toEqual([200, 404])
    const { version } = (await world.send(world.admin, "GET", `${path}/${id}`)).json() as { version: number }
    await world.made(edit(id, version, { group_ids: [world.groups.a] }))
    expect([await seen(world.hosts.other), await seen(world.hosts.own)]).toEqual([404, 200])
    await world.made(edit(id, version + 1, { role: "auditor" }))
    expect(await seen(world.hosts.own)).toBe(401)
    const again = (await world.web.signIn("erik")).token
    const poll = await world.send(again, "POST", `/api/v1/hosts/${world.hosts.own}/refresh`)
    expect([poll.status, (await world.send(again, "GET", path)).status]).toEqual([403, 200])
  })

  it("that is disabled is out at its next request, and is not back with the old session when enabled", async () => {
    const id = (await fresh({ username: "fred" })).string("user.id")
    await world.web.rows("update users set must_change_password = false where id = $1", [id])
    const { token } = await world.web.signIn("fred")
    const status = async () => (await world.send(token, "GET", "/api/v1/hosts")).status
    expect(await status()).toBe(200)
    const script = await world.web.tokenFor("fred")
    await world.made(edit(id, 1, { disabled: true }))
    expect([await status(), (await world.send(script, "GET", "/api/v1/hosts")).status]).toEqual([401, 401])
    expect((await world.audits("user.edit"))[0]).toMatchObject({ after: { disabled: true, sessions_ended: 1 } })
    await world.made(edit(id, 2, { disabled: false }))
    expect(await status()).toBe(401)
  })

  it("that is deleted is gone, but for what it did", async () => {
    const id = (await fresh({ username: "gerd", group_ids: [world.groups.a] })).string("user.id")
    await world.web.rows("update users set must_change_password = false where id = $1", [id])
    const { token } = await world.web.signIn("gerd")
    const script = await world.web.tokenFor("gerd")
    await world.made(
      world.send(token, "POST", "/api/v1/jobs", { kind: "reboot", reboot: "always", host_ids: [world.hosts.own] })
    )
    expect((await world.send(world.admin, "DELETE", `${path}/${id}`)).status).toBe(204)
    for (const who of [token, script]) expect((await world.send(who, "GET", "/api/v1/hosts")).status).toBe(401)
    expect(errorOf(await world.send(world.admin, "GET", `${path}/${id}`))).toEqual([404, "user_not_found"])
    expect(errorOf(await world.send(world.admin, "DELETE", `${path}/${id}`))).toEqual([404, "user_not_found"])
    const jobs = await world.send(world.admin, "GET", "/api/v1/jobs")
    expect(jobs.at("items.0.requested_by")).toBe("gerd")
    expect((await world.audits("job.create"))[0]!.actor_name).toBe("gerd")
    expect(errorOf(await create({ username: "gerd" }))).toEqual([409, "username_taken"])
    const group = await world.send(world.admin, "GET", `/api/v1/groups/${world.groups.a}`)
    expect(group.text).not.toContain("gerd")
    const login = await world.web.call("POST", "/api/v1/auth/login", { body: { username: "gerd", password: "x" } })
    expect(login.status).toBe(401)
  })

  it("gets another first password, which ends its sessions and is said once", async () => {
    const id = (await fresh({ username: "hans" })).string("user.id")
    await world.web.signIn("hans")
    const reset = await world.made(world.send(world.admin, "POST", `${path}/${id}/reset-password`))
    const password = reset.string("temporary_password")
    expect(reset.at("sessions_ended")).toBe(1)
    expect((await world.web.call("POST", "/api/v1/auth/login", { body: { username: "hans", password } })).status).toBe(
      200
    )
    expect((await world.audits("user.reset_password"))[0]).toMatchObject({
      object_id: id,
      after: { sessions_ended: 1 }
    })
    expect(JSON.stringify(await world.audits("user.reset_password"))).not.toContain(password)
  })
})

describe("who may change accounts", () => {
  it("is an administrator with fresh proof of who he is", async () => {
    const id = (await fresh()).string("user.id")
    const stale = await world.web.signIn("admin")
    await world.web.rows("update sessions set stepped_up_at = now() - interval '301 seconds' where id = $1", [
      stale.session
    ])
    const script = await world.web.tokenFor("admin")
    const body = { username: "x", display_name: "x", role: "admin", group_ids: [] }
    const changes = (who: string) => [
      world.send(who, "POST", path, body),
      edit(id, 1, { role: "admin" }, who),
      world.send(who, "DELETE", `${path}/${id}`),
      world.send(who, "POST", `${path}/${id}/reset-mfa`),
      world.send(who, "POST", `${path}/${id}/reset-password`)
    ]
    for (const [who, code] of [
      [stale.token, "reauth_required"],
      [script, "forbidden"],
      [world.ann, "forbidden"],
      [world.audrey, "forbidden"]
    ] as const) {
      for (const answer of await Promise.all(changes(who))) expect(errorOf(answer)).toEqual([403, code])
    }
    expect((await world.send(world.admin, "GET", `${path}/${id}`)).at("version")).toBe(1)
  })

  it("is never the owner of the account himself, and never for the last administrator", async () => {
    const me = (await world.send(world.admin, "GET", "/api/v1/auth/me")).string("id")
    const { version } = (await world.send(world.admin, "GET", `${path}/${me}`)).json() as { version: number }
    for (const answer of [
      await edit(me, version, { role: "operator" }),
      await edit(me, version, { disabled: true }),
      await world.send(world.admin, "DELETE", `${path}/${me}`),
      await world.send(world.admin, "POST", `${path}/${me}/reset-mfa`),
      await world.send(world.admin, "POST", `${path}/${me}/reset-password`)
    ])
      expect(errorOf(answer)).toEqual([409, "own_account"])
    expect((await edit(me, version, { display_name: "Ada" })).status).toBe(200)
  })
})
