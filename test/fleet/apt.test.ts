import { chmod, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { buildDeb, installedVersion, installInto, makeRoot, updateLists } from "./aptRoot.ts"
import type { TestFleet } from "./makeTestFleet.ts"
import { makeTestFleet, until } from "./makeTestFleet.ts"
import type { ProfileName } from "./Profile.ts"
import { runCommand } from "./runCommand.ts"

const address = "127.78.5.1"
let base: string
let root: string
let repo: string
let test: TestFleet | undefined

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "fleet-apt-"))
  root = join(base, "root")
  repo = join(base, "repo")
  await makeRoot(root, repo)
  await buildDeb(repo, { name: "demo-tool", version: "1.0", description: "A tool that shows its version" })
  await buildDeb(repo, { name: "demo-other", version: "1.0" })
  await installInto(root, "demo-tool")
  await installInto(root, "demo-other")
  await buildDeb(repo, { name: "demo-tool", version: "2.0" })
  await buildDeb(repo, { name: "demo-other", version: "2.0" })
  await updateLists(root)
})
afterEach(async () => {
  await test?.stop()
  test = undefined
  await rm(base, { recursive: true, force: true })
})

const start = async (profile: ProfileName): Promise<TestFleet> => {
  test = await makeTestFleet({ rateLimit: false, hosts: [{ address, profile, apt: { root, repo } }] })
  return test
}

const over = (from: TestFleet, id: string) =>
  until(
    async () => {
      const { json } = await from.call(address, `/api/v1/jobs/${id}`)
      return (json as { data: { status: string; error: string | null; command_stderr?: string } }).data
    },
    ({ status }) => !["pending", "running"].includes(status),
    15_000
  )

const send = async (from: TestFleet, path: string, body: unknown) =>
  ((await from.call(address, path, { body })).json as { data: { job_id: string } }).data.job_id

describe("the real apt and dpkg in a root directory", () => {
  it("lists, applies one package and reads it back", async () => {
    const from = await start("2.5.5")
    expect(await installedVersion(root, "demo-tool")).toBe("1.0")
    const listed = await from.call(address, "/api/v1/patches")
    expect(listed.json).toMatchObject({
      data: {
        total: 2,
        patches: [
          { name: "demo-other", current_version: "2.0", available_version: "all", severity: "medium" },
          { name: "demo-tool", current_version: "2.0", available_version: "all", cve_ids: [] }
        ]
      }
    })
    const id = await send(from, "/api/v1/patches/apply", { packages: ["demo-tool"] })
    expect((await over(from, id)).status).toBe("completed")
    expect(await installedVersion(root, "demo-tool")).toBe("2.0")
    expect(await installedVersion(root, "demo-other")).toBe("1.0")
    expect(from.fleet.readLedger(address)).toMatchObject([
      { operation: "patchapply", job_id: id, packages: [{ name: "demo-tool", from: "1.0", to: "2.0" }] }
    ])
    const { json } = await from.call(address, "/api/v1/packages/demo-tool")
    expect(json).toMatchObject({ data: { version: "2.0", status: "Installed" } })
  })

  it("upgrades everything, installs and removes", async () => {
    const from = await start("2.7")
    await over(from, await send(from, "/api/v1/patches/apply", {}))
    expect(await installedVersion(root, "demo-other")).toBe("2.0")
    await buildDeb(repo, { name: "demo-new", version: "0.1" })
    const install = { packages: [{ name: "demo-new", version: null }] }
    expect((await over(from, await send(from, "/api/v1/packages", install))).status).toBe("completed")
    expect(await installedVersion(root, "demo-new")).toBe("0.1")
    const removed = await from.call(address, "/api/v1/packages/demo-new", { method: "DELETE" })
    await over(from, (removed.json as { data: { job_id: string } }).data.job_id)
    expect(await installedVersion(root, "demo-new")).toBeUndefined()
  })

  it("does not go back to an older version, as the real agents do not, and `next` does", async () => {
    const from = await start("2.5.5")
    await over(from, await send(from, "/api/v1/patches/apply", { packages: ["demo-tool"] }))
    const older = { packages: [{ name: "demo-tool", version: "1.0" }] }
    const refused = await over(from, await send(from, "/api/v1/packages", older))
    expect(refused.status).toBe("failed")
    expect(refused.command_stderr).toContain("--allow-downgrades")
    expect(await installedVersion(root, "demo-tool")).toBe("2.0")
    await from.stop()
    const next = await start("next")
    expect((await over(next, await send(next, "/api/v1/packages", older))).status).toBe("completed")
    expect(await installedVersion(root, "demo-tool")).toBe("1.0")
  })

  const everything = async () =>
    (await runCommand("dpkg-query", [`--admindir=${root}/var/lib/dpkg`, "-W"], { deadlineMs: 20_000 })).stdout
  const jobOf = (answer: { readonly json: unknown }) => (answer.json as { data: { job_id: string } }).data.job_id
  const versions = async (from: TestFleet) =>
    ((await from.call(address, "/api/v1/packages/demo-tool")).json as { data: { available_versions?: unknown } }).data
      .available_versions

  it("installs the version that was named, updates one package and removes it", async () => {
    const from = await start("2.7")
    await buildDeb(repo, { name: "demo-new", version: "0.1" })
    await buildDeb(repo, { name: "demo-new", version: "0.2" })
    const named = { packages: [{ name: "demo-new", version: "0.1" }] }
    expect((await over(from, await send(from, "/api/v1/packages", named))).status).toBe("completed")
    expect(await installedVersion(root, "demo-new")).toBe("0.1")
    const updated = jobOf(await from.call(address, "/api/v1/packages/demo-new", { method: "PUT" }))
    expect((await over(from, updated)).status).toBe("completed")
    expect(await installedVersion(root, "demo-new")).toBe("0.2")
    expect(await installedVersion(root, "demo-other")).toBe("1.0")
    const removed = jobOf(await from.call(address, "/api/v1/packages/demo-new", { method: "DELETE" }))
    expect((await over(from, removed)).status).toBe("completed")
    expect(await installedVersion(root, "demo-new")).toBeUndefined()
    expect(from.fleet.readLedger(address).map(({ operation }) => operation)).toEqual(["install", "update", "remove"])
    const gone = { packages: [{ name: "demo-tool", version: "9.9" }] }
    expect(await over(from, await send(from, "/api/v1/packages", gone))).toMatchObject({ status: "failed" })
    expect(await installedVersion(root, "demo-tool")).toBe("1.0")
  })

  it("undoes a run down to the same list of packages in `next`, by versions and by rollback", async () => {
    await buildDeb(repo, { name: "demo-tool", version: "3.0", depends: "demo-lib" })
    await buildDeb(repo, { name: "demo-lib", version: "1.0" })
    await updateLists(root)
    const from = await start("next")
    expect(await versions(from)).toEqual(["3.0", "2.0", "1.0"])
    const before = await everything()
    const patched = await send(from, "/api/v1/packages", { packages: [{ name: "demo-tool", version: "3.0" }] })
    expect((await over(from, patched)).status).toBe("completed")
    expect(await installedVersion(root, "demo-lib")).toBe("1.0")
    const undo = jobOf(await from.call(address, `/api/v1/jobs/${patched}/rollback`, { method: "POST" }))
    expect((await over(from, undo)).status).toBe("completed")
    expect(await everything()).toBe(before)

    await over(from, await send(from, "/api/v1/packages", { packages: [{ name: "demo-tool", version: "2.0" }] }))
    expect(await everything()).not.toBe(before)
    await over(from, await send(from, "/api/v1/packages", { packages: [{ name: "demo-tool", version: "1.0" }] }))
    expect(await everything()).toBe(before)
  })

  it("leaves everything as it is when it is asked to undo, in the agents of today", async () => {
    const from = await start("2.7")
    expect(await versions(from)).toBeUndefined()
    const patched = await send(from, "/api/v1/patches/apply", { packages: ["demo-tool"] })
    expect((await over(from, patched)).status).toBe("completed")
    const after = await everything()
    const undo = jobOf(await from.call(address, `/api/v1/jobs/${patched}/rollback`, { method: "POST" }))
    const older = await over(
      from,
      await send(from, "/api/v1/packages", { packages: [{ name: "demo-tool", version: "1.0" }] })
    )
    expect(older.status).toBe("failed")
    const { json } = await from.call(address, `/api/v1/jobs/${undo}`)
    expect(json).toMatchObject({ data: { status: "pending", operation: "rollback", rollback_job_id: patched } })
    expect(await everything()).toBe(after)
  })

  it("can be changed behind the agent's back while a job holds", async () => {
    const from = await start("2.5.5")
    from.fleet.misbehave(address, { kind: "hold", at: "after_change", times: 1 })
    const id = await send(from, "/api/v1/patches/apply", { packages: ["demo-tool"] })
    await until(() => from.fleet.view(address).holding, Boolean, 15_000)
    expect(await installedVersion(root, "demo-tool")).toBe("2.0")
    await installInto(root, "demo-tool", "1.0")
    from.fleet.release(address)
    expect((await over(from, id)).status).toBe("completed")
    expect(await installedVersion(root, "demo-tool")).toBe("1.0")
    expect(from.fleet.readLedger(address)).toHaveLength(1)
  })

  it("names an unknown package as the agents do", async () => {
    const from = await start("2.5.5")
    const id = await send(from, "/api/v1/packages", { packages: [{ name: "no-such-package", version: null }] })
    expect(await over(from, id)).toMatchObject({ status: "failed", error_code: "PKG_NOT_FOUND", exit_code: 100 })
  })

  it("works for an ordinary user too", async () => {
    if (process.getuid?.() !== 0) {
      expect(await installedVersion(root, "demo-tool")).toBe("1.0")
      return
    }
    const asUser = join(base, "as-user")
    await chmod(base, 0o777)
    const script = new URL("./asOrdinaryUser.ts", import.meta.url).pathname
    const result = await runCommand(process.execPath, [script, asUser, "65534"], { deadlineMs: 20_000 })
    expect(result.stderr).toBe("")
    expect(result.stdout.trim()).toBe("2.0")
  })
})
