/** What an operator sees and touches: his groups' hosts and those in none; everything else looks like nothing at all. */
import { afterAll, beforeAll, expect } from "vitest"
import type { Answer } from "#test/http/TestWeb.ts"
import { type AccessWorld, startAccessWorld } from "./accessWorld.ts"
import { rowCounts } from "./routeTable.ts"
import { securityRow } from "./securityRow.ts"

let world: AccessWorld
/** Ninety-nine hosts that the operator may name. */
const hundred: Array<string> = []
beforeAll(async () => {
  world = await startAccessWorld()
  for (let i = 0; i < 99; i++) hundred.push(await world.host([world.groups.a]))
})
afterAll(() => world.web.stop())

const codeOf = (answer: Answer) => [answer.status, answer.at("error.code"), answer.at("error.message")]
const rpc = (token: string, tag: string, payload: unknown) =>
  world.web.call("POST", "/rpc", {
    token,
    raw: `${JSON.stringify({ _tag: "Request", id: "1", tag, payload, headers: [] })}\n`,
    headers: { "content-type": "application/ndjson" }
  })
const window = (scope: object) => ({
  name: "Of ann",
  kind: "open",
  scope,
  rule: { kind: "weekly", weekdays: ["sunday"], starts_at_local: "02:00" },
  time_zone: "UTC",
  duration_minutes: 60
})
const reboot = (host_ids: ReadonlyArray<string>) => ({ kind: "reboot", reboot: "always", host_ids })
const among = (id: string) => [...hundred.slice(0, 50), id, ...hundred.slice(50)]

/** Each way to name a host, a group, a job, a window or a hold; asked once with a foreign one and once with an unknown one. */
const positions = (of: {
  readonly host: string
  readonly group: string
  readonly job: string
  readonly window: string
  readonly hold: string
}) => {
  const { ann } = world
  const edit = { "if-match": '"1"' }
  const ask = (method: string, path: string, body?: object, headers: Record<string, string> = {}) => ({
    name: `${method} ${path.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "…")} ${JSON.stringify(body ?? "").slice(0, 60)}`,
    run: () => world.send(ann, method, `/api/v1${path}`, body, headers)
  })
  return [
    ask("GET", `/hosts/${of.host}`),
    ask("PATCH", `/hosts/${of.host}`, { display_name: "mine" }, edit),
    ask("DELETE", `/hosts/${of.host}`),
    ...["packages", "patches", "transitions", "jobs", "reasons", "windows", "service-checks", "client.crt"].map(
      (part) => ask("GET", `/hosts/${of.host}/${part}`)
    ),
    ...["refresh", "dismiss", "retry"].map((part) => ask("POST", `/hosts/${of.host}/${part}`)),
    ask("POST", `/hosts/${of.host}/settle`, { verdict: "done" }),
    ask("PUT", `/hosts/${of.host}/service-checks`, { services: ["nginx"] }),
    ask("GET", `/groups/${of.group}`),
    ask("GET", `/groups/${of.group}/hosts`),
    ask("GET", `/groups/${of.group}/deletion`),
    ask("GET", `/jobs/${of.job}`),
    ask("GET", `/jobs/${of.job}/hosts`),
    ...["cancel", "pause", "resume"].map((part) => ask("POST", `/jobs/${of.job}/${part}`)),
    ask("POST", `/jobs/${of.job}/retry`, { states: ["failed"] }),
    ask("GET", `/windows/${of.window}`),
    ask("GET", `/windows/${of.window}/occurrences`),
    ask("PATCH", `/windows/${of.window}`, { name: "mine" }, edit),
    ask("GET", `/holds/${of.hold}`),
    ask("PATCH", `/holds/${of.hold}`, { reason: "mine" }, edit),
    // In a query and in a filter.
    ask("GET", `/hosts?group=${of.group}`),
    // In a body, alone, nested and among a hundred.
    ask("POST", "/jobs", reboot([of.host])),
    ask("POST", "/jobs", reboot(among(of.host))),
    ask("POST", "/jobs/plan", reboot(among(of.host))),
    ask("POST", "/jobs", { kind: "reboot", reboot: "always", group_id: of.group, expected_hosts: 1 }),
    ask("POST", "/jobs", { kind: "reboot", reboot: "always", filter: { group: of.group }, expected_hosts: 1 }),
    ask("POST", "/windows/simulate", { weeks: 1, drafts: [{ window: window({ kind: "group", group_id: of.group }) }] }),
    ask("POST", "/windows/simulate", { weeks: 1, drafts: [{ window: window({ kind: "host", host_id: of.host }) }] }),
    ask("POST", "/windows/simulate", { weeks: 1, without: [of.window] }),
    ask("POST", "/windows", window({ kind: "host", host_id: of.host })),
    ask("POST", "/windows", window({ kind: "group", group_id: of.group })),
    ask("PATCH", `/windows/${world.ids.window}`, { scope: { kind: "host", host_id: of.host } }, edit),
    ask("POST", "/holds", { target: { kind: "host", host_id: of.host }, pattern: "*", reason: "mine" }),
    ask("POST", "/holds", { target: { kind: "group", group_id: of.group }, pattern: "*", reason: "mine" }),
    ask("POST", "/hosts", { address: "127.40.0.1", group_ids: [world.groups.a, of.group] }),
    ask("POST", "/tokens", {
      name: "mine",
      permissions: ["hosts:read"],
      expires_in_days: 1,
      group_ids: [world.groups.a, of.group]
    })
  ]
}

securityRow("S44", "Foreign ids in every position", async (row) => {
  const { unknown } = world.hosts
  const foreign = positions({
    host: world.hosts.other,
    group: world.groups.b,
    job: world.ids.jobOfOther,
    window: world.ids.windowOfOther,
    hold: world.ids.holdOfOther
  })
  const nowhere = positions({ host: unknown, group: unknown, job: unknown, window: unknown, hold: unknown })
  const { audit_log: _log, ...before } = await rowCounts(world.web)
  const told: Array<string> = []
  const did: Array<string> = []
  const mask = (text: string, id: RegExp) => text.replaceAll(id, "…").replaceAll(/"request_id":"[^"]*"/g, "")
  for (const [index, position] of foreign.entries()) {
    const [answer, other] = [await position.run(), await nowhere[index]!.run()]
    if (answer.status !== 404) did.push(`${position.name}: ${answer.status} ${answer.text.slice(0, 120)}`)
    const ids = /[0-9a-f]{8}-[0-9a-f-]{27}/g
    if (mask(answer.text, ids) !== mask(other.text, ids) || answer.status !== other.status) {
      told.push(`${position.name}: ${answer.text.slice(0, 160)} / ${other.text.slice(0, 160)}`)
    }
  }
  await row.assert("path, query, body arrays (one foreign id among 100), filters, nested, schedule: refused", () => {
    expect(foreign.length).toBeGreaterThan(40)
    expect(did).toEqual([])
  })
  await row.assert("word for word as for an unknown id", () => expect(told).toEqual([]))
  await row.assert("whole request refused, nothing done", async () => {
    const { audit_log: _audit, ...after } = await rowCounts(world.web)
    expect(after).toEqual(before)
  })
  await row.assert("sort keys are named ones: anything else is 422", async () => {
    const answer = await world.send(world.ann, "GET", `/api/v1/hosts?sort=${world.groups.b}`)
    expect(answer.status).toBe(422)
  })
  await row.assert("procedures", async () => {
    const texts = async (host: string, job: string) => {
      const asked: ReadonlyArray<readonly [string, object]> = [
        ["GetHost", { id: host }],
        ["HostReasons", { id: host }],
        ["GetJob", { id: job }],
        ["WatchJob", { id: job }],
        ["PauseJob", { id: job }],
        ["ResumeJob", { id: job }],
        ["CancelJob", { id: job }],
        ["ListHosts", { group: host === unknown ? unknown : world.groups.b }],
        ["PlanJob", { job: reboot(among(host)) }],
        ["CreateJob", { idempotency_key: `s44-${host}`, job: reboot(among(host)) }]
      ]
      const answers: Array<string> = []
      for (const [tag, payload] of asked) {
        const text = (await rpc(world.ann, tag, payload)).text
        expect([tag, text]).toEqual([tag, expect.stringContaining("_not_found")])
        answers.push(text.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "…"))
      }
      return answers
    }
    expect(await texts(world.hosts.other, world.ids.jobOfOther)).toEqual(await texts(unknown, unknown))
  })
  await row.assert("WS subscribe: told nothing of a foreign host or job", async () => {
    const fleet = await world.socket(world.ann, "fleet", { host_id: world.hosts.other })
    const jobs = await world.socket(world.ann, "jobs", { job_id: world.ids.jobOfOther })
    const own = await world.socket(world.ann, "fleet", { host_id: world.hosts.own })
    for (const host of [world.hosts.other, world.hosts.own]) await touch(host)
    await expect.poll(() => own.told.some(({ type }) => type === "host"), { timeout: 8000, interval: 20 }).toBe(true)
    for (const { told: messages } of [fleet, jobs]) expect(JSON.stringify(messages)).not.toContain(world.hosts.other)
    for (const { told: messages } of [fleet, jobs]) expect(JSON.stringify(messages)).not.toContain(world.ids.jobOfOther)
    for (const one of [fleet, jobs, own]) one.close()
  })
  row.missing("CSV import", "there is none")
  row.missing("export job, saved search", "there are none; the audit export is not for operators")
})

/** The way the worker's commit tells of a change: the transition, and that there is one. */
const touch = (host: string) =>
  world.web.rows(
    `with v as (select $1::uuid as id, coalesce(max(version), 0) + 1 as version from host_transitions where host_id = $1::uuid),
       t as (insert into host_transitions
           (host_id, version, machine_version, event_type, event, from_link, to_link, from_work, to_work)
         select id, version, 1, 'poll.ok', '{"type":"poll.ok"}', 'healthy', 'healthy', 'idle', 'idle' from v),
       f as (insert into change_feed (topic, host_id, version) select 'host', id, version from v)
     select pg_notify('feed', '')`,
    [host]
  )

securityRow("S46", "Job output and downloads of another group", async (row) => {
  const { ann, bob } = world
  const moved = await world.host([world.groups.b], "moving-on")
  const job = (await world.job([moved], bob)).string("id")
  const links = [
    `/api/v1/jobs/${job}`,
    `/api/v1/jobs/${job}/hosts`,
    `/api/v1/hosts/${moved}/jobs`,
    `/api/v1/hosts/${moved}/client.crt`
  ]
  const statuses = async (who: string) => {
    const all: Array<number> = []
    for (const link of links) all.push((await world.send(who, "GET", link)).status)
    return all
  }
  const issued = await world.made(world.send(world.admin, "POST", `/api/v1/hosts/${moved}/certificate`))
  expect(issued.status).toBe(201)
  await row.assert("job output and download link: 404", async () => {
    expect(await statuses(bob)).toEqual([200, 200, 200, 200])
    expect(await statuses(ann)).toEqual([404, 404, 404, 404])
  })
  await row.assert("link kept after the right was taken away: 404", async () => {
    await world.join(world.groups.b, [])
    expect(await statuses(bob)).toEqual([404, 404, 404, 404])
    await world.join(world.groups.b, ["bob"])
    await world.made(
      world.send(world.admin, "POST", `/api/v1/groups/${world.groups.a}/hosts/add`, { host_ids: [moved] })
    )
    await world.made(
      world.send(world.admin, "POST", `/api/v1/groups/${world.groups.b}/hosts/remove`, { host_ids: [moved] })
    )
    expect(await statuses(bob)).toEqual([404, 404, 404, 404])
    expect(await statuses(ann)).toEqual([200, 200, 200, 200])
  })
  row.missing("report file, mail attachment", "there are no reports and no mail yet")
})

securityRow("S47", "Host moved from group A to B while A's operator has it open", async (row) => {
  const { ann } = world
  const id = await world.host([world.groups.a], "moving-away")
  const socket = await world.socket(ann, "fleet", { host_id: id })
  const about = () => socket.told.filter((message) => JSON.stringify(message).includes(id))
  await expect.poll(() => socket.told.length, { timeout: 8000, interval: 20 }).toBeGreaterThan(0)
  await touch(id)
  await expect.poll(() => about().some(({ type }) => type === "transition"), { timeout: 8000, interval: 20 }).toBe(true)
  await world.made(world.send(world.admin, "POST", `/api/v1/groups/${world.groups.b}/hosts/add`, { host_ids: [id] }))
  await world.made(world.send(world.admin, "POST", `/api/v1/groups/${world.groups.a}/hosts/remove`, { host_ids: [id] }))
  const at = performance.now()
  await row.assert("next call 404", async () => {
    expect(codeOf(await world.send(ann, "GET", `/api/v1/hosts/${id}`)).slice(0, 2)).toEqual([404, "host_not_found"])
    expect((await world.send(ann, "POST", `/api/v1/hosts/${id}/refresh`)).status).toBe(404)
  })
  await row.assert("socket event stops within 5 s", async () => {
    const own = await world.socket(ann, "fleet", { host_id: world.hosts.own })
    // What is told from now on, beside one that has to arrive.
    const seen = about().filter(({ type }) => type !== "host_removed").length
    await touch(id)
    await touch(world.hosts.own)
    await expect
      .poll(() => own.told.some((message) => JSON.stringify(message).includes(world.hosts.own)), {
        timeout: 8000,
        interval: 20
      })
      .toBe(true)
    expect(about().filter(({ type }) => type !== "host_removed").length).toBe(seen)
    expect(performance.now() - at).toBeLessThan(5000)
    own.close()
  })
  socket.close()
})
