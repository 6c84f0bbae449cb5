import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type ScopeWorld, startScopeWorld } from "./scopeWorld.ts"

const path = "/api/v1/windows"
const unknown = "01a200e4-e652-72f9-b45c-117b1e318cc9"

let world: ScopeWorld
beforeAll(async () => {
  world = await startScopeWorld()
})
afterAll(() => world.web.stop())

type Who = "admin" | "ann" | "bob" | "free" | "audrey"
type Scope = Record<string, string>
const onHost = (host_id: string): Scope => ({ kind: "host", host_id })
const onGroup = (group_id: string): Scope => ({ kind: "group", group_id })
const onAll: Scope = { kind: "all" }

const nightly = {
  name: "nightly",
  kind: "open",
  rule: { kind: "daily", starts_at_local: "02:00" },
  time_zone: "Europe/Berlin",
  duration_minutes: 120
}
const auto_apply = {
  selection: { kind: "security" },
  reboot: "if_needed",
  reboot_delay_seconds: 0,
  max_concurrency: 5,
  on_change: "take"
}

const make = (who: Who, scope: Scope, body: object = {}) =>
  world.send(world[who], "POST", path, { ...nightly, scope, ...body })
const made = async (who: Who, scope: Scope, body: object = {}) =>
  (await world.made(make(who, scope, body))).string("id")
const get = (who: Who, id: string) => world.send(world[who], "GET", `${path}/${id}`)
const patch = (who: Who, id: string, body: object, version = 1) =>
  world.send(world[who], "PATCH", `${path}/${id}`, body, { "if-match": `"${version}"` })
const remove = (who: Who, id: string) => world.send(world[who], "DELETE", `${path}/${id}`)

describe("who may make which window", () => {
  it.each([
    ["an operator for the own host", "ann", () => onHost(world.hosts.own), 201],
    ["an operator for a host without a group", "free", () => onHost(world.hosts.open), 201],
    ["an operator for another's host", "ann", () => onHost(world.hosts.other), 404],
    ["an operator for an unknown host", "ann", () => onHost(world.hosts.unknown), 404],
    ["an operator for the own group", "ann", () => onGroup(world.groups.a), 201],
    ["an operator for another's group", "ann", () => onGroup(world.groups.b), 404],
    ["an operator for an unknown group", "ann", () => onGroup(unknown), 404],
    ["an auditor", "audrey", () => onHost(world.hosts.open), 403],
    ["an administrator for any group", "admin", () => onGroup(world.groups.b), 201]
  ] as const)("%s", async (_, who, scope, status) => {
    expect((await make(who, scope())).status).toBe(status)
  })

  it("a blackout of all hosts is the administrator's alone, and everybody sees it", async () => {
    const freeze = {
      kind: "blackout",
      name: "freeze",
      rule: { kind: "once", starts_on_local: "2031-12-20T00:00" },
      duration_minutes: 20_000
    }
    expect((await make("ann", onAll, freeze)).status).toBe(403)
    const id = await made("admin", onAll, freeze)
    expect((await get("free", id)).at("name")).toBe("freeze")
    expect((await patch("ann", id, { enabled: false })).status).toBe(403)
    expect((await remove("ann", id)).status).toBe(403)
    expect((await remove("admin", id)).status).toBe(204)
  })

  it("a foreign window is not there: to look at, to edit, to delete, to be moved to", async () => {
    const id = await made("bob", onGroup(world.groups.b))
    for (const answer of [
      await get("ann", id),
      await patch("ann", id, { name: "mine" }),
      await remove("ann", id),
      await world.send(world.ann, "GET", `${path}/${id}/occurrences`),
      await world.send(world.ann, "POST", `${path}/simulate`, {
        weeks: 1,
        drafts: [{ id, window: { ...nightly, scope: onGroup(world.groups.a) } }]
      })
    ]) {
      expect([answer.status, answer.at("error.code")]).toEqual([404, "window_not_found"])
    }
    const own = await made("ann", onGroup(world.groups.a))
    expect((await patch("ann", own, { scope: onGroup(world.groups.b) })).at("error.code")).toBe("group_not_found")
    const listed = (await world.send(world.ann, "GET", `${path}?limit=500`)).at("items") as ReadonlyArray<{
      id: string
    }>
    expect(listed.map((window) => window.id)).toContain(own)
    expect(listed.map((window) => window.id)).not.toContain(id)
  })
})

describe("a window", () => {
  it("is made once for a key, with its audit row, and says where it stands", async () => {
    const send = () =>
      world.web.call("POST", path, {
        token: world.ann,
        body: { ...nightly, name: "once only", scope: onGroup(world.groups.a), auto_apply },
        headers: { "idempotency-key": "window-once" }
      })
    const first = await send()
    expect(first.json()).toMatchObject({
      name: "once only",
      scope_name: "Databases",
      hosts_total: 2,
      enabled: true,
      blackout_dates: [],
      auto_apply,
      version: 1,
      created_by: "ann",
      last_run: null
    })
    expect(["open", "closed"]).toContain(first.at("state"))
    expect(Date.parse(first.string("next.opens_at"))).toBeGreaterThan(Date.now())
    expect((await send()).string("id")).toBe(first.string("id"))
    expect((await world.audits("window.create"))[0]).toMatchObject({ object_id: first.string("id"), actor_name: "ann" })
  })

  it.each([
    ["a zone that is none", { time_zone: "Europe/Atlantis" }, "payload.time_zone"],
    ["a day that is none", { rule: { kind: "once", starts_on_local: "2027-02-29T02:00" } }, "payload.rule"],
    ["a time that is none", { rule: { kind: "daily", starts_at_local: "24:00" } }, "payload.rule"],
    [
      "a week that is none",
      { rule: { kind: "monthly_by_weekday", week: 5, weekday: "monday", starts_at_local: "02:00" } },
      "payload.rule"
    ],
    ["longer than a week", { duration_minutes: 10_081 }, "payload.duration_minutes"],
    ["for all hosts", { scope: { kind: "all" } }, "payload.scope"],
    ["a blackout that applies", { kind: "blackout", auto_apply }, "payload.auto_apply"],
    [
      "an end before its beginning",
      { rule: { kind: "daily", starts_at_local: "02:00", from_date: "2027-01-02", until_date: "2027-01-01" } },
      "payload.rule.until_date"
    ],
    ["keys that nobody knows", { colour: "red" }, "payload.colour"]
  ])("is refused: %s", async (_, body, field) => {
    const answer = await make("admin", onHost(world.hosts.own), body)
    expect(answer.status).toBe(422)
    expect(answer.string("error.details.fields.0.path")).toContain(field)
  })

  it("is edited by its version, and only a change of its times starts them afresh", async () => {
    const id = await made("ann", onHost(world.hosts.own))
    const since = (await get("ann", id)).string("watched_since")
    expect((await world.send(world.ann, "PATCH", `${path}/${id}`, { name: "x" })).status).toBe(428)
    const renamed = await patch("ann", id, { name: "renamed" })
    expect([renamed.at("name"), renamed.at("version"), renamed.headers["etag"]]).toEqual(["renamed", 2, '"2"'])
    expect(renamed.at("watched_since")).toBe(since)
    expect((await patch("ann", id, { name: "late" })).status).toBe(412)
    const moved = await patch("ann", id, { rule: { kind: "daily", starts_at_local: "03:00" } }, 2)
    expect(Date.parse(moved.string("watched_since"))).toBeGreaterThan(Date.parse(since))
    expect((await patch("ann", id, { kind: "blackout" }, 3)).status).toBe(422)
    expect((await world.audits("window.edit"))[0]).toMatchObject({ object_id: id, before: { name: "renamed" } })
    expect((await remove("ann", id)).status).toBe(204)
    expect((await get("ann", id)).status).toBe(404)
    expect((await world.audits("window.delete"))[0]).toMatchObject({ object_id: id, before: { name: "renamed" } })
  })

  it("shows its next openings, and what became of the last ones", async () => {
    const id = await made("ann", onHost(world.hosts.own), { rule: { kind: "daily", starts_at_local: "02:30" } })
    await world.web.rows(
      `insert into window_runs (window_id, opens_at, closes_at, outcome, note)
       values ($1, '2026-01-01T02:00Z', '2026-01-01T04:00Z', 'missed', 'The manager was off.')`,
      [id]
    )
    const answer = await world.send(world.ann, "GET", `${path}/${id}/occurrences?limit=3`)
    expect(answer.at("openings")).toHaveLength(3)
    expect(answer.at("runs.0")).toMatchObject({ outcome: "missed", job_id: null, note: "The manager was off." })
    expect((await get("ann", id)).at("last_run.outcome")).toBe("missed")
  })

  it("is among what opens next", async () => {
    const answer = await world.send(world.ann, "GET", `${path}/upcoming?limit=4`)
    const items = answer.at("items") as ReadonlyArray<{ opens_at: string; name: string }>
    expect(items).toHaveLength(4)
    expect(items.map((item) => item.opens_at)).toEqual(items.map((item) => item.opens_at).toSorted())
  })
})

describe("the windows of a host", () => {
  const of = (who: Who, id: string) => world.send(world[who], "GET", `/api/v1/hosts/${id}/windows`)

  it("none", async () => {
    const lonely = await world.host([], "lonely")
    expect((await of("ann", lonely)).json()).toMatchObject({ won_by: "none", windows: [], open: null, next: [] })
    expect((await of("ann", lonely)).string("why")).toContain("No window covers this host")
  })

  it("its own before its groups', and another group's without its name", async () => {
    const host = await world.host([world.groups.a, world.groups.b], "both")
    await made("admin", onGroup(world.groups.b), { name: "secret of mail" })
    const shared = await of("ann", host)
    expect(shared.at("won_by")).toBe("groups")
    expect(shared.text).not.toContain("secret of mail")
    expect(shared.text).not.toContain(world.groups.b)
    expect(shared.text).toContain("a window of another group")
    expect((await of("admin", host)).text).toContain("secret of mail")
    await made("ann", onHost(host), { name: "its own" })
    const own = await of("ann", host)
    expect(own.json()).toMatchObject({ won_by: "host", windows: [{ name: "its own", source: "host" }] })
    expect(own.text).not.toContain("secret of mail")
    expect(own.at("replaced")).not.toEqual([])
    expect((await of("ann", world.hosts.other)).at("error.code")).toBe("host_not_found")
  })
})

describe("the simulation", () => {
  it("says who is patched when, what clashes, what is too short and who is never covered, and touches nothing", async () => {
    const first = await world.host([], "sim-1")
    const second = await world.host([], "sim-2")
    const saved = await made("admin", onHost(first), { name: "saved", auto_apply, duration_minutes: 30 })
    await world.web.rows(
      `with job as (insert into patch_jobs (id, kind, selection, reboot, requested_by)
         values (gen_random_uuid(), 'patch_apply', '{"kind":"all"}', 'never', 'test') returning id)
       insert into patch_job_hosts (id, job_id, host_id, state, ended, started_at, finished_at)
       select gen_random_uuid(), id, $1, 'succeeded', true, now() - interval '2 hours', now() - interval '1 hour' from job`,
      [first]
    )
    const before = await world.web.rows(
      "select count(*)::int as n, (select count(*)::int from audit_log) as a from maintenance_windows"
    )
    const answer = await world.send(world.admin, "POST", `${path}/simulate`, {
      weeks: 2,
      drafts: [
        {
          window: {
            ...nightly,
            name: "draft",
            scope: onHost(first),
            auto_apply,
            rule: { kind: "weekly", weekdays: ["sunday"], starts_at_local: "02:15" }
          }
        }
      ]
    })
    expect(answer.status).toBe(200)
    const { windows, hosts, host_sets, firings, clashes, too_short, never_covered } = answer.json() as {
      windows: ReadonlyArray<{ id: string; name: string; draft: boolean }>
      hosts: ReadonlyArray<{ id: string; display_name: string }>
      host_sets: ReadonlyArray<ReadonlyArray<number>>
      firings: ReadonlyArray<{ window_id: string; host_set: number }>
      clashes: ReadonlyArray<{ window_ids: ReadonlyArray<string>; times: number; hosts: ReadonlyArray<number> }>
      too_short: ReadonlyArray<{ window_id: string; shortest_minutes: number; p95_minutes: number }>
      never_covered: ReadonlyArray<{ host: number; why: string }>
    }
    const draft = windows.find((window) => window.name === "draft")
    expect(draft?.draft).toBe(true)
    const mine = firings.filter((firing) => firing.window_id === saved)
    expect(mine).toHaveLength(14)
    expect(hosts[host_sets[mine[0]!.host_set]![0]!]?.id).toBe(first)
    expect(firings.filter((firing) => firing.window_id === draft?.id)).toHaveLength(2)
    const clash = clashes.find(({ window_ids }) => window_ids.includes(saved))
    expect(clash).toMatchObject({ times: 2 })
    expect(too_short.find((finding) => finding.window_id === saved)).toMatchObject({
      shortest_minutes: 30,
      p95_minutes: 60
    })
    expect(never_covered.map(({ host }) => hosts[host]?.id)).toContain(second)
    expect(never_covered.map(({ host }) => hosts[host]?.id)).not.toContain(first)
    expect(
      await world.web.rows(
        "select count(*)::int as n, (select count(*)::int from audit_log) as a from maintenance_windows"
      )
    ).toEqual(before)
  })

  it("says when the hosts of a job that waits may start, and that a window without jobs of its own is too short", async () => {
    const covered = await world.host([], "wait-1")
    const slow = await world.host([], "wait-2")
    const bare = await world.host([], "wait-3")
    const opens = new Date(Math.ceil(Date.now() / 60_000) * 60_000 + 6 * 3_600_000).toISOString()
    const daily = { rule: { kind: "daily", starts_at_local: opens.slice(11, 16) }, time_zone: "UTC" }
    await made("admin", onHost(covered), { ...daily, name: "long enough", duration_minutes: 120 })
    const short = await made("admin", onHost(slow), { ...daily, name: "too short", duration_minutes: 45 })
    await world.web.rows(
      `with job as (insert into patch_jobs (id, kind, selection, reboot, requested_by)
         values (gen_random_uuid(), 'patch_apply', '{"kind":"all"}', 'never', 'test') returning id)
       insert into patch_job_hosts (id, job_id, host_id, state, ended, started_at, finished_at)
       select gen_random_uuid(), id, $1, 'succeeded', true, now() - interval '2 hours', now() - interval '1 hour' from job`,
      [slow]
    )
    const job = await world.made(
      world.send(world.admin, "POST", "/api/v1/jobs", {
        kind: "patch_apply",
        host_ids: [covered, slow, bare],
        selection: { kind: "all" },
        when: { kind: "next_window" }
      })
    )
    const answer = await world.send(world.admin, "POST", `${path}/simulate`, { weeks: 1 })
    const { queued, hosts, host_sets, too_short, windows } = answer.json() as {
      queued: ReadonlyArray<{ job_id: string; starts_at: string | null; host_set: number }>
      hosts: ReadonlyArray<{ id: string }>
      host_sets: ReadonlyArray<ReadonlyArray<number>>
      too_short: ReadonlyArray<{ window_id: string }>
      windows: ReadonlyArray<{ id: string; name: string }>
    }
    const starts = queued
      .filter(({ job_id }) => job_id === job.string("id"))
      .map(({ starts_at, host_set }) => [starts_at, host_sets[host_set]!.map((place) => hosts[place]?.id)])
    expect(starts).toEqual([
      [opens, [covered]],
      [null, [slow, bare]]
    ])
    expect(too_short.map(({ window_id }) => window_id)).toContain(short)
    expect(windows.find(({ id }) => id === short)?.name).toBe("too short")
    const others = await world.send(world.ann, "POST", `${path}/simulate`, { weeks: 1 })
    expect(others.text).toContain(job.string("id"))
  })

  it("shows an operator only his hosts", async () => {
    await made("admin", onGroup(world.groups.b), { name: "mail only", auto_apply })
    const answer = await world.send(world.ann, "POST", `${path}/simulate`, { weeks: 1 })
    expect(answer.status).toBe(200)
    expect(answer.text).not.toContain("mail only")
    expect(answer.text).not.toContain("mail-1")
    expect((await world.send(world.audrey, "POST", `${path}/simulate`, { weeks: 13 })).status).toBe(422)
  })
})
