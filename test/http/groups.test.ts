import { afterAll, beforeAll, describe, expect, it } from "vitest"
import WebSocket from "ws"
import { type ScopeWorld, startScopeWorld } from "./scopeWorld.ts"

const unknown = "01a200e4-e652-72f9-b45c-117b1e318cc9"
const path = "/api/v1/groups"

let world: ScopeWorld
beforeAll(async () => {
  world = await startScopeWorld()
})
afterAll(() => world.web.stop())

interface Listed {
  readonly at: (path: string) => unknown
}
const names = (answer: Listed, key = "name") =>
  (answer.at("items") as ReadonlyArray<Record<string, string>>).map((item) => item[key])
const fresh = async (name: string) => (await world.made(world.send(world.admin, "POST", path, { name }))).string("id")
const membersOf = async (id: string) =>
  (await world.web.rows<{ n: number }>("select count(*)::int as n from host_groups where group_id = $1", [id]))[0]!.n

describe("who sees which group", () => {
  it("shows operators theirs, and everybody else all", async () => {
    const seen = async (who: string) => names(await world.send(who, "GET", path))
    expect(await seen(world.ann)).toEqual(["Databases"])
    expect(await seen(world.bob)).toEqual(["Mail"])
    expect(await seen(world.free)).toEqual([])
    expect(await seen(world.audrey)).toEqual(["Databases", "Mail"])
    expect(await seen(world.admin)).toEqual(["Databases", "Mail"])
  })

  it.each(["", "/hosts", "/deletion", "/service-checks"])(
    "answers for a foreign one as for an unknown one: %s",
    async (rest) => {
      const answers = await Promise.all(
        [world.groups.b, unknown].map((id) => world.send(world.ann, "GET", `${path}/${id}${rest}`))
      )
      for (const answer of answers) expect([answer.status, answer.at("error.code")]).toEqual([404, "group_not_found"])
      expect(answers[0]!.at("error.message")).toBe(answers[1]!.at("error.message"))
      expect((await world.send(world.ann, "GET", `${path}/${world.groups.a}${rest}`)).status).toBe(200)
      expect((await world.send(world.free, "GET", `${path}/${world.groups.a}${rest}`)).status).toBe(404)
    }
  )

  it("refuses a foreign group in the host list's filter as it does an unknown one, and hides it on a shared host", async () => {
    for (const id of [world.groups.b, unknown]) {
      expect((await world.send(world.ann, "GET", `/api/v1/hosts?group=${id}`)).status).toBe(404)
    }
    const own = await world.send(world.ann, "GET", `/api/v1/hosts?group=${world.groups.a}`)
    expect(names(own, "display_name")).toEqual(["db-1", "db-mail"])
    const shared = await world.send(world.ann, "GET", `/api/v1/hosts/${world.hosts.shared}`)
    expect(shared.at("groups")).toEqual([{ id: world.groups.a, name: "Databases" }])
  })

  it("lets only administrators change them", async () => {
    const { a } = world.groups
    for (const who of [world.ann, world.audrey]) {
      const answers = [
        await world.send(who, "POST", path, { name: "Mine" }),
        await world.send(who, "PATCH", `${path}/${a}`, { name: "Mine" }, { "if-match": "1" }),
        await world.send(who, "PUT", `${path}/${a}/hosts`, { host_ids: [] }),
        await world.send(who, "PUT", `${path}/${a}/users`, { usernames: [] }),
        await world.send(who, "DELETE", `${path}/${a}?confirm_ungrouped=0`)
      ]
      expect(answers.map((answer) => answer.status)).toEqual([403, 403, 403, 403, 403])
    }
  })

  it("gives no token the say over who belongs to a group", async () => {
    const token = await world.web.tokenFor("admin")
    const users = await world.send(token, "PUT", `${path}/${world.groups.a}/users`, { usernames: ["ann", "bob"] })
    expect(users.status).toBe(403)
    expect((await world.send(token, "PATCH", `${path}/${world.groups.a}`, {}, { "if-match": "1" })).status).toBe(200)
  })
})

describe("a group", () => {
  it("is made once, renamed by whoever read it last, and its name is taken once", async () => {
    const body = { name: "Web servers", description: "behind the balancer" }
    const made = await world.send(world.admin, "POST", path, body, { "idempotency-key": "web" })
    const again = await world.send(world.admin, "POST", path, body, { "idempotency-key": "web" })
    expect([made.status, again.json()]).toEqual([201, made.json()])
    const taken = await world.send(world.admin, "POST", path, { name: "Web servers" })
    expect([taken.status, taken.at("error.code")]).toEqual([409, "group_name_taken"])
    const id = made.string("id")
    const edit = (name: string, version: string) =>
      world.send(world.admin, "PATCH", `${path}/${id}`, { name }, { "if-match": version })
    expect((await world.web.call("PATCH", `${path}/${id}`, { token: world.admin, body: {} })).status).toBe(428)
    const renamed = await edit("Web", '"1"')
    expect([renamed.status, renamed.headers["etag"]]).toEqual([200, '"2"'])
    expect((await edit("Other", '"1"')).status).toBe(412)
    expect((await edit("Mail", '"2"')).at("error.code")).toBe("group_name_taken")
    expect((await world.audits("group.edit"))[0]).toMatchObject({
      object_id: id,
      before: { name: "Web servers" },
      after: { name: "Web", description: "behind the balancer" }
    })
    expect((await world.audits("group.create"))[0]).toMatchObject({ object_id: id, after: body })
  })

  it("is listed page by page", async () => {
    const first = await world.send(world.admin, "GET", `${path}?limit=1`)
    expect([names(first), (first.at("total") as number) >= 2]).toEqual([["Databases"], true])
    const next = await world.send(world.admin, "GET", `${path}?limit=1&cursor=${first.string("next_cursor")}`)
    expect(names(next)).toEqual(["Mail"])
    expect(names(await world.send(world.admin, "GET", `${path}?q=atab`))).toEqual(["Databases"])
  })
})

describe("the hosts of a group", () => {
  it("are refused as a whole when one of a hundred is foreign, unknown or removed", async () => {
    const id = await fresh("Hundred")
    const hundred: Array<string> = []
    for (let i = 0; i < 99; i++) hundred.push(await world.host([]))
    const removed = await world.host([])
    await world.web.rows("update hosts set removed_at = now() where id = $1", [removed])
    for (const stranger of [unknown, removed]) {
      for (const [method, rest] of [
        ["PUT", ""],
        ["POST", "/add"],
        ["POST", "/remove"]
      ] as const) {
        const answer = await world.send(world.admin, method, `${path}/${id}/hosts${rest}`, {
          host_ids: [...hundred.slice(0, 50), stranger, ...hundred.slice(50)]
        })
        expect([answer.status, answer.at("error.details.host_ids")]).toEqual([404, [stranger]])
      }
    }
    expect(await membersOf(id)).toBe(0)
    const job = await world.send(world.ann, "POST", "/api/v1/jobs", {
      kind: "reboot",
      host_ids: [...hundred, world.hosts.other]
    })
    expect([job.status, job.at("error.details.host_ids")]).toEqual([404, [world.hosts.other]])
    const whole = await world.send(world.admin, "POST", `${path}/${id}/hosts/add`, { host_ids: hundred })
    expect(whole.json()).toEqual({ hosts_total: 99, added: 99, removed: 0 })
    expect(await membersOf(id)).toBe(99)
  })

  it("are replaced, added and taken out, each with its audit row and a word to whoever looks on", async () => {
    const id = await fresh("Shuffled")
    const [x, y, z] = [await world.host([]), await world.host([]), await world.host([])]
    const change = (method: string, rest: string, host_ids: ReadonlyArray<string>) =>
      world.made(world.send(world.admin, method, `${path}/${id}/hosts${rest}`, { host_ids }))
    expect((await change("PUT", "", [x!, y!])).json()).toEqual({ hosts_total: 2, added: 2, removed: 0 })
    expect((await change("PUT", "", [y!, z!])).json()).toEqual({ hosts_total: 2, added: 1, removed: 1 })
    expect((await world.audits("group.hosts"))[0]!.after).toEqual({ hosts_total: 2, added: [z], removed: [x] })
    const fed = await world.web.rows<{ host_id: string }>(
      "select host_id from change_feed where xid = (select max(xid::text::bigint)::text::xid8 from change_feed) order by host_id"
    )
    expect(fed.map((row) => row.host_id)).toEqual([x, z].toSorted())
    expect((await change("POST", "/add", [x!, y!])).json()).toEqual({ hosts_total: 3, added: 1, removed: 0 })
    expect((await change("POST", "/remove", [x!, z!])).json()).toEqual({ hosts_total: 1, added: 0, removed: 2 })
    const before = (await world.audits("group.hosts")).length
    expect((await change("POST", "/remove", [x!])).json()).toEqual({ hosts_total: 1, added: 0, removed: 0 })
    expect((await world.audits("group.hosts")).length).toBe(before)
    expect(names(await world.send(world.admin, "GET", `${path}/${id}/hosts`), "id")).toEqual([y])
  })

  it("change what an operator sees at once", async () => {
    const id = await world.host([world.groups.a])
    const sees = async (who: string) => (await world.send(who, "GET", `/api/v1/hosts/${id}`)).status
    expect([await sees(world.ann), await sees(world.bob)]).toEqual([200, 404])
    await world.made(world.send(world.admin, "POST", `${path}/${world.groups.b}/hosts/add`, { host_ids: [id] }))
    await world.made(world.send(world.admin, "POST", `${path}/${world.groups.a}/hosts/remove`, { host_ids: [id] }))
    expect([await sees(world.ann), await sees(world.bob)]).toEqual([404, 200])
  })
})

describe("users of a group", () => {
  it("are replaced by name, and an unknown name changes nothing", async () => {
    const id = await fresh("Night shift")
    const version = async (username: string) =>
      (await world.web.rows<{ version: string }>("select version from users where username = $1", [username]))[0]!
        .version
    const [ann, free] = [Number(await version("ann")), await version("free")]
    const set = (usernames: ReadonlyArray<string>) =>
      world.send(world.admin, "PUT", `${path}/${id}/users`, { usernames })
    expect((await set(["Ann", "bob"])).at("users.1.username")).toBe("bob")
    expect([Number(await version("ann")), await version("free")]).toEqual([ann + 1, free])
    expect((await set(["ann", "nobody"])).at("error.details.fields.0.path")).toBe("payload.usernames")
    expect((await world.send(world.admin, "GET", `${path}/${id}`)).at("users_total")).toBe(2)
    expect((await set([])).at("users")).toEqual([])
    expect((await world.audits("group.users"))[0]).toMatchObject({
      before: { usernames: ["ann", "bob"] },
      after: { usernames: [] }
    })
  })
})

describe("an open live socket", () => {
  it("is hung up when its user's groups change", async () => {
    const id = await fresh("Watched")
    const ticket = (await world.send(world.free, "POST", "/api/v1/ws/ticket")).string("ticket")
    const socket = new WebSocket(`wss://127.0.0.1:${world.web.port}/api/v1/ws/fleet?ticket=${ticket}`, {
      ca: world.web.ca,
      headers: { host: `localhost:${world.web.port}`, origin: `https://localhost:${world.web.port}` }
    })
    const closed = new Promise<string>((resolve) => socket.on("close", (_code, reason) => resolve(String(reason))))
    await new Promise<void>((resolve) => socket.on("open", () => resolve()))
    socket.send(JSON.stringify({ subscribe: { from_seq: null } }))
    await world.join(id, ["free"])
    expect(await closed).toBe("you see other hosts now")
    await world.join(id, [])
  })
})

describe("deleting a group", () => {
  it("says first whom it opens to every operator, and wants that number confirmed", async () => {
    const id = await fresh("Doomed")
    const alone = await world.host([id], "alone-1")
    await world.host([id, world.groups.b], "not-alone")
    await world.made(
      world.send(world.admin, "POST", "/api/v1/holds", {
        target: { kind: "group", group_id: id },
        pattern: "*",
        reason: "frozen"
      })
    )
    await world.made(
      world.send(world.admin, "POST", "/api/v1/windows", {
        name: "Sunday night",
        kind: "open",
        scope: { kind: "group", group_id: id },
        rule: { kind: "weekly", weekdays: ["sunday"], starts_at_local: "02:00" },
        time_zone: "UTC",
        duration_minutes: 60
      })
    )
    const preview = await world.send(world.admin, "GET", `${path}/${id}/deletion`)
    expect(preview.json()).toEqual({
      ungrouped: [{ id: alone, display_name: "alone-1" }],
      ungrouped_total: 1,
      hosts_total: 2,
      users_total: 0,
      windows_total: 1,
      holds_total: 1,
      services: []
    })
    const remove = (confirmed: string) => world.send(world.admin, "DELETE", `${path}/${id}${confirmed}`)
    expect((await remove("")).status).toBe(422)
    const wrong = await remove("?confirm_ungrouped=0")
    expect([wrong.status, wrong.at("error.code")]).toEqual([409, "ungrouped_differs"])
    expect((await world.send(world.ann, "GET", `/api/v1/hosts/${alone}`)).status).toBe(404)
    expect((await remove("?confirm_ungrouped=1")).status).toBe(204)
    expect((await world.send(world.ann, "GET", `/api/v1/hosts/${alone}`)).status).toBe(200)
    expect((await remove("?confirm_ungrouped=1")).status).toBe(404)
    expect((await world.audits("group.delete"))[0]).toMatchObject({
      object_id: id,
      before: { name: "Doomed" },
      after: {
        ungrouped: [{ id: alone, display_name: "alone-1" }],
        holds_ended: [{ pattern: "*" }],
        windows_deleted: [{ name: "Sunday night", kind: "open" }]
      }
    })
  })
})

describe("a host that is added", () => {
  const add = (who: string, body: object) => world.send(who, "POST", "/api/v1/hosts", body)
  const groupsOf = async (id: string) =>
    (await world.web.rows<{ group_id: string }>("select group_id from host_groups where host_id = $1", [id])).map(
      (row) => row.group_id
    )

  it("goes into its operator's only group", async () => {
    const made = await add(world.ann, { address: "127.30.0.1" })
    expect([made.status, await groupsOf(made.string("id"))]).toEqual([201, [world.groups.a]])
    expect((await world.audits("host.register"))[0]).toMatchObject({ after: { group_ids: [world.groups.a] } })
    expect((await world.send(world.bob, "GET", `/api/v1/hosts/${made.string("id")}`)).status).toBe(404)
  })

  it("goes nowhere else by an operator: not into a foreign group, not into none", async () => {
    for (const group_ids of [[world.groups.b], [unknown], [world.groups.a, world.groups.b]]) {
      const answer = await add(world.ann, { address: "127.30.0.2", group_ids })
      expect([answer.status, answer.at("error.code")]).toEqual([404, "group_not_found"])
    }
    const none = await add(world.ann, { address: "127.30.0.2", group_ids: [] })
    expect(none.at("error.details.fields.0.path")).toBe("payload.group_ids")
  })

  it("has its group named by an operator of several", async () => {
    const id = await fresh("Second home")
    await world.web.addUser("two", "operator")
    await world.join(id, ["two"])
    await world.join(world.groups.b, ["bob", "two"])
    const two = (await world.web.signIn("two")).token
    expect((await add(two, { address: "127.30.0.3" })).status).toBe(422)
    const made = await add(two, { address: "127.30.0.3", group_ids: [id] })
    expect(await groupsOf(made.string("id"))).toEqual([id])
  })

  it("may be without one by an administrator and by an operator without groups", async () => {
    for (const [who, address] of [
      [world.admin, "127.30.0.4"],
      [world.free, "127.30.0.5"]
    ] as const) {
      const made = await add(who, { address })
      expect([made.status, await groupsOf(made.string("id"))]).toEqual([201, []])
    }
    expect((await add(world.free, { address: "127.30.0.6", group_ids: [world.groups.a] })).status).toBe(404)
  })
})
