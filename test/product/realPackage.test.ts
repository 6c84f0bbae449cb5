import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { buildDeb, installInto, installedVersion, makeRoot, updateLists, writePackages } from "#test/fleet/aptRoot.ts"
import { until } from "#test/fleet/makeTestFleet.ts"
import { startWeb, type Web } from "#test/harness/startWeb.ts"
import { makeWorld, type World } from "#test/harness/World.ts"

interface JobAnswer {
  readonly id: string
  readonly state: string
}
interface JobHosts {
  readonly items: ReadonlyArray<{
    readonly state: string
    readonly log: ReadonlyArray<string>
    readonly outcome: { readonly verdict: string; readonly installed: Record<string, string> } | null
  }>
}
interface HostAnswer {
  readonly id: string
  readonly summary: string
  readonly pending: number | null
}

describe("a real package on a real root directory", () => {
  let world: World
  let web: Web
  let folder: string
  let root: string
  const address = "127.77.200.1"
  let hostId: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "apt-"))
    root = join(folder, "root")
    const repo = join(folder, "repo")
    await makeRoot(root, repo)
    await buildDeb(repo, { name: "demo-tool", version: "1.0" })
    await writePackages(repo)
    await updateLists(root)
    await installInto(root, "demo-tool", "1.0")
    await buildDeb(repo, { name: "demo-tool", version: "2.0" })
    await writePackages(repo)
    world = await makeWorld({ hosts: [] })
    web = await startWeb(world)
    await world.startWorker()
    world.fleet.addHost({ address, fqdn: "apt-01.example.test", profile: "2.5.5", apt: { root, repo } })
    const host = await web.call<HostAnswer>("POST", "/api/v1/hosts", {
      address,
      fqdn: "apt-01.example.test",
      agent_port: world.fleet.port
    })
    hostId = host.id
    const identity = await web.call<{ private_key_pem: string; certificate_pem: string }>(
      "POST",
      `/api/v1/hosts/${hostId}/certificate`
    )
    world.fleet.setIdentity(address, identity)
    await web.call("POST", `/api/v1/hosts/${hostId}/refresh`)
    await until(
      () => web.call<HostAnswer>("GET", `/api/v1/hosts/${hostId}`),
      (seen) => seen.summary === "healthy" && seen.pending === 1,
      15_000
    )
  }, 60_000)
  afterAll(async () => {
    await web.stop()
    await world.stop()
    await rm(folder, { recursive: true, force: true })
  })

  const apply = async () => {
    const job = await web.call<JobAnswer>("POST", "/api/v1/jobs", {
      kind: "patch_apply",
      when: { kind: "immediate" },
      host_ids: [hostId],
      selection: { kind: "packages", names: ["demo-tool"] },
      reboot: "never"
    })
    return job.id
  }
  const ended = async (job: string) => {
    const answer = await until(
      () => web.call<JobAnswer>("GET", `/api/v1/jobs/${job}`),
      (seen) => seen.state !== "queued" && seen.state !== "running",
      30_000
    )
    const hosts = await web.call<JobHosts>("GET", `/api/v1/jobs/${job}/hosts`)
    return { state: answer.state, host: hosts.items[0]! }
  }

  it("is not done when somebody changes the root between the run and the check", async () => {
    world.fleet.misbehave(address, { kind: "hold", at: "after_change", times: 1 })
    const job = await apply()
    await until(
      () => world.fleet.view(address),
      (view) => view.holding,
      20_000
    )
    expect(await installedVersion(root, "demo-tool")).toBe("2.0")
    await installInto(root, "demo-tool", "1.0")
    world.fleet.release(address)
    const { state, host } = await ended(job)
    expect([state, host.state, host.outcome?.verdict]).toEqual(["failed", "failed", "not_effective"])
    expect(host.outcome?.installed).toEqual({ "demo-tool": "1.0" })
  })

  it("is done when dpkg says so, with exactly one application", async () => {
    const before = world.fleet.readLedger(address).length
    const job = await apply()
    const { state, host } = await ended(job)
    expect([state, host.state, host.outcome?.verdict]).toEqual(["succeeded", "succeeded", "done"])
    expect(await installedVersion(root, "demo-tool")).toBe("2.0")
    const applied = world.fleet.readLedger(address).slice(before)
    expect(applied.map((entry) => entry.packages)).toEqual([[{ name: "demo-tool", from: "1.0", to: "2.0" }]])
    expect(host.log.length).toBeGreaterThan(0)
    const packages = await web.call<{ items: ReadonlyArray<{ name: string; version: string }> }>(
      "GET",
      `/api/v1/hosts/${hostId}/packages?q=demo`
    )
    expect(packages.items).toEqual([{ name: "demo-tool", version: "2.0" }])
  })
})
