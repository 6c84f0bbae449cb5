/** Both sides at once: stand-in agents ask the real manager, an administrator decides, and the real worker then talks to them. */
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { Enrolment } from "#core/Enrolment.ts"
import type { Page } from "#core/Page.ts"
import { enrolHost, pollToken } from "#test/fleet/enrol.ts"
import type { HostView } from "#test/fleet/Fleet.ts"
import { until } from "#test/fleet/makeTestFleet.ts"
import { startWeb, type Web } from "#test/harness/startWeb.ts"
import { makeWorld, type World } from "#test/harness/World.ts"

let world: World
let web: Web
beforeAll(async () => {
  world = await makeWorld({ hosts: [] })
  web = await startWeb(world)
  await world.startWorker()
})
afterAll(async () => {
  await web?.stop()
  await world?.stop()
})

const waiting = async (fqdn: string): Promise<Enrolment> => {
  const page = await until(
    () => web.call<Page<Enrolment>>("GET", "/api/v1/enrolments?state=pending"),
    ({ items }) => items.some((item) => item.fqdn === fqdn)
  )
  return page.items.find((item) => item.fqdn === fqdn)!
}
const approve = ({ id }: Enrolment) =>
  web.call<Enrolment>("POST", `/api/v1/enrolments/${id}/approve`, { agent_port: world.fleet.port })
const options = (more: object = {}) => ({
  managerUrl: web.origin,
  managerAddress: "127.0.0.1",
  intervalMs: 50,
  attempts: 400,
  ...more
})
const rowsOf = (host: HostView) =>
  world.query<{ id: string; summary: string; certificates: number }>(
    `select h.id, s.summary, (select count(*)::int from certificates c where c.host_id = h.id and c.revoked_at is null) as certificates
     from hosts h join host_snapshots s on s.host_id = h.id where h.address = $1::inet and h.removed_at is null`,
    [host.address]
  )

describe("a stand-in that enrols itself", () => {
  it.each(["1.2", "2.4", "2.7", "next"] as const)("of generation %s becomes a healthy host", async (profile) => {
    const address = `127.63.0.${["1.2", "2.4", "2.7", "next"].indexOf(profile) + 1}`
    const host = world.fleet.addHost({ address, fqdn: `enrol-${profile.replace(".", "-")}.example.test`, profile })
    const end = enrolHost(world.fleet, host, options())
    const asked = await waiting(host.fqdn)
    expect(asked).toMatchObject({ address, source_address: address, conflicts: [] })
    await approve(asked)
    expect((await end).end).toBe("approved")
    const id = (await rowsOf(host))[0]!.id
    await web.call("POST", `/api/v1/hosts/${id}/refresh`)
    await until(
      () => rowsOf(host),
      (rows) => rows[0]?.summary === "healthy",
      15_000
    )
    expect(await rowsOf(host)).toMatchObject([{ certificates: 1 }])
  })

  it("that is denied stops asking", async () => {
    const host = world.fleet.addHost({ address: "127.63.1.1", fqdn: "denied.example.test", profile: "2.7" })
    const end = enrolHost(world.fleet, host, options())
    await web.call("POST", `/api/v1/enrolments/${(await waiting(host.fqdn)).id}/deny`)
    expect(await end).toEqual({ end: "denied" })
    expect(await rowsOf(host)).toEqual([])
  })

  it("that is interrupted at each step and starts again has one host and one certificate (F96)", async () => {
    const host = world.fleet.addHost({ address: "127.63.1.2", fqdn: "broken-off.example.test", profile: "2.7" })
    let token = ""
    const store = (given: string) => (token = given)
    // The answer with the token is lost: it asks again, and is the same request.
    await enrolHost(world.fleet, host, options({ attempts: 0 }))
    const first = await waiting(host.fqdn)
    await enrolHost(world.fleet, host, options({ attempts: 0, store }))
    expect((await waiting(host.fqdn)).id).toBe(first.id)
    // Restarted while it waits, and twice at once: both hear the same.
    await approve(first)
    const parallel = await Promise.all(Array.from({ length: 4 }, () => pollToken(options(), token)))
    expect(new Set(parallel.map((end) => JSON.stringify(end))).size).toBe(1)
    // The bundle is lost on its way to the disk: within the grace it is fetched again, by the old token at 409.
    const end = await enrolHost(world.fleet, host, options({ storedToken: token }))
    expect(end).toEqual(parallel[0])
    expect(await rowsOf(host)).toMatchObject([{ certificates: 1 }])
    const pending = await web.call<Page<Enrolment>>("GET", "/api/v1/enrolments?state=pending")
    expect(pending.items.filter(({ fqdn }) => fqdn === host.fqdn)).toEqual([])
    // And after it, the token is worth nothing.
    await world.query("update enrolments set first_fetched_at = now() - interval '11 minutes' where id = $1", [
      first.id
    ])
    expect(await enrolHost(world.fleet, host, options({ storedToken: token }))).toEqual({ end: "notfound" })
  })

  it("asks twice in parallel from the start and is one request", async () => {
    const host = world.fleet.addHost({ address: "127.63.1.3", fqdn: "twice.example.test", profile: "2.7" })
    const ends = Promise.all([enrolHost(world.fleet, host, options()), enrolHost(world.fleet, host, options())])
    const asked = await until(
      () => waiting(host.fqdn),
      ({ attempts }) => attempts === 2
    )
    await approve(asked)
    expect((await ends).map(({ end }) => end).toSorted()).toEqual(["approved", "notfound"])
    expect(await rowsOf(host)).toMatchObject([{ certificates: 1 }])
  })

  it("is a new machine after a new installation: the old host is in the way until it is removed (F95)", async () => {
    const address = "127.63.1.4"
    const host = world.fleet.addHost({ address, fqdn: "again.example.test", profile: "2.7" })
    const before = enrolHost(world.fleet, host, options())
    await approve(await waiting(host.fqdn))
    await before
    const old = (await rowsOf(host))[0]!.id
    await world.query("update hosts set machine_id = $2 where id = $1", [old, "0".repeat(32)])
    const after = enrolHost(world.fleet, host, options())
    const asked = await waiting(host.fqdn)
    expect(asked.conflicts.map(({ kind, host_id }) => [kind, host_id])).toEqual([
      ["address", old],
      ["fqdn", old]
    ])
    await expect(approve(asked)).rejects.toThrow(/409.*Remove it/)
    await web.call("DELETE", `/api/v1/hosts/${old}?force=true`)
    await until(
      () => waiting(host.fqdn),
      ({ conflicts }) => conflicts.length === 0,
      15_000
    )
    await approve(asked)
    expect((await after).end).toBe("approved")
    const rows = await rowsOf(host)
    expect(rows).toHaveLength(1)
    expect(rows[0]!.id).not.toBe(old)
  })
})
