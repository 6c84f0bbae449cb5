import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type ScopeWorld, startScopeWorld } from "./scopeWorld.ts"

const path = "/api/v1/holds"
const unknown = "01a200e4-e652-72f9-b45c-117b1e318cc9"

let world: ScopeWorld
beforeAll(async () => {
  world = await startScopeWorld()
})
afterAll(() => world.web.stop())

type Target = Record<string, string>
const onHost = (host_id: string): Target => ({ kind: "host", host_id })
const onGroup = (group_id: string): Target => ({ kind: "group", group_id })
const onAll: Target = { kind: "all" }

const make = (who: string, target: Target, body: object = {}) =>
  world.send(who, "POST", path, { target, pattern: "nginx*", reason: "waits for the vendor", ...body })
const made = async (who: string, target: Target, body: object = {}) =>
  (await world.made(make(who, target, body))).string("id")
interface Listed {
  readonly at: (path: string) => unknown
}
const ids = (answer: Listed) => (answer.at("items") as ReadonlyArray<{ id: string }>).map((item) => item.id).toSorted()

describe("who may hold what", () => {
  it.each([
    ["an operator on the own host", "ann", () => onHost(world.hosts.own), 201],
    ["an operator on a shared host", "ann", () => onHost(world.hosts.shared), 201],
    ["an operator on a host without a group", "ann", () => onHost(world.hosts.open), 201],
    ["an operator on another's host", "ann", () => onHost(world.hosts.other), 404],
    ["an operator on an unknown host", "ann", () => onHost(world.hosts.unknown), 404],
    ["an operator on the own group", "ann", () => onGroup(world.groups.a), 201],
    ["an operator on another's group", "ann", () => onGroup(world.groups.b), 404],
    ["an operator on an unknown group", "ann", () => onGroup(unknown), 404],
    ["an operator on all hosts", "ann", () => onAll, 403],
    ["an operator without groups on a host without a group", "free", () => onHost(world.hosts.open), 201],
    ["an operator without groups on a group", "free", () => onGroup(world.groups.a), 404],
    ["an auditor on anything", "audrey", () => onHost(world.hosts.open), 403],
    ["an administrator on any host", "admin", () => onHost(world.hosts.other), 201],
    ["an administrator on all hosts", "admin", () => onAll, 201]
  ] as const)("%s", async (_, who, target, status) => {
    expect((await make(world[who], target())).status).toBe(status)
  })

  it("sees, edits and ends only holds on what is in sight; on all hosts they are seen and not touched", async () => {
    const own = await made(world.admin, onHost(world.hosts.own))
    const foreign = await made(world.admin, onHost(world.hosts.other))
    const foreignGroup = await made(world.admin, onGroup(world.groups.b))
    const everywhere = await made(world.admin, onAll)
    const reach = async (id: string) => [
      (await world.send(world.ann, "GET", `${path}/${id}`)).status,
      (await world.send(world.ann, "PATCH", `${path}/${id}`, { reason: "mine" }, { "if-match": "1" })).status,
      (await world.send(world.ann, "DELETE", `${path}/${id}`)).status
    ]
    expect(await reach(own)).toEqual([200, 200, 204])
    expect(await reach(foreign)).toEqual([404, 404, 404])
    expect(await reach(foreignGroup)).toEqual([404, 404, 404])
    expect(await reach(unknown)).toEqual([404, 404, 404])
    expect(await reach(everywhere)).toEqual([200, 403, 403])
    const seen = ids(await world.send(world.ann, "GET", `${path}?limit=500`))
    expect([seen.includes(own), seen.includes(everywhere)]).toEqual([true, true])
    expect([seen.includes(foreign), seen.includes(foreignGroup)]).toEqual([false, false])
    const all = ids(await world.send(world.audrey, "GET", `${path}?limit=500`))
    expect([foreign, foreignGroup, everywhere].every((id) => all.includes(id))).toBe(true)
  })

  it("refuses a foreign filter as it does an unknown one", async () => {
    for (const filter of [
      `host_id=${world.hosts.other}`,
      `host_id=${unknown}`,
      `group_id=${world.groups.b}`,
      `group_id=${unknown}`
    ]) {
      expect([filter, (await world.send(world.ann, "GET", `${path}?${filter}`)).status]).toEqual([filter, 404])
    }
  })

  it("lists for a host all that reach it, and does not name another's group", async () => {
    const id = await made(world.admin, onGroup(world.groups.b), { pattern: "postfix" })
    const list = await world.send(world.ann, "GET", `${path}?host_id=${world.hosts.shared}&active=true&limit=500`)
    const found = (list.at("items") as ReadonlyArray<Record<string, unknown>>).find((item) => item["id"] === id)
    expect(found).toMatchObject({ target: { kind: "other_group" }, target_name: null, pattern: "postfix" })
    expect(list.text).not.toContain(world.groups.b)
    expect(list.text).not.toContain("Mail")
    const asAdmin = await world.send(world.admin, "GET", `${path}?host_id=${world.hosts.shared}&limit=500`)
    const known = (asAdmin.at("items") as ReadonlyArray<Record<string, unknown>>).find((item) => item["id"] === id)
    expect(known).toMatchObject({ target: { kind: "group", group_id: world.groups.b }, target_name: "Mail" })
  })
})

describe("a hold", () => {
  it("is made once and audited", async () => {
    const until = new Date(Date.now() + 86_400_000).toISOString()
    const body = { target: onHost(world.hosts.own), pattern: "linux-image-*", reason: "driver", until }
    const send = () => world.send(world.ann, "POST", path, body, { "idempotency-key": "once" })
    const first = await send()
    expect((await send()).json()).toEqual(first.json())
    expect(first.json()).toMatchObject({ active: true, target_name: "db-1", created_by: "ann", version: 1 })
    expect(Date.parse(first.string("until"))).toBe(Date.parse(until))
    expect((await world.audits("hold.create"))[0]).toMatchObject({
      actor_name: "ann",
      object_id: first.string("id"),
      after: { pattern: "linux-image-*", reason: "driver", until, target_name: "db-1" }
    })
  })

  it.each([
    [{ pattern: "[a-z]" }, "payload.pattern"],
    [{ pattern: "" }, "payload.pattern"],
    [{ reason: "" }, "payload.reason"],
    [{ until: "2020-01-01T00:00:00Z" }, "payload.until"],
    [{ until: "next week" }, "payload.until"],
    [{ package: "nginx" }, "payload.package"]
  ])("is refused with %j", async (body, where) => {
    const answer = await make(world.admin, onAll, body)
    expect([answer.status, answer.at("error.details.fields.0.path")]).toEqual([422, where])
  })

  it("is edited by whoever read it last, and not any more once it is over", async () => {
    const id = await made(world.ann, onHost(world.hosts.own))
    const edit = (body: object, version: string) =>
      world.send(world.ann, "PATCH", `${path}/${id}`, body, { "if-match": version })
    expect((await edit({ until: "2020-01-01T00:00:00Z" }, "1")).status).toBe(422)
    const longer = await edit({ until: "2199-01-01T00:00:00+23:59" }, "1")
    expect([longer.status, longer.headers["etag"], longer.at("reason")]).toEqual([200, '"2"', "waits for the vendor"])
    expect((await edit({ reason: "late" }, "1")).status).toBe(412)
    expect((await edit({ until: null }, "2")).at("until")).toBeNull()
    expect((await world.send(world.ann, "DELETE", `${path}/${id}`)).status).toBe(204)
    const over = await world.send(world.ann, "DELETE", `${path}/${id}`)
    expect([over.status, over.at("error.code")]).toEqual([409, "hold_over"])
    expect((await edit({ reason: "late" }, "4")).at("error.code")).toBe("hold_over")
    expect((await world.send(world.ann, "GET", `${path}/${id}`)).json()).toMatchObject({
      active: false,
      ended_by: "ann"
    })
    expect((await world.audits("hold.end"))[0]).toMatchObject({ object_id: id, before: { pattern: "nginx*" } })
    expect(ids(await world.send(world.ann, "GET", `${path}?active=true&limit=500`))).not.toContain(id)
    expect(ids(await world.send(world.ann, "GET", `${path}?active=false&limit=500`))).toContain(id)
  })

  it("is listed page by page, newest first", async () => {
    const [older, newer] = [
      await made(world.bob, onGroup(world.groups.b)),
      await made(world.bob, onGroup(world.groups.b))
    ]
    const query = `${path}?group_id=${world.groups.b}&limit=1`
    const first = await world.send(world.bob, "GET", query)
    const second = await world.send(world.bob, "GET", `${query}&cursor=${first.string("next_cursor")}`)
    expect([ids(first), ids(second)]).toEqual([[newer], [older]])
  })
})
