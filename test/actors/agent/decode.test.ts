/** The byte fixtures of the wire contract, and the answers of strangers. */
import { readFileSync } from "node:fs"
import { describe, expect, test } from "vitest"
import { answerFailure, unreadable } from "#actors/agent/answerFailure.ts"
import { decodeHealth } from "#actors/agent/decode/health.ts"
import {
  decodeAccepted,
  decodeJob,
  decodeJobEvent,
  decodeJobs,
  LOG_CHARACTERS,
  LOG_LINES
} from "#actors/agent/decode/jobs.ts"
import { parseJson } from "#actors/agent/decode/json.ts"
import { decodeOnePackage, decodePackages, installedVersions } from "#actors/agent/decode/packages.ts"
import { decodePatches } from "#actors/agent/decode/patches.ts"
import { decodeSystemInfo, packageFormat, rebootNeeded } from "#actors/agent/decode/systemInfo.ts"
import { targetAt } from "./servers.ts"

interface Fixture {
  readonly file: string
  readonly kind: string
  readonly profile: string
  readonly status: number | null
  readonly headers?: Readonly<Record<string, string>>
}

const folder = new URL("../../fixtures/agent/", import.meta.url)
const textOf = (file: string): string => readFileSync(new URL(file, folder), "utf8")
const index: ReadonlyArray<Fixture> = JSON.parse(textOf("index.json"))
const body = (file: string): unknown => parseJson(textOf(file))
const ofKind = (...kinds: ReadonlyArray<string>) => index.filter(({ kind }) => kinds.includes(kind))

const JOB = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"

const decoders: Readonly<Record<string, (body: unknown) => unknown>> = {
  health: decodeHealth,
  system_info: decodeSystemInfo,
  packages: decodePackages,
  package: decodeOnePackage,
  patches: decodePatches,
  jobs: decodeJobs,
  job: decodeJob,
  job_accepted: decodeAccepted,
  reboot_accepted: decodeAccepted,
  rollback_accepted: decodeAccepted
}

describe("every fixture", () => {
  for (const { file, kind } of ofKind(...Object.keys(decoders))) {
    test(`${file} is read as ${kind}, in its envelope and bare`, () => {
      const decode = decoders[kind]
      const enveloped = body(file)
      const read = decode?.(enveloped)
      expect(read).toBeDefined()
      // The envelope alone says what time the agent has.
      const bare = decode?.((enveloped as { data: unknown }).data)
      expect(bare).toEqual(kind === "health" ? { ...(read as object), told_at: null } : read)
      if (kind === "health") expect((read as { told_at: number }).told_at).toBeGreaterThan(Date.parse("2026-01-01"))
    })
  }

  for (const { file, status, headers } of ofKind("error", "plain_error")) {
    test(`${file} becomes a failure that names the host`, () => {
      const answer = { status: status ?? 0, retryAfter: headers?.["retry-after"] ?? null, text: textOf(file) }
      const failure = answerFailure(targetAt(12_443, { name: "web-01.example.test" }), answer)
      expect(failure.message).toMatch(/^web-01\.example\.test \(127\.0\.0\.1:12443\): It /)
      expect(failure.message.length).toBeLessThan(600)
      expect(failure.delivery).toBe(
        (status ?? 0) < 500 || file === "error-job-create-error.json" ? "refused" : "unclear"
      )
      const error = (parseJson(answer.text) as { error?: { code: string; retryable: boolean } } | undefined)?.error
      if (error) expect(failure).toMatchObject({ code: error.code, retryable: error.retryable })
      if (headers?.["retry-after"]) expect(failure.retry_after_ms).toBe(Number(headers["retry-after"]) * 1000)
    })
  }

  for (const { file, status } of ofKind("garbage")) {
    test(`${file} is nothing, and only its beginning is repeated`, () => {
      const text = textOf(file)
      for (const decode of Object.values(decoders)) expect(decode(parseJson(text))).toBeUndefined()
      const failure = unreadable(targetAt(1), { status: status ?? 0, retryAfter: null, text }, "a job")
      expect(failure.message).toContain(text.slice(0, 12).trim())
      expect(failure.message.length).toBeLessThan(400)
    })
  }

  for (const { file } of ofKind("ws_message")) {
    test(`${file} is an event of its job, or none`, () => {
      const event = decodeJobEvent(body(file))
      if (/^ws-(job|document)/.test(file)) expect(event?.job_id).toBe(JOB)
      else expect(event).toBeUndefined()
    })
  }
})

describe("health", () => {
  const reasons: ReadonlyArray<readonly [file: string, reason: RegExp]> = [
    ["health-degraded-crl-expired.json", /revocation list is expired/],
    ["health-degraded-gpg-missing.json", /signing key is missing/],
    ["health-degraded-cache-failed.json", /could not refresh its package lists/],
    ["health-degraded-repo-sync-failed.json", /could not fetch its repository configuration/]
  ]
  for (const [file, reason] of reasons) {
    test(`${file} is degraded and says which field`, () => {
      expect(decodeHealth(body(file))).toMatchObject({ health: "degraded", reason: expect.stringMatching(reason) })
    })
  }

  test("a missing revocation list is healthy", () => {
    expect(decodeHealth(body("health-crl-missing.json"))).toMatchObject({ health: "healthy", reason: null })
  })

  test("versions lose their v and their package revision", () => {
    expect(decodeHealth(body("health-version-prefixed.json"))?.agent_version).toMatch(/^\d+\.\d+\.\d+$/)
  })

  test("an unknown word is degraded and quoted, a known good one of the documents is healthy", () => {
    expect(decodeHealth({ status: "sulking", uptime_seconds: 1 })).toMatchObject({
      health: "degraded",
      reason: 'The agent calls itself "sulking".'
    })
    expect(decodeHealth({ status: "ok", uptime_seconds: 1 })?.health).toBe("healthy")
  })

  test("without status or uptime it is no health answer", () => {
    expect(decodeHealth({ status: "healthy" })).toBeUndefined()
    expect(decodeHealth({ uptime_seconds: 1 })).toBeUndefined()
    expect(decodeHealth([])).toBeUndefined()
  })
})

describe("system info", () => {
  test("says whether the package database is clean only where it was looked at", () => {
    expect(decodeSystemInfo(body("system-info-2.4.json"))?.package_db_clean).toBeNull()
    expect(decodeSystemInfo(body("system-info-package-db-dirty.json"))?.package_db_clean).toBe(false)
  })

  test("names the package format", () => {
    const names = [
      "Ubuntu",
      "Debian GNU/Linux",
      "Rocky Linux",
      "Red Hat Enterprise Linux",
      "AlmaLinux",
      "openSUSE Leap",
      "Alpine Linux",
      null
    ]
    expect(names.map(packageFormat)).toEqual(["deb", "deb", "rpm", "rpm", "rpm", "rpm", "other", "other"])
  })

  test("a pending reboot counts from every agent, its absence only since 2.5.5", () => {
    const info = decodeSystemInfo(body("system-info-2.5.5.json"))
    const pending = decodeSystemInfo(body("system-info-pending-reboot.json"))
    if (!info || !pending) throw new Error("fixtures")
    expect(rebootNeeded(pending, "1.0.0")).toBe(true)
    expect(["1.2.0", "2.5.4", "2.5.5", "2.10.0", "3.0.0", null].map((version) => rebootNeeded(info, version))).toEqual([
      null,
      null,
      false,
      false,
      false,
      null
    ])
  })
})

describe("packages", () => {
  test("only what is installed counts", () => {
    expect(decodePackages(body("packages-all-statuses.json"))).toEqual([
      { name: "a", version: "1" },
      { name: "c", version: "1" }
    ])
    expect(decodeOnePackage({ name: "d", version: "", status: "NotInstalled" })).toBeNull()
  })

  test("of several kernels side by side the newest counts", () => {
    const list = ["5.14.0-70", "5.14.0-427", "5.14.0-362"].map((version) => ({ name: "kernel", version }))
    expect(installedVersions(list, "rpm").get("kernel")).toBe("5.14.0-427")
  })
})

describe("patches", () => {
  test("APT's swapped versions are put right", () => {
    expect(decodePatches(body("patches-apt-contract.json"))?.patches[0]).toMatchObject({
      name: "openssl",
      current_version: null,
      available_version: "3.0.13-0ubuntu3.1",
      security: true
    })
    for (const { file } of ofKind("patches").filter(({ file }) => file.startsWith("patches-apt"))) {
      for (const patch of decodePatches(body(file))?.patches ?? []) {
        expect(patch.available_version).toMatch(/\d/)
        expect(patch.current_version).toBeNull()
      }
    }
  })

  test("dnf's versions stay", () => {
    const [first] = decodePatches(body("patches-dnf-2.5.5.json"))?.patches ?? []
    expect(first?.current_version).toMatch(/\d/)
    expect(first?.available_version).toMatch(/\d/)
  })

  test("a name counts once and an unknown severity is unknown", () => {
    const patches = decodePatches({
      patches: [
        { name: "a", severity: "Zesty" },
        { name: "a", severity: "high" }
      ]
    })
    expect(patches?.patches).toHaveLength(1)
    expect(patches?.patches[0]).toMatchObject({ severity: "unknown", security: false, cve_ids: [] })
  })

  test.each([[7], [null], [{}], [{ name: "" }], [{ name: "a b" }], [{ name: "a".repeat(257) }]])(
    "a list with %j in it is no list: what it means may be pending",
    (entry) => {
      expect(decodePatches({ patches: [{ name: "a" }, entry] })).toBeUndefined()
    }
  )
})

describe("jobs", () => {
  test("statuses fold in every spelling", () => {
    const words = ["timedout", "timed_out", "timeout", "TimedOut", "COMPLETED", "rebooting", "exploded", null]
    expect(words.map((status) => decodeJob({ job_id: JOB, status })?.status)).toEqual([
      "timed_out",
      "timed_out",
      "timed_out",
      "timed_out",
      "completed",
      "rebooting",
      "unknown",
      "unknown"
    ])
    expect(decodeJob(body("job-timedout.json"))?.status).toBe("timed_out")
    expect(decodeJobEvent(body("ws-job-timed-out.json"))?.status).toBe("timed_out")
  })

  test("operations fold in both spellings", () => {
    for (const operation of ["patchapply", "patch_apply"]) {
      expect(decodeJob({ job_id: JOB, operation })?.operation).toBe("patchapply")
    }
  })

  test("the agent's housekeeping is left out of the list", () => {
    expect(decodeJobs(body("jobs-bookkeeping.json"))?.map(({ id }) => id)).toEqual([JOB])
  })

  test("error codes decide on a retry as the agent documents it", () => {
    const codes = [
      "NETWORK_ERROR",
      "PKG_MANAGER_ERROR",
      "CACHE_REFRESH_ERROR",
      "REBOOT_ERROR",
      "TIMEOUT",
      "GPG_ERROR",
      "DEPENDENCY_CONFLICT",
      "AGENT_RESTARTED",
      "MADE_UP"
    ]
    expect(codes.map((error_code) => decodeJob({ job_id: JOB, status: "failed", error_code })?.retryable)).toEqual([
      true,
      true,
      true,
      true,
      true,
      false,
      false,
      false,
      false
    ])
    expect(decodeJob(body("job-failed-old.json"))?.retryable).toBe(false)
  })

  test("what the failed command printed stands in the log", () => {
    expect(decodeJob(body("job-failed.json"))?.logs).toContain("E: Unable to fetch some archives")
  })

  test("logs are cut at the front, by lines and by characters", () => {
    const many = decodeJob({ job_id: JOB, logs: Array.from({ length: 5000 }, (_, i) => `line ${i}`) })
    expect(many?.logs).toHaveLength(LOG_LINES)
    expect(many?.logs.at(-1)).toBe("line 4999")
    const long = decodeJob({ job_id: JOB, logs: ["x".repeat(LOG_CHARACTERS), "the end"] })
    expect(long?.logs.join("").length).toBeLessThanOrEqual(LOG_CHARACTERS)
    expect(long?.logs.at(-1)).toBe("the end")
  })

  test("progress stays between 0 and 100 whatever is sent", () => {
    for (const progress of [-5, 1e9, "50", null, Number.NaN]) {
      const percent = decodeJob({ job_id: JOB, progress })?.progress_percent ?? -1
      expect(percent).toBeGreaterThanOrEqual(0)
      expect(percent).toBeLessThanOrEqual(100)
    }
  })

  test("an id that is none is no job", () => {
    for (const job_id of ["", 7, null, "x".repeat(201)]) {
      expect(decodeJob({ job_id })).toBeUndefined()
      expect(decodeAccepted({ job_id })).toBeUndefined()
    }
  })
})

describe("text that PostgreSQL would refuse", () => {
  test("NUL and lone surrogates are replaced", () => {
    expect(parseJson('{"a":"x\\u0000y","b":["\\ud800z"],"c":"\\ud83d\\ude00"}')).toEqual({
      a: "x\ufffdy",
      b: ["\ufffdz"],
      c: "😀"
    })
  })

  test("no stranger's JSON makes a decoder throw", () => {
    const strange = [
      "null",
      "0",
      '"x"',
      "[]",
      "[[]]",
      "{}",
      '{"data":null}',
      '{"success":true,"data":[1,null,{}]}',
      '{"data":{"jobs":[null,1,"x",{}],"patches":[null],"packages":[[]]},"error":null}',
      "[".repeat(20_000)
    ]
    for (const text of strange) {
      for (const decode of [...Object.values(decoders), decodeJobEvent])
        expect(() => decode(parseJson(text))).not.toThrow()
    }
  })
})
