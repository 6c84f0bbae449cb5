import { afterEach, describe, expect, it } from "vitest"
import type { Pending } from "./Backend.ts"
import type { HostSpec } from "./Fleet.ts"
import { fixtureText } from "./fixtures.ts"
import type { TestFleet } from "./makeTestFleet.ts"
import { makeTestFleet, until } from "./makeTestFleet.ts"
import type { ProfileName } from "./Profile.ts"

const address = "127.78.1.1"
let test: TestFleet

afterEach(() => test.stop())

const start = async (profile: ProfileName, more: HostSpec = {}) => {
  test = await makeTestFleet({ rateLimit: false, hosts: [{ address, profile, distro: "ubuntu-24.04", ...more }] })
  for (const name of ["bash", "libc6", "curl"]) test.fleet.publish(address, name)
}

const pending = async (): Promise<ReadonlyArray<Pending>> => (await test.fleet.truth(address)).pending

const version = async (name: string) =>
  (await test.fleet.truth(address)).installed.find((one) => one.name === name)?.version

const apply = async (body: unknown) => {
  const answer = await test.call(address, "/api/v1/patches/apply", { body })
  return {
    status: answer.status,
    id: (answer.json as { data: { job_id: string } | null } | undefined)?.data?.job_id ?? ""
  }
}

const over = (id: string) =>
  until(
    async () => {
      const { json } = await test.call(address, `/api/v1/jobs/${id}`)
      return (json as { data: { status: string; error: string | null; error_code?: string } }).data
    },
    ({ status }) => !["pending", "running"].includes(status)
  )

describe("apply", () => {
  it("changes only the named packages and notes them in the ledger once", async () => {
    await start("2.5.5")
    const before = await version("bash")
    const [wanted] = (await pending()).filter((one) => one.name === "bash")
    const { id } = await apply({ packages: ["bash"] })
    expect((await over(id)).status).toBe("completed")
    expect(await version("bash")).toBe(wanted?.available)
    expect((await pending()).some((one) => one.name === "curl")).toBe(true)
    const ledger = test.fleet.readLedger(address)
    expect(ledger).toHaveLength(1)
    expect(ledger[0]).toMatchObject({
      host: address,
      operation: "patchapply",
      job_id: id,
      packages: [{ name: "bash", from: before, to: wanted?.available }]
    })
    const again = await apply({ packages: ["bash"] })
    expect((await over(again.id)).status).toBe("completed")
    expect(test.fleet.readLedger(address)).toHaveLength(1)
  })

  for (const body of ["request-apply-everything.json", "request-apply-null.json", "request-apply-manual-shape.json"]) {
    it(`upgrades everything for ${body}`, async () => {
      await start("2.5.5")
      const count = (await pending()).length
      const { id } = await apply(fixtureText(body))
      await over(id)
      expect(await pending()).toEqual([])
      expect(test.fleet.readLedger(address)[0]?.packages).toHaveLength(count)
    })
  }

  it("does nothing for an empty list, and calls that completed", async () => {
    await start("2.4")
    const before = await pending()
    const { id } = await apply({ packages: [] })
    expect((await over(id)).status).toBe("completed")
    expect(await pending()).toEqual(before)
    expect(test.fleet.readLedger(address)).toEqual([])
  })

  it("fails an unknown package and refuses a bad name where names are checked", async () => {
    await start("2.5.5")
    const { id } = await apply({ packages: ["no-such-package"] })
    expect(await over(id)).toMatchObject({ status: "failed", error_code: "PKG_NOT_FOUND" })
    expect((await apply({ packages: ["../etc/passwd"] })).status).toBe(400)
  })

  it("accepts a bad name in 1.0 and fails later", async () => {
    await start("1.0")
    const { status, id } = await apply({ packages: ["../etc/passwd"] })
    expect(status).toBe(202)
    expect((await over(id)).status).toBe("failed")
  })

  it("reboots always below 2.5.5 when `reboot` says so, never for `allow_reboot`", async () => {
    await start("2.4")
    await over((await apply({ packages: ["bash"], allow_reboot: true })).id)
    expect((await apply({ packages: [], reboot: false, allow_reboot: true })).status).toBe(202)
    await apply({ packages: ["curl"], reboot: true })
    await until(
      () => test.fleet.readLedger(address).map((entry) => entry.operation),
      (operations) => operations.includes("reboot")
    )
    expect(test.fleet.readLedger(address).map((entry) => entry.operation)).toEqual([
      "patchapply",
      "patchapply",
      "reboot"
    ])
  })

  it("reboots from 2.5.5 only when it is needed", async () => {
    await start("2.7")
    await over((await apply({ packages: ["bash"], reboot: true })).id)
    await apply({ packages: ["libc6"], allow_reboot: true })
    const operations = () => test.fleet.readLedger(address).map((entry) => entry.operation)
    await until(operations, (list) => list.includes("reboot"))
    expect(operations()).toEqual(["patchapply", "patchapply", "reboot"])
  })

  it("takes one package job at a time in 2.x and lets the others wait", async () => {
    await start("2.5.5")
    test.fleet.misbehave(address, { kind: "hold", at: "before_change", times: 1 })
    const first = await apply({ packages: ["bash"] })
    const second = await apply({ packages: ["curl"] })
    await until(() => test.fleet.view(address).holding, Boolean)
    const list = await test.call(address, "/api/v1/jobs?limit=2")
    const jobs = (list.json as { data: { jobs: ReadonlyArray<{ job_id: string; status: string }>; total: number } })
      .data
    expect(jobs.jobs.map(({ job_id, status }) => [job_id, status])).toEqual([
      [second.id, "pending"],
      [first.id, "running"]
    ])
    expect(jobs.total).toBe(2)
    test.fleet.release(address)
    expect((await over(second.id)).status).toBe("completed")
  })

  for (const [profile, allowed] of [
    ["2.5.5", false],
    ["2.7", false],
    ["next", true]
  ] as const) {
    it(`${allowed ? "lets" : "does not let"} ${profile} go back to an older version`, async () => {
      await start(profile)
      const old = await version("bash")
      await over((await apply({ packages: ["bash"] })).id)
      const answer = await test.call(address, "/api/v1/packages", {
        body: { packages: [{ name: "bash", version: old }], options: { force: false, no_recommends: false } }
      })
      const job = await over((answer.json as { data: { job_id: string } }).data.job_id)
      expect(job.status).toBe(allowed ? "completed" : "failed")
      expect((await version("bash")) === old).toBe(allowed)
      if (!allowed) expect(job.error).toContain("--allow-downgrades")
    })
  }

  it("limits calls per caller from 1.2 on, as text with Retry-After", async () => {
    test = await makeTestFleet({ hosts: [{ address, profile: "1.2" }] })
    const answers = []
    for (let i = 0; i < 12; i += 1) answers.push(await apply({ packages: [] }))
    expect(answers.filter((one) => one.status === 202)).toHaveLength(10)
    const refused = await test.call(address, "/api/v1/patches/apply", { body: { packages: [] } })
    expect(refused.status).toBe(429)
    expect(refused.headers["content-type"]).toBe("text/plain; charset=utf-8")
    expect(refused.text).toMatch(/^Rate limit exceeded\. Retry after \d seconds\.$/)
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0)
    expect((await test.call(address, "/api/v1/system/info")).status).toBe(200)
  })

  it("refuses the hundred and first open job", async () => {
    await start("2.4")
    test.fleet.misbehave(address, { kind: "hold", at: "before_change", times: 1 })
    for (let i = 0; i < 100; i += 1) await apply({ packages: [] })
    const refused = await test.call(address, "/api/v1/patches/apply", { body: { packages: [] } })
    expect(refused.status).toBe(429)
    expect(refused.headers["retry-after"]).toBe("60")
    expect(refused.json).toMatchObject({ error: { code: "QUEUE_FULL", retryable: true } })
  })
})
