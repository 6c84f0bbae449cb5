import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type ScopeWorld, startScopeWorld } from "./scopeWorld.ts"

const unknown = "01a200e4-e652-72f9-b45c-117b1e318cc9"
const ofHost = (id: string) => `/api/v1/hosts/${id}/service-checks`
const ofGroup = (id: string) => `/api/v1/groups/${id}/service-checks`

let world: ScopeWorld
beforeAll(async () => {
  world = await startScopeWorld()
})
afterAll(() => world.web.stop())

const put = (who: string, path: string, services: ReadonlyArray<string>) => world.send(who, "PUT", path, { services })
const declare = (path: string, services: ReadonlyArray<string>) => world.made(put(world.admin, path, services))

describe("who may declare them", () => {
  it.each([
    ["the own host", () => ofHost(world.hosts.own), [200, 200]],
    ["a host without a group", () => ofHost(world.hosts.open), [200, 200]],
    ["another's host", () => ofHost(world.hosts.other), [404, 404]],
    ["an unknown host", () => ofHost(unknown), [404, 404]],
    ["the own group", () => ofGroup(world.groups.a), [200, 200]],
    ["another's group", () => ofGroup(world.groups.b), [404, 404]],
    ["an unknown group", () => ofGroup(unknown), [404, 404]]
  ] as const)("an operator: %s", async (_, path, statuses) => {
    const answers = [await put(world.ann, path(), []), await world.send(world.ann, "GET", path())]
    expect(answers.map((answer) => answer.status)).toEqual(statuses)
  })

  it("no auditor, who may look", async () => {
    expect((await put(world.audrey, ofHost(world.hosts.own), [])).status).toBe(403)
    expect((await world.send(world.audrey, "GET", ofHost(world.hosts.own))).status).toBe(200)
  })
})

describe("the services of a host", () => {
  it("are its groups' together, once each, until it has its own", async () => {
    await declare(ofGroup(world.groups.a), ["postgresql", "cron.service"])
    await declare(ofGroup(world.groups.b), ["postfix", "cron"])
    const seen = await world.send(world.admin, "GET", ofHost(world.hosts.shared))
    expect(seen.json()).toEqual({
      own: [],
      from_groups: [
        { group_id: world.groups.a, group_name: "Databases", services: ["postgresql", "cron"] },
        { group_id: world.groups.b, group_name: "Mail", services: ["postfix", "cron"] }
      ],
      effective: ["cron", "postfix", "postgresql"],
      decided_by: "groups"
    })
    const forAnn = await world.send(world.ann, "GET", ofHost(world.hosts.shared))
    expect(forAnn.at("from_groups.1")).toEqual({ group_id: null, group_name: null, services: ["postfix", "cron"] })
    const own = await put(world.ann, ofHost(world.hosts.shared), ["nginx"])
    expect([own.at("effective"), own.at("decided_by")]).toEqual([["nginx"], "host"])
    const back = await put(world.ann, ofHost(world.hosts.shared), [])
    expect(back.at("effective")).toEqual(["cron", "postfix", "postgresql"])
    expect((await world.send(world.admin, "GET", ofHost(world.hosts.open))).at("decided_by")).toBe("nobody")
  })

  it("are audited with what was there before", async () => {
    await declare(ofHost(world.hosts.own), ["ssh"])
    await declare(ofHost(world.hosts.own), ["ssh", "nginx"])
    expect((await world.audits("host.service_checks"))[0]).toMatchObject({
      object_id: world.hosts.own,
      before: { services: ["ssh"] },
      after: { services: ["ssh", "nginx"] }
    })
    await declare(ofHost(world.hosts.own), [])
  })

  it.each([[["nginx;reboot"]], [["a", "b", "c", "d", "e", "f"]], [[""]], [["../x"]]])(
    "are not %j",
    async (services) => {
      expect((await put(world.admin, ofHost(world.hosts.own), services)).status).toBe(422)
    }
  )

  it("are at most five, whichever change would make them more", async () => {
    await declare(ofGroup(world.groups.a), ["a1", "a2", "a3"])
    const grown = await put(world.admin, ofGroup(world.groups.b), ["b1", "b2", "b3"])
    expect([grown.status, grown.at("error.code")]).toEqual([409, "too_many_service_checks"])
    expect(grown.string("error.message")).toContain(
      "db-mail would have 6 services to check from its groups Databases, Mail"
    )
    await declare(ofHost(world.hosts.shared), ["own"])
    await declare(ofGroup(world.groups.b), ["b1", "b2", "b3"])
    expect((await put(world.admin, ofHost(world.hosts.shared), [])).at("error.code")).toBe("too_many_service_checks")
    const joined = await world.send(world.admin, "POST", `/api/v1/groups/${world.groups.a}/hosts/add`, {
      host_ids: [world.hosts.other]
    })
    expect(joined.at("error.code")).toBe("too_many_service_checks")
    const added = await world.send(world.admin, "POST", "/api/v1/hosts", {
      address: "127.40.0.1",
      group_ids: [world.groups.a, world.groups.b]
    })
    expect(added.at("error.code")).toBe("too_many_service_checks")
    const rows = await world.web.rows("select 1 from hosts where host(address) = '127.40.0.1'")
    expect(rows).toEqual([])
  })
})
