import tls from "node:tls"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { fixtureJson, fixtures, fixtureText } from "./fixtures.ts"
import type { TestFleet } from "./makeTestFleet.ts"
import { makeTestFleet, until } from "./makeTestFleet.ts"
import type { ProfileName } from "./Profile.ts"
import type { RawAnswer } from "./rawCall.ts"
import { fitsShape, shapeOf } from "./shapeOf.ts"

const addresses: Readonly<Record<ProfileName, string>> = {
  "1.0": "127.78.0.1",
  "1.2": "127.78.0.2",
  "2.4": "127.78.0.3",
  "2.5.5": "127.78.0.4",
  "2.7": "127.78.0.5",
  next: "127.78.0.6"
}
const rocky = "127.78.0.7"
const names = Object.keys(addresses) as ReadonlyArray<ProfileName>

let test: TestFleet

beforeAll(async () => {
  test = await makeTestFleet({
    rateLimit: false,
    hosts: [
      ...names.map((profile) => ({ profile, address: addresses[profile], distro: "ubuntu-24.04" as const })),
      { profile: "2.5.5", address: rocky, distro: "rocky-9" }
    ]
  })
  for (const profile of names) {
    for (const name of ["bash", "libc6"]) test.fleet.publish(addresses[profile], name)
  }
  test.fleet.publish(rocky, "kernel")
  test.fleet.publish(rocky, "bash")
})
afterAll(() => test.stop())

const expectShape = (answer: RawAnswer, file: string) => {
  const fixture = fixtures.find((one) => one.file === file)
  expect(answer.status, file).toBe(fixture?.status)
  expect(answer.headers["content-type"], file).toBe(fixture?.content_type)
  const actual = shapeOf(answer.json)
  const expected = shapeOf(fixtureJson(file))
  expect(fitsShape(actual, expected), `${JSON.stringify(actual)} against ${file} ${JSON.stringify(expected)}`).toBe(
    true
  )
}

const data = <A>(answer: RawAnswer): A => (answer.json as { readonly data: A }).data

const finished = async (address: string, id: string) =>
  until(
    () => test.call(address, `/api/v1/jobs/${id}`),
    (answer) => !["pending", "running"].includes(data<{ status: string }>(answer).status)
  )

describe("every generation serves the fixtures' shapes", () => {
  it("has each fixture of the index on disk", () => {
    for (const fixture of fixtures) {
      const text = fixtureText(fixture.file)
      if (fixture.content_type === "application/json" && fixture.kind !== "garbage") JSON.parse(text)
    }
    expect(fixtures.length).toBeGreaterThan(120)
  })

  for (const profile of names) {
    it(`health, system info and patches of ${profile}`, async () => {
      const address = addresses[profile]
      expectShape(await test.call(address, "/api/v1/health"), `health-${profile}.json`)
      expectShape(await test.call(address, "/health"), `health-${profile}.json`)
      const suffix = profile === "next" ? "2.7" : profile
      expectShape(await test.call(address, "/api/v1/system/info"), `system-info-${suffix}.json`)
      expectShape(await test.call(address, "/api/v1/patches"), `patches-apt-${suffix}.json`)
    })

    it(`job, accepted and failed answers of ${profile}`, async () => {
      const address = addresses[profile]
      const accepted = await test.call(address, "/api/v1/patches/apply", { body: { packages: ["bash"] } })
      expectShape(accepted, "accepted-apply.json")
      const { job_id: id, operation } = data<{ job_id: string; operation: string }>(accepted)
      expect(operation).toBe("patch_apply")
      const job = await finished(address, id)
      expectShape(job, "job-completed.json")
      expect(data<{ operation: string }>(job).operation).toBe("patchapply")
      expectShape(await test.call(address, "/api/v1/jobs"), "jobs-old.json")

      test.fleet.misbehave(address, { kind: "fail_job", error_code: "NETWORK_ERROR", times: 1 })
      const second = await test.call(address, "/api/v1/packages", {
        body: { packages: [{ name: "nginx", version: null }] }
      })
      expectShape(second, "accepted-install.json")
      const failed = await finished(address, data<{ job_id: string }>(second).job_id)
      expectShape(failed, profile === "1.0" || profile === "1.2" ? "job-failed-old.json" : "job-failed.json")
    })

    it(`errors of ${profile}`, async () => {
      const address = addresses[profile]
      const unknown = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
      expectShape(await test.call(address, "/api/v1/packages/no-such-package"), "error-pkg-not-found.json")
      expectShape(await test.call(address, `/api/v1/jobs/${unknown}`), "error-job-not-found.json")
      expectShape(await test.call(address, "/api/v1/jobs/x"), "error-invalid-job-id.json")
      expectShape(
        await test.call(address, `/api/v1/jobs/${unknown}/rollback`, { method: "POST" }),
        "error-rollback-not-allowed.json"
      )
      expectShape(await test.call(address, `/api/v1/jobs/${unknown}`, { method: "DELETE" }), "error-job-not-found.json")
    })
  }

  it("packages, one package and services", async () => {
    const address = addresses["2.5.5"]
    expectShape(await test.call(address, "/api/v1/packages"), "packages-apt.json")
    expectShape(await test.call(address, "/api/v1/packages/libc6"), "package-nginx.json")
    expectShape(await test.call(address, "/api/v1/packages?status=upgradable"), "packages-upgradable-apt.json")
    expectShape(await test.call(rocky, "/api/v1/packages?status=upgradable"), "packages-dnf.json")
    expectShape(await test.call(rocky, "/api/v1/patches"), "patches-dnf-2.5.5.json")
    expectShape(await test.call(address, "/api/v1/system/services/sshd"), "service-active.json")
    expectShape(await test.call(address, "/api/v1/system/services/nope"), "error-service-not-found.json")
    expectShape(await test.call(address, "/api/v1/system/services/a..b"), "error-invalid-service-name.json")
    const old = await test.call(addresses["1.0"], "/api/v1/system/services/sshd")
    expect(old.status).toBe(405)
  })

  it("remove, update, rollback and delete", async () => {
    const address = addresses["2.5.5"]
    expectShape(await test.call(address, "/api/v1/packages/bash", { method: "PUT" }), "accepted-update.json")
    const removed = await test.call(address, "/api/v1/packages/curl?purge=true", { method: "DELETE" })
    expectShape(removed, "accepted-remove.json")
    const { job_id: id } = data<{ job_id: string }>(removed)
    expectShape(await test.call(address, `/api/v1/jobs/${id}`, { method: "DELETE" }), "error-delete-not-allowed.json")
    await finished(address, id)
    const rollback = await test.call(address, `/api/v1/jobs/${id}/rollback`, { method: "POST" })
    expectShape(rollback, "accepted-rollback.json")
    const stuck = await test.call(address, `/api/v1/jobs/${data<{ job_id: string }>(rollback).job_id}`)
    expectShape(stuck, "job-rollback-pending.json")
    expect(data<{ rollback_job_id: string }>(stuck).rollback_job_id).toBe(id)
    expectShape(await test.call(address, "/api/v1/system/reboot", { body: {} }), "error-reboot-blocked.json")
    expectShape(await test.call(address, `/api/v1/jobs/${id}`, { method: "DELETE" }), "job-deleted.json")
  })

  it("text outside the envelope", async () => {
    const address = addresses["2.5.5"]
    const apply = "/api/v1/patches/apply"
    const cases: ReadonlyArray<readonly [file: string, answer: Promise<RawAnswer>]> = [
      ["plain-400-bad-json.txt", test.call(address, apply, { body: "not json" })],
      ["plain-400-content-type.txt", test.call(address, apply, { method: "POST" })],
      [
        "plain-400-missing-option.txt",
        test.call(address, "/api/v1/packages", { body: fixtureText("request-install-half-options.json") })
      ],
      [
        "plain-400-duplicate-field.txt",
        test.call(address, apply, { body: fixtureText("request-apply-both-flags.json") })
      ],
      ["plain-413-body-too-large.txt", test.call(address, apply, { body: `"${"x".repeat(2_200_000)}"` })],
      ["plain-404-outside-scope.txt", test.call(address, "/nowhere")],
      ["plain-405-method.txt", test.call(address, "/api/v1/nowhere")],
      ["plain-405-method.txt", test.call(address, "/api/v1/health", { method: "DELETE" })]
    ]
    for (const [file, pending] of cases) {
      const answer = await pending
      const fixture = fixtures.find((one) => one.file === file)
      expect(answer.status, file).toBe(fixture?.status)
      expect(answer.headers["content-type"] ?? null, file).toBe(fixture?.content_type)
      const head = fixtureText(file).replace(/(line 1 column| \().*$/s, "")
      expect(answer.text.startsWith(head), `${answer.text} against ${file}`).toBe(true)
      for (const [name, value] of Object.entries(fixture?.headers ?? {})) expect(answer.headers[name]).toBe(value)
    }
  })

  it("refuses a critical header given twice from 1.2 on", async () => {
    const send = (address: string) =>
      new Promise<string>((resolve, reject) => {
        const socket = tls.connect({
          host: address,
          port: test.fleet.port,
          ca: test.ca.certificatePem,
          cert: test.client.certificate_pem,
          key: test.client.private_key_pem
        })
        let text = ""
        socket.on("data", (chunk: Buffer) => (text += chunk.toString()))
        socket.on("end", () => resolve(text))
        socket.on("error", reject)
        const twice = "content-type: application/json\r\ncontent-type: text/plain\r\n"
        socket.write(`GET /api/v1/health HTTP/1.1\r\nhost: agent\r\nconnection: close\r\n${twice}\r\n`)
      })
    expect(await send(addresses["1.0"])).toMatch(/^HTTP\/1\.1 200 /)
    const refused = await send(addresses["2.5.5"])
    expect(refused).toMatch(/^HTTP\/1\.1 400 /)
    expect(refused.endsWith(fixtureText("plain-400-duplicate-header.txt"))).toBe(true)
  })

  it("notes its own housekeeping among the jobs from 1.2 on", async () => {
    for (let index = 1; index <= 60; index += 1) {
      const address = `127.78.6.${index}`
      test.fleet.addHost({ address, profile: index % 2 === 0 ? "1.0" : "2.4" })
      test.fleet.setIdentity(address, await test.ca.hostOnSharedKey({ address, fqdn: "x.example.test" }))
      await test.call(address, "/api/v1/health")
      const jobs = data<{ jobs: ReadonlyArray<{ operation: string; packages: ReadonlyArray<string> }> }>(
        await test.call(address, "/api/v1/jobs")
      ).jobs
      if (jobs.length === 0) continue
      expect(index % 2).toBe(1)
      expect(jobs).toMatchObject([{ operation: "install", status: "completed", packages: ["__health_refresh__"] }])
      return
    }
    expect.fail("no host had a stale cache")
  })

  it("degraded answers are 200 and name their reason in the field of their generation", async () => {
    for (const [profile, reason, file] of [
      ["2.5.5", "crl_expired", "health-degraded-crl-expired.json"],
      ["2.4", "gpg_missing", "health-degraded-gpg-missing.json"],
      ["1.2", "cache_failed", "health-degraded-cache-failed.json"],
      ["2.7", "repo_sync_failed", "health-degraded-repo-sync-failed.json"]
    ] as const) {
      test.fleet.misbehave(addresses[profile], { kind: "degraded", reason, times: 1 })
      const answer = await test.call(addresses[profile], "/api/v1/health")
      expectShape(answer, file)
      expect(data<{ status: string }>(answer).status).toBe("degraded")
    }
    test.fleet.misbehave(addresses["1.0"], { kind: "degraded", reason: "crl_expired", times: 1 })
    expect(data<{ status: string }>(await test.call(addresses["1.0"], "/api/v1/health")).status).toBe("healthy")
  })
})
