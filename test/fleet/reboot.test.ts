import { afterEach, describe, expect, it } from "vitest"
import type { TestFleet } from "./makeTestFleet.ts"
import { makeTestFleet, until } from "./makeTestFleet.ts"
import type { ProfileName } from "./Profile.ts"

const address = "127.78.2.1"
let test: TestFleet

afterEach(() => test.stop())

const start = async (profile: ProfileName) => {
  test = await makeTestFleet({ rateLimit: false, hosts: [{ address, profile, distro: "ubuntu-24.04" }] })
  test.fleet.publish(address, "libc6")
  test.fleet.publish(address, "bash")
}

const data = async <A>(path: string): Promise<A> =>
  ((await test.call(address, `/api/v1${path}`)).json as { readonly data: A }).data

const reboot = (body: unknown = {}) => test.call(address, "/api/v1/system/reboot", { body })

const apply = async (...packages: ReadonlyArray<string>): Promise<string> => {
  const answer = await test.call(address, "/api/v1/patches/apply", { body: { packages } })
  return (answer.json as { data: { job_id: string } }).data.job_id
}

const over = (id: string) =>
  until(
    () => data<{ status: string }>(`/jobs/${id}`),
    ({ status }) => !["pending", "running"].includes(status)
  )

const away = () =>
  until(
    () => test.fleet.view(address).up,
    (up) => !up
  )
const back = () => until(() => test.fleet.view(address).up, Boolean)

describe("reboot", () => {
  it("drops off the network, comes back with a new boot and owes no reboot", async () => {
    await start("2.5.5")
    await over(await apply("libc6"))
    expect(await data<{ pending_reboot: boolean }>("/system/info")).toMatchObject({ pending_reboot: true })
    const before = await data<{ uptime_seconds: number }>("/health")
    expect(before.uptime_seconds).toBeGreaterThan(60)
    const bootId = test.fleet.view(address).boot_id
    const accepted = await reboot()
    expect(accepted.status).toBe(202)
    expect(accepted.json).toMatchObject({
      data: { status: "pending", operation: "reboot", delay_seconds: 0, force: false }
    })
    await away()
    await expect(test.call(address, "/api/v1/health")).rejects.toMatchObject({ code: "ECONNRESET" })
    await back()
    expect((await data<{ uptime_seconds: number }>("/health")).uptime_seconds).toBeLessThan(5)
    expect(await data<{ pending_reboot: boolean }>("/system/info")).toMatchObject({ pending_reboot: false })
    const entry = test.fleet.readLedger(address).at(-1)
    expect(entry).toMatchObject({ operation: "reboot", packages: [] })
    expect(entry?.boot_id).not.toBe(bootId)
  })

  it("closes connections that are open when it goes down", async () => {
    await start("2.7")
    test.fleet.misbehave(address, { kind: "hang", path: "/patches" })
    const hanging = test.call(address, "/api/v1/patches")
    hanging.catch(() => undefined)
    await until(
      () => test.fleet.view(address).calls["GET /api/v1/patches"] ?? 0,
      (calls) => calls === 1
    )
    test.fleet.reboot(address)
    await expect(hanging).rejects.toMatchObject({ code: "ECONNRESET" })
  })

  it("rounds a delay up to whole minutes", async () => {
    await start("2.5.5")
    const started = Date.now()
    await reboot({ delay_seconds: 61 })
    await away()
    expect(Date.now() - started).toBeGreaterThanOrEqual(390)
    expect(Date.now() - started).toBeLessThan(2_000)
  })

  it("does not reboot while a job runs unless forced, tier by tier", async () => {
    await start("2.5.5")
    test.fleet.misbehave(address, { kind: "hold", at: "before_change", times: 1 })
    await apply("bash")
    await until(() => test.fleet.view(address).holding, Boolean)
    expect((await reboot()).json).toMatchObject({ error: { code: "REBOOT_BLOCKED", details: { active_jobs: 1 } } })
    expect((await reboot({ force: true })).json).toMatchObject({ error: { code: "PACKAGE_DB_MUTATION_IN_PROGRESS" } })
    const risked = await reboot({ force: true, acknowledge_package_database_corruption_risk: true })
    expect(risked.status).toBe(202)
    await away()
  })

  it("asks for force alone in 1.x", async () => {
    await start("1.2")
    test.fleet.misbehave(address, { kind: "hold", at: "before_change", times: 1 })
    await apply("bash")
    await until(() => test.fleet.view(address).holding, Boolean)
    expect((await reboot()).json).toMatchObject({ error: { code: "REBOOT_BLOCKED", details: { running_jobs: 1 } } })
    expect((await reboot({ force: true })).status).toBe(202)
  })

  it("takes no new jobs in 2.x once a reboot is reserved", async () => {
    await start("2.4")
    await reboot({ delay_seconds: 60 })
    const refused = await test.call(address, "/api/v1/patches/apply", { body: { packages: ["bash"] } })
    expect(refused.status).toBe(409)
    expect(refused.json).toMatchObject({ error: { code: "ADMISSION_CLOSED" } })
  })

  it("never returns when told so, until somebody switches it on", async () => {
    await start("2.5.5")
    test.fleet.misbehave(address, { kind: "never_return" })
    await reboot()
    await away()
    await expect(test.call(address, "/api/v1/health")).rejects.toThrow()
    test.fleet.boot(address)
    expect((await test.call(address, "/api/v1/health")).status).toBe(200)
  })

  it("can say yes and not reboot", async () => {
    await start("2.5.5")
    test.fleet.misbehave(address, { kind: "ignore_reboot", times: 1 })
    const { job_id: id } = ((await reboot()).json as { data: { job_id: string } }).data
    await until(
      () => test.fleet.misbehaviours(address),
      (list) => list.length === 0
    )
    expect((await over(id)).status).toBe("completed")
    expect(test.fleet.readLedger(address)).toEqual([])
  })
})

describe("what is left of the jobs", () => {
  for (const [profile, done, running] of [
    ["1.2", 404, 404],
    ["2.4", 404, 404],
    ["2.5.5", 404, { status: "failed", error_code: "UNKNOWN_ERROR" }],
    ["2.7", { status: "completed" }, { status: "failed", error_code: "AGENT_RESTARTED" }]
  ] as const) {
    it(`after a restart of agent ${profile}`, async () => {
      await start(profile)
      const finished = await apply("libc6")
      await over(finished)
      test.fleet.misbehave(address, { kind: "forget_jobs", at: "after_change", times: 1 })
      const interrupted = await apply("bash")
      await until(
        () => test.fleet.readLedger(address).length,
        (length) => length === 2
      )
      await away()
      await back()
      for (const [id, expected] of [
        [finished, done],
        [interrupted, running]
      ] as const) {
        const answer = await test.call(address, `/api/v1/jobs/${id}`)
        if (expected === 404) expect(answer.status).toBe(404)
        else expect(answer.json).toMatchObject({ data: expected })
      }
    })
  }

  it("after a reboot in the middle of a run: nothing changed, and 2.7 says why", async () => {
    await start("2.7")
    test.fleet.misbehave(address, { kind: "reboot_mid_run", at: "before_change", times: 1 })
    const id = await apply("bash")
    await away()
    await back()
    expect(await data<unknown>(`/jobs/${id}`)).toMatchObject({ status: "failed", error_code: "AGENT_REBOOTED" })
    expect(test.fleet.readLedger(address).map((entry) => entry.operation)).toEqual(["reboot"])
  })

  it("a reboot job of 2.7 is rebooting before and completed after", async () => {
    await start("2.7")
    const { job_id: id } = ((await reboot({ delay_seconds: 300 })).json as { data: { job_id: string } }).data
    expect(await data<unknown>(`/jobs/${id}`)).toMatchObject({ status: "rebooting", operation: "reboot" })
    await away()
    await back()
    expect(await data<unknown>(`/jobs/${id}`)).toMatchObject({ status: "completed" })
  })
})
