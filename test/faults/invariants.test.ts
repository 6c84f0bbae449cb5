/** Each invariant finds the violation planted against it, and a sound world has none. */
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { LiveHost } from "#core/Live.ts"
import { until } from "#test/fleet/makeTestFleet.ts"
import { type Browser, openBrowser } from "#test/harness/openBrowser.ts"
import { startWeb, type Web } from "#test/harness/startWeb.ts"
import { makeWorld, type World } from "#test/harness/World.ts"
import { testClient } from "#test/setup/testClient.ts"
import { baselineOf, checkInvariants, checkLeftovers } from "./invariants.ts"

describe("the invariant checker", () => {
  let world: World
  let web: Web
  let browser: Browser

  beforeAll(async () => {
    world = await makeWorld({ count: 3, seed: 5, profileMix: { "2.7": 1 } })
    web = await startWeb(world)
    const worker = await world.startWorker()
    await until(
      () => world.query<{ link: string }>("select link from host_snapshots"),
      (rows) => rows.every(({ link }) => link === "healthy"),
      20_000
    )
    for (const host of world.hosts) world.fleet.publish(host.address)
    const { id } = await web.call<{ id: string }>("POST", "/api/v1/jobs", {
      kind: "patch_apply",
      host_ids: world.hosts.map((host) => host.id),
      selection: { kind: "all" },
      when: { kind: "immediate" }
    })
    await world.apply(world.hosts.slice(0, 1))
    await until(
      () => world.query<{ state: string }>("select state from patch_jobs"),
      (rows) => rows.every(({ state }) => state === "succeeded"),
      30_000
    )
    expect(world.acknowledged.map((one) => one.id)).toContain(id)
    await worker.stop()
    browser = await openBrowser(web)
  })
  afterAll(async () => {
    browser.close()
    await web.stop()
    await world.stop()
  })

  const found = (browsers: ReadonlyArray<Browser> = [], except: ReadonlyArray<string> = []) =>
    checkInvariants(world, { browsers, except: new Set(except), settleMs: 0 })

  /** Inside a transaction of the checker's own connection, so that nothing of it stays. */
  const planted = async (...statements: ReadonlyArray<string>): Promise<string> => {
    await world.query("begin")
    try {
      for (const statement of statements) await world.query(statement)
      return (await found()).join("\n")
    } finally {
      await world.query("rollback")
    }
  }

  const firstHost = "(select host_id from patch_job_hosts order by host_id limit 1)"
  const appendOnly = "alter table audit_log disable trigger audit_log_append_only"

  it("finds nothing in a sound world", async () => {
    expect(await checkInvariants(world, { browsers: [browser] })).toEqual([])
  })

  it("I1: a second open job of a host, and the index that is gone", async () => {
    const text = await planted(
      "drop index one_open_job_per_host",
      `update patch_job_hosts set state = 'running', ended = false where host_id = (
         select host_id from patch_job_hosts group by host_id having count(*) > 1)`
    )
    expect(text).toMatch(/I1: host .* has two open jobs/)
    expect(text).toContain("I1: the index one_open_job_per_host is gone")
  })

  it("I2: a change in the ledger that no intent stands for", async () => {
    expect(await planted("update host_intents set verdict = 'no_effect'")).toMatch(
      /I2: host .* was changed 1 times for 0/
    )
    const [host] = world.hosts
    const packages = [{ name: "openssl", from: "1", to: "2" }]
    const entry = { at: "", host: host!.address, operation: "patchapply", job_id: "x", packages, boot_id: "" }
    const fleet = { readLedger: () => [...world.fleet.readLedger(), entry] } as unknown as World["fleet"]
    const text = (await checkInvariants({ ...world, fleet }, { settleMs: 0 })).join("\n")
    expect(text).toMatch(new RegExp(`I2: host ${host!.id} was changed \\d times for \\d intents`))
  })

  it("I3: something acknowledged that is gone", async () => {
    const lost = { table: "patch_jobs", id: "01a20000-0000-7000-8000-000000000000" }
    const text = await checkInvariants({ ...world, acknowledged: [...world.acknowledged, lost] }, { settleMs: 0 })
    expect(text).toEqual([`I3: ${lost.id} was acknowledged and is not in patch_jobs`])
  })

  it("I4: a person's step without its audit row, and one with two", async () => {
    const job = "(select object_id from audit_log where action = 'job.create' limit 1)"
    expect(await planted(appendOnly, `delete from audit_log where object_id = ${job}`)).toMatch(
      /I4: job.create of job .* has 0 audit rows/
    )
    expect(
      await planted(`select audit_append('user', 'x', 'x', 'job.create', 'job', ${job}, null, null, 'x', 'x')`)
    ).toMatch(/I4: job.create of job .* has 2 audit rows/)
    expect(
      await planted(
        `insert into allowed_transitions select 'host', max(machine_version), 'work', 'idle', 'dismiss', 'idle' from host_snapshots on conflict do nothing`,
        `insert into host_transitions (host_id, version, machine_version, event_type, event, from_link, to_link, from_work, to_work)
         select host_id, version + 1, machine_version, 'dismiss', '{"type":"dismiss","at":1,"by":"eve"}', link, link, work, work
         from host_snapshots where host_id = ${firstHost}`
      )
    ).toMatch(/I4: 1 steps by host.dismiss of host .* have 0 audit rows/)
  })

  it.each([
    ["altered", "update audit_log set actor_name = 'eve' where seq = 2", /I5: audit row 2 was altered/],
    ["deleted", "delete from audit_log where seq = 2", /I5: audit row 2 is missing/],
    ["cut off", "delete from audit_log where seq = (select max(seq) from audit_log)", /I5: the head .* differs/]
  ])("I5: an audit row %s", async (_, statement, words) => {
    expect(await planted(appendOnly, statement)).toMatch(words)
  })

  it("I6: a stored state that its history does not give", async () => {
    expect(
      await planted(
        `update host_snapshots set context = jsonb_set(context, '{misses}', '7') where host_id = ${firstHost}`
      )
    ).toMatch(/I6: host .* do not give its stored state/)
    expect(await planted("update job_snapshots set context = jsonb_set(context, '{seq}', '99')")).toMatch(
      /I6: job .* do not give its stored state/
    )
  })

  it("I7: a lease that nobody renews while a worker stands by", async () => {
    const standby = testClient(
      world.url.replace(/(\?|$)/, (mark) => `?application_name=patch-manager%20worker${mark === "?" ? "&" : ""}`)
    )
    await standby.connect()
    expect(await planted("update worker_lease set renewed_at = now() - interval '40 seconds'")).toMatch(
      /I7: the lease of .* is 40 s old/
    )
    await standby.end()
  })

  it("I8: a browser that shows something else", async () => {
    const [host] = browser.hosts.values()
    const stale = new Map(browser.hosts)
    stale.set(host!.id, { ...host!, summary: "failed" as LiveHost["summary"] })
    expect(await found([{ ...browser, hosts: stale }])).toEqual([
      `I8: browser 0 shows host ${host!.id} otherwise than it is`
    ])
    const [job] = browser.jobs.values()
    const jobs = new Map([[job!.id, { ...job!, state: "running" as const }]])
    expect((await found([{ ...browser, jobs }])).join("\n")).toContain(
      `shows job ${job!.id} as running, it is succeeded`
    )
  })

  it("I9: a host to which something was sent after its window had closed", async () => {
    expect(
      await planted(
        `update host_transitions set event = jsonb_set(event, '{order,closes_at}', to_jsonb((event->>'at')::float8 - 60000))
         where event_type = 'order' and host_id = ${firstHost}`
      )
    ).toMatch(/I9: host .* was sent .* after its window closed/)
  })

  it("I9: a host to which something was sent outside of its windows, or in a blackout", async () => {
    const window = (kind: string, rule: object) =>
      `insert into maintenance_windows (id, name, kind, scope, host_id, rule, time_zone, duration_minutes, created_by, created_at)
       select gen_random_uuid(), 'planted', '${kind}', 'host', id, '${JSON.stringify(rule)}', 'Europe/Berlin', 1440, 'test',
         now() - interval '1 day' from hosts`
    const keeps = `update patch_jobs set run_when = '{"kind": "next_window"}'`
    const always = { kind: "daily", starts_at_local: "00:00" }
    const past = { kind: "once", starts_on_local: "2020-01-01T00:00" }
    expect(await planted(keeps, window("open", always))).not.toMatch(/I9/)
    expect(await planted(keeps, window("open", past))).toMatch(/I9: host .* was sent .*, outside of its windows/)
    expect(await planted(keeps)).toMatch(/I9: host .* was sent .*, outside of its windows/)
    expect(await planted(window("blackout", always))).toMatch(/I9: host .* was sent .*, in a blackout/)
  })

  it("I11: a session, a connection and handles that are left", async () => {
    const before = await baselineOf(world)
    expect(await checkLeftovers(world, before)).toEqual([])
    expect(
      (
        await checkLeftovers(
          world,
          { ...before, sessions: before.sessions - 1, handles: -100, rss: -1e12 },
          new Set(),
          0
        )
      ).join("\n")
    ).toMatch(/database sessions are left[\s\S]*handles are left[\s\S]*memory grew/)
    expect((await checkLeftovers(world, { ...before, connections: -1 }, new Set(), 0)).join("\n")).toMatch(
      /connections to agents are left/
    )
  })

  it("I12: a success that rests on nothing read afterwards", async () => {
    expect(
      await planted(`delete from host_transitions where event_type = 'evidence' and host_id = ${firstHost}`)
    ).toMatch(/I12: order .* is done without evidence/)
  })
})
