import { afterEach, describe, expect, it } from "vitest"
import type { TestFleet } from "./makeTestFleet.ts"
import { makeTestFleet, until } from "./makeTestFleet.ts"
import type { ProfileName } from "./Profile.ts"

const address = "127.78.6.1"
let test: TestFleet

afterEach(() => test.stop())

const start = async (profile: ProfileName) => {
  test = await makeTestFleet({ rateLimit: false, hosts: [{ address, profile, distro: "ubuntu-24.04" }] })
  for (const name of ["bash", "curl"]) test.fleet.publish(address, name)
}

const call = (method: string, path: string, body?: unknown) =>
  test.call(address, `/api/v1${path}`, body === undefined ? { method } : { method, body })

const jobOf = (answer: { readonly json: unknown }) => (answer.json as { data: { job_id: string } }).data.job_id

const over = (id: string) =>
  until(
    async () => (await call("GET", `/jobs/${id}`)).json as { data: { status: string; error: string | null } },
    ({ data }) => !["pending", "running"].includes(data.status)
  )

const installed = async () =>
  Object.fromEntries((await test.fleet.truth(address)).installed.map(({ name, version }) => [name, version]))

const service = async () =>
  ((await call("GET", "/system/services/cron")).json as { data: { healthy: boolean } }).data.healthy

describe("changes of packages", () => {
  it("are refused for names and versions that no package has, from 1.2 on", async () => {
    await start("1.2")
    const refused = [
      await call("PUT", "/packages/a%20b"),
      await call("DELETE", "/packages/..%2Fetc"),
      await call("POST", "/packages", { packages: [{ name: "bash", version: "1 2" }] })
    ]
    for (const answer of refused)
      expect([answer.status, answer.json]).toMatchObject([400, { error: { code: "VALIDATION_ERROR" } }])
  })

  it("are refused in plain text where the body is no body", async () => {
    await start("2.7")
    const missing = await call("POST", "/packages", { package: "bash" })
    expect([missing.status, missing.headers["content-type"]]).toEqual([400, "text/plain; charset=utf-8"])
    expect(missing.text).toContain("missing field `packages`")
    const halfway = await call("POST", "/packages", { packages: [], options: { force: false } })
    expect([halfway.status, halfway.text]).toMatchObject([400, expect.stringContaining("no_recommends")])
    expect((await call("PATCH", "/packages/bash")).status).toBe(405)
  })
})

describe("a rollback", () => {
  it("is refused while its job runs, and for a job nobody knows", async () => {
    await start("next")
    test.fleet.misbehave(address, { kind: "hold", at: "before_change", times: 1 })
    const running = jobOf(await call("PUT", "/packages/bash"))
    await until(() => test.fleet.view(address).holding, Boolean)
    for (const id of [running, "6ba7b810-9dad-11d1-80b4-00c04fd430c8"]) {
      const answer = await call("POST", `/jobs/${id}/rollback`)
      expect([answer.status, answer.json]).toMatchObject([400, { error: { code: "ROLLBACK_NOT_ALLOWED" } }])
    }
    test.fleet.release(address)
    await over(running)
  })

  it("brings back in `next` what its job replaced, removed or installed", async () => {
    await start("next")
    const before = await installed()
    for (const change of [
      () => call("PUT", "/packages/bash"),
      () => call("DELETE", "/packages/curl"),
      () => call("POST", "/packages", { packages: [{ name: "nginx", version: null }] })
    ]) {
      const job = jobOf(await change())
      expect((await over(job)).data.status).toBe("completed")
      const undo = jobOf(await call("POST", `/jobs/${job}/rollback`))
      expect((await over(undo)).data.status).toBe("completed")
      expect(await installed()).toEqual(before)
    }
    expect(test.fleet.readLedger(address).filter(({ operation }) => operation === "rollback").length).toBeGreaterThan(1)
  })

  it("stays pending before, and holds off a restart", async () => {
    await start("2.7")
    const job = jobOf(await call("PUT", "/packages/bash"))
    await over(job)
    const after = await installed()
    const undo = jobOf(await call("POST", `/jobs/${job}/rollback`))
    await over(jobOf(await call("PUT", "/packages/curl")))
    expect(((await call("GET", `/jobs/${undo}`)).json as { data: { status: string } }).data.status).toBe("pending")
    expect((await installed())["bash"]).toBe(after["bash"])
    const reboot = await call("POST", "/system/reboot", { delay_seconds: 0, force: false })
    expect([reboot.status, reboot.json]).toMatchObject([409, { error: { code: "REBOOT_BLOCKED" } }])
  })
})

describe("a service", () => {
  it("goes down with the next change and comes up after its time, or with a reboot", async () => {
    await start("2.7")
    expect(await service()).toBe(true)
    test.fleet.misbehave(address, { kind: "break_service", unit: "cron", for_ms: 300, times: 1 })
    await over(jobOf(await call("PUT", "/packages/bash")))
    await until(service, (up) => up)
    test.fleet.misbehave(address, { kind: "break_service", unit: "cron", times: 1 })
    await over(jobOf(await call("PUT", "/packages/curl")))
    expect(await service()).toBe(false)
    test.fleet.reboot(address)
    await until(
      async () => service().catch(() => false),
      (up) => up
    )
  })
})
