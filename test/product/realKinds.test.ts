import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { installedVersion } from "#test/fleet/aptRoot.ts"
import { startWeb, type Web } from "#test/harness/startWeb.ts"
import { makeWorld, type World } from "#test/harness/World.ts"
import { type AptHost, makeAptHost } from "./aptHost.ts"

let world: World
let web: Web
beforeAll(async () => {
  world = await makeWorld({ hosts: [] })
  web = await startWeb(world)
  await world.startWorker({ tuning: { run_ms: 10_000 } })
}, 60_000)
afterAll(async () => {
  await web.stop()
  await world.stop()
})

const packages = (...names: ReadonlyArray<string>) => ({
  kind: "patch_apply",
  selection: { kind: "packages", names }
})

describe.each([
  { profile: "2.7", address: "127.77.201.1" },
  { profile: "next", address: "127.77.201.2" }
] as const)("every kind of job by the real apt, with an agent of profile $profile", ({ profile, address }) => {
  let host: AptHost
  const version = (name: string) => installedVersion(host.root, name)

  beforeAll(async () => {
    host = await makeAptHost(world, web, { address, profile })
    for (const name of ["demo-tool", "demo-ssl", "demo-old", "demo-app"]) {
      await host.build({ name, version: "1.0" })
      await host.install(name, "1.0")
    }
    await host.build({ name: "demo-tool", version: "2.0" })
    await host.build({ name: "demo-ssl", version: "1.1" })
    await host.build({ name: "demo-new", version: "0.1" })
    await host.build({ name: "demo-new", version: "0.2" })
    await host.refresh()
  }, 60_000)
  afterAll(() => host.stop())

  it("security only", async () => {
    const plan = await host.plan({ kind: "patch_apply", selection: { kind: "security" } })
    expect(plan.changes).toEqual([{ name: "demo-ssl", from: "1.0", to: "1.1" }])
    const { share } = await host.run({ kind: "patch_apply", selection: { kind: "security" } })
    expect([share.state, share.outcome?.verdict, share.effects]).toEqual(["succeeded", "done", plan.changes])
    expect([await version("demo-ssl"), await version("demo-tool")]).toEqual(["1.1", "1.0"])
  }, 60_000)

  it("installs the version that was asked for", async () => {
    const wish = { kind: "package_install", packages: [{ name: "demo-new", version: "0.1" }] }
    expect((await host.plan(wish)).changes).toMatchObject([{ name: "demo-new", from: null, to: "0.1" }])
    const { share } = await host.run(wish)
    expect([share.outcome?.verdict, await version("demo-new")]).toEqual(["done", "0.1"])
    expect(share.undo).toMatchObject({ answer: "no", because: expect.stringContaining("stays (demo-new)") })
  }, 60_000)

  it("updates it", async () => {
    await host.refresh()
    const wish = { kind: "package_update", packages: [{ name: "demo-new", version: null }] }
    expect((await host.plan(wish)).changes).toMatchObject([{ name: "demo-new", from: "0.1", to: "0.2" }])
    const { share } = await host.run(wish)
    expect([share.outcome?.verdict, await version("demo-new")]).toEqual(["done", "0.2"])
  }, 60_000)

  it("removes a package, and it comes back with any agent, for it is not an older version over a newer one", async () => {
    await host.refresh()
    const before = await host.everything()
    const wish = { kind: "package_remove", packages: [{ name: "demo-old", version: null }] }
    const { undo } = await host.plan(wish)
    const { id, share } = await host.run(wish)
    expect([share.outcome?.verdict, await version("demo-old")]).toEqual(["done", undefined])
    expect(undo.answer).toBe(profile === "next" ? "yes" : "cannot_be_known")
    const back = await host.ended(
      await host.start(`/api/v1/jobs/${id}/rollback`, { method: "versions", when: { kind: "immediate" } })
    )
    expect([back.outcome?.verdict, await version("demo-old")]).toEqual(["done", "1.0"])
    expect(await host.everything()).toBe(before)
  }, 90_000)

  it("restarts where that is owed", async () => {
    await host.oweReboot()
    await host.refresh()
    const wish = { ...packages("demo-tool"), reboot: "if_needed" }
    expect((await host.plan(wish)).reboot).toBe("yes")
    const { share } = await host.run(wish)
    expect([share.outcome?.verdict, share.outcome?.rebooted, await version("demo-tool")]).toEqual(["done", true, "2.0"])
    const { reboot_needed } = await web.call<{ reboot_needed: boolean }>("GET", `/api/v1/hosts/${host.id}`)
    expect(reboot_needed).toBe(false)
  }, 90_000)

  describe("undo", () => {
    const undo = { when: { kind: "immediate" } }

    it("is what was said beforehand, by versions and by the agent, down to the same list of packages", async () => {
      await host.build({ name: "demo-tool", version: "3.0" })
      await host.refresh()
      const before = await host.everything()
      const said = (await host.plan(packages("demo-tool"))).undo
      expect(said.answer).toBe(profile === "next" ? "yes" : "no")
      const first = await host.run(packages("demo-tool"))
      expect([first.share.outcome?.verdict, first.share.undo?.answer]).toEqual(["done", said.answer])
      const after = await host.everything()
      expect(after).not.toBe(before)

      const byVersions = { method: "versions", ...undo }
      if (profile === "next") {
        const share = await host.ended(await host.start(`/api/v1/jobs/${first.id}/rollback`, byVersions))
        expect([share.outcome?.verdict, share.outcome?.message, await host.everything()]).toEqual([
          "done",
          expect.any(String),
          before
        ])
        await host.refresh()
      } else {
        await expect(host.start(`/api/v1/jobs/${first.id}/rollback`, byVersions)).rejects.toThrow(
          /409.*not_undoable.*does not install older versions/
        )
        expect(await host.everything()).toBe(after)
      }

      const again = profile === "next" ? await host.run(packages("demo-tool")) : first
      const byAgent = await host.ended(
        await host.start(`/api/v1/jobs/${again.id}/rollback`, { method: "agent", ...undo })
      )
      expect([byAgent.state, byAgent.outcome?.verdict, await host.everything()]).toEqual(
        profile === "next" ? ["succeeded", "done", before] : ["failed", "not_executed", after]
      )
    }, 180_000)

    it("leaves what came along, as it says", async () => {
      await host.build({ name: "demo-app", version: "2.0", depends: "demo-dep" })
      await host.build({ name: "demo-dep", version: "1.0" })
      await host.refresh()
      const before = await host.everything()
      const said = (await host.plan(packages("demo-app"))).undo
      if (profile === "next") expect(said.because).toContain("a new dependency would stay")
      const first = await host.run(packages("demo-app"))
      expect(first.share.effects).toEqual([
        { name: "demo-app", from: "1.0", to: "2.0" },
        { name: "demo-dep", from: null, to: "1.0" }
      ])
      expect(first.share.undo?.answer).toBe(profile === "next" ? "partly" : "no")
      if (profile !== "next") return
      await host.ended(await host.start(`/api/v1/jobs/${first.id}/rollback`, { method: "versions", ...undo }))
      expect([await version("demo-app"), await version("demo-dep")]).toEqual(["1.0", "1.0"])
      await host.refresh()
      const second = await host.run(packages("demo-app"))
      expect(second.share.undo?.answer).toBe("yes")
      expect(await host.everything()).not.toBe(before)
    }, 120_000)
  })
})
