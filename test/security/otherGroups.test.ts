/** What an operator learns of groups he is not in, by counting, listing, searching and asking for hosts that are his as well. */
import { afterAll, beforeAll, expect } from "vitest"
import { type AccessWorld, startAccessWorld } from "./accessWorld.ts"
import { securityRow } from "./securityRow.ts"

let world: AccessWorld
beforeAll(async () => {
  world = await startAccessWorld()
})
afterAll(() => world.web.stop())

const reboot = (host_ids: ReadonlyArray<string>) => ({ kind: "reboot", reboot: "always", host_ids })

/** Everything an operator can list, as it reads. */
const listed = async (who: string) => {
  const all: Array<readonly [string, string]> = []
  for (const path of [
    "/hosts?limit=500",
    "/jobs",
    "/windows",
    "/holds",
    "/groups",
    "/windows/upcoming",
    "/enrolments",
    "/status/fleet"
  ]) {
    const { text, status } = await world.send(who, "GET", `/api/v1${path}`)
    expect([path, status]).toEqual([path, 200])
    all.push([path, text.replace(/"as_of":"[^"]*"/, "")])
  }
  return all
}

let machines = 0
/** A machine that asked to join and was taken into a group; answers its request's id. */
const enrolled = async (fqdn: string, group: string) => {
  const machine_id = crypto.randomUUID().replaceAll("-", "")
  const body = { machine_id, fqdn, ip_address: `127.31.0.${++machines}`, os_details: {} }
  await world.made(world.web.call("POST", "/api/v1/enroll", { body }))
  const [found] = await world.web.rows<{ id: string }>("select id from enrolments where fqdn = $1", [fqdn])
  const id = found!.id
  await world.made(world.send(world.admin, "POST", `/api/v1/enrolments/${id}/approve`, { group_ids: [group] }))
  return id
}

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1]!

securityRow("S45", "What can be learned of other groups by counting", async (row) => {
  const { ann, bob } = world
  const { b } = world.groups
  await row.assert("counts and lists: nothing that is made in another group changes a word of them", async () => {
    const before = await listed(ann)
    const host = await world.host([b], "mail-secret")
    await world.job([host])
    for (const scope of [
      { kind: "group", group_id: b },
      { kind: "host", host_id: host }
    ]) {
      await world.window(scope)
      await world.hold(scope)
    }
    await enrolled("mail-joined.example.org", b)
    await world.web.rows("insert into alarms (kind, host_id, message) values ('event_flood', $1, 'mail-secret')", [
      host
    ])
    for (const [index, [path, text]] of (await listed(ann)).entries()) {
      expect([path, text]).toEqual(before[index])
      expect([path, /mail-secret|mail-joined|mail-1|Mail/.exec(text)]).toEqual([path, null])
    }
  })
  await row.assert("a request to join that became a host out of sight is out of sight", async () => {
    const id = await enrolled("mail-late.example.org", b)
    const answer = await world.send(ann, "GET", `/api/v1/enrolments/${id}`)
    expect([answer.status, answer.at("error.code")]).toEqual([404, "enrolment_not_found"])
    for (const who of [bob, world.admin, world.audrey]) {
      expect((await world.send(who, "GET", `/api/v1/enrolments/${id}`)).status).toBe(200)
    }
  })
  await row.assert("a job over hosts of both groups counts the reader's own alone", async () => {
    const chosen = [await world.host([world.groups.a]), await world.host([world.groups.a]), world.hosts.other]
    const order = { ...reboot(chosen), waves: [{ hosts: 2 }] }
    const id = (await world.made(world.send(world.admin, "POST", "/api/v1/jobs", order))).string("id")
    const totals = async (who: string) => {
      const job = await world.send(who, "GET", `/api/v1/jobs/${id}`)
      const hosts = await world.send(who, "GET", `/api/v1/jobs/${id}/hosts`)
      const waves = job.at("waves") as ReadonlyArray<number>
      const counts = job.at("wave_counts") as ReadonlyArray<Readonly<Record<string, number>>>
      expect(counts.map((one) => Object.values(one).reduce((a, b) => a + b, 0))).toEqual(waves)
      return [job.at("hosts_total"), hosts.at("total"), waves.reduce((a, b) => a + b, 0), waves.length]
    }
    expect([await totals(world.admin), await totals(ann), await totals(bob)]).toEqual([
      [3, 3, 3, 2],
      [2, 2, 2, 2],
      [1, 1, 1, 2]
    ])
  })
  await row.assert("facets", async () => {
    const totalOf = async (who: string) => (await world.send(who, "GET", "/api/v1/status/fleet")).at("hosts_total")
    const listed = async (who: string) => (await world.send(who, "GET", "/api/v1/hosts?limit=1")).at("total")
    expect(await totalOf(ann)).toBe(await listed(ann))
    expect(await totalOf(bob)).toBe(await listed(bob))
    expect(await totalOf(ann)).not.toBe(await totalOf(bob))
  })
  await row.assert("search hints, autocomplete", async () => {
    for (const q of ["mail-secret", "mail-", "127.20."]) {
      const { text } = await world.send(ann, "GET", `/api/v1/hosts?q=${q}&limit=500`)
      expect(text).not.toContain("mail-secret")
      expect(text).not.toContain("mail-1")
    }
    expect((await world.send(ann, "GET", "/api/v1/groups?q=Mail")).at("total")).toBe(0)
  })
  await row.assert("a host in two groups shows the reader's only, and its ETag is that of every reader", async () => {
    const [his, all] = await Promise.all(
      [ann, world.admin].map((who) => world.send(who, "GET", `/api/v1/hosts/${world.hosts.shared}`))
    )
    expect(his!.at("groups")).toEqual([{ id: world.groups.a, name: "Databases" }])
    expect(his!.headers["etag"]).toBe(all!.headers["etag"])
    const foreign = await world.send(ann, "GET", `/api/v1/hosts/${world.hosts.other}`)
    expect(foreign.headers["etag"]).toBeUndefined()
  })
  await row.assert("nothing about a host in two groups, or a job that reaches it, names the other group", async () => {
    const { shared } = world.hosts
    await world.window({ kind: "group", group_id: b })
    await world.hold({ kind: "group", group_id: b })
    const members = (await world.send(world.admin, "GET", `/api/v1/hosts?group=${b}&limit=1`)).at("total")
    const order = { kind: "reboot", reboot: "always", expected_hosts: members }
    const jobs: Array<string> = []
    for (const target of [{ group_id: b }, { filter: { group: b } }]) {
      const made = await world.made(world.send(world.admin, "POST", "/api/v1/jobs", { ...order, ...target }))
      jobs.push(made.string("id"))
    }
    const host = `/api/v1/hosts/${shared}`
    const parts = ["packages", "patches", "transitions", "jobs", "reasons", "windows", "service-checks"]
    const asked: ReadonlyArray<readonly [string, string, object?]> = [
      ["GET", host],
      ...parts.map((part) => ["GET", `${host}/${part}`] as const),
      ["GET", `/api/v1/holds?host_id=${shared}`],
      ["GET", `/api/v1/windows?host_id=${shared}`],
      ["GET", "/api/v1/jobs"],
      ...jobs.flatMap((id) => ["", "/hosts"].map((part) => ["GET", `/api/v1/jobs/${id}${part}`] as const)),
      ["POST", "/api/v1/jobs/plan", reboot([shared])]
    ]
    const told: Array<string> = []
    for (const [method, path, body] of asked) {
      const { status, text } = await world.send(ann, method, path, body)
      expect([path, status]).toEqual([path, 200])
      if (text.includes(b) || text.includes('"Mail"')) told.push(`${method} ${path}: ${text}`)
    }
    expect(told).toEqual([])
  })
  await row.assert("error texts: a taken address does not say whose", async () => {
    const [taken] = await world.web.rows<{ address: string }>(
      "select host(address) as address from hosts where id = $1",
      [world.hosts.other]
    )
    const answer = await world.send(ann, "POST", "/api/v1/hosts", { address: taken!.address })
    expect([answer.status, answer.at("error.code")]).toEqual([409, "address_taken"])
    expect(answer.text).not.toMatch(/mail|Mail/)
    expect(answer.text).not.toContain(world.hosts.other)
  })
  await row.assert("timing: foreign and unknown within the noise", async () => {
    const times = { foreign: [] as Array<number>, unknown: [] as Array<number> }
    for (let round = 0; round < 120; round++) {
      for (const [kind, id] of [
        ["foreign", world.hosts.other],
        ["unknown", world.hosts.unknown]
      ] as const) {
        const began = performance.now()
        await world.send(ann, "GET", `/api/v1/hosts/${id}`)
        times[kind].push(performance.now() - began)
      }
    }
    const noise = times.unknown.map((one) => Math.abs(one - median(times.unknown)))
    expect(Math.abs(median(times.foreign) - median(times.unknown))).toBeLessThan(Math.max(5, median(noise) * 2))
  })
})
