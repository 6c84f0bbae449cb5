import { describe, expect, it } from "vitest"
import { HostId } from "#core/Ids.ts"
import type { Plan, PlannedHost } from "#core/Plan.ts"
import { emptyDraft, jobOf, problemOf, readErrorLimit, readPackages, readWaves } from "#ui/deploy/draft.ts"
import { planNumbers } from "#ui/deploy/planNumbers.ts"
import { waitWords } from "#ui/format/waitWords.ts"

const id = HostId.make("018f0000-0000-7000-8000-000000000001")
const draft = emptyDraft({ kind: "hosts", ids: [id] })

describe("a draft", () => {
  it("waits for the next window and for everything pending unless told otherwise", () => {
    expect(problemOf(draft)).toBeNull()
    expect(jobOf(draft)).toEqual({
      kind: "patch_apply",
      host_ids: [id],
      selection: { kind: "all" },
      when: { kind: "next_window" },
      reboot: "if_needed",
      reboot_delay_seconds: 0,
      on_busy: "queue",
      max_concurrency: 32,
      on_change: "stop",
      pin_versions: false,
      pre_check: { degraded: "go", unknown: "go" }
    })
  })

  it.each([
    [{ target: { kind: "hosts", ids: [] } as const }, "Choose hosts"],
    [{ target: { kind: "group", id: "" } as const }, "Choose a group"],
    [{ choice: "packages" as const }, "Name a package"],
    [{ kind: "package_remove" as const, packages: "vim nano" }, "Name one package"],
    [{ kind: "package_update" as const, packages: "vim=9" }, "only be asked for when installing"],
    [{ choice: "packages" as const, packages: "-o=Dpkg" }, "Not a package name"],
    [{ when: "at" as const, at: "" }, "Say when"],
    [{ when: "at" as const, at: "2020-01-01T00:00" }, "has passed"],
    [{ waves: "many" }, "Waves are numbers"],
    [{ waves: "0" }, "Waves are numbers"],
    [{ error_limit: "101%" }, "error limit"],
    [{ max_concurrency: "0" }, "At once"]
  ])("%j says what is missing", (part, words) => {
    expect(problemOf({ ...draft, ...part })).toContain(words)
  })

  it("reads packages with and without a version, each once", () => {
    expect(readPackages("curl=8.1-1, nginx nginx;vim")).toEqual({
      packages: [
        { name: "curl", version: "8.1-1" },
        { name: "nginx", version: null },
        { name: "vim", version: null }
      ],
      wrong: []
    })
  })

  it("reads waves and limits by number and by percent", () => {
    expect(readWaves("1, 10%")).toEqual([{ hosts: 1 }, { percent: 10 }])
    expect(readErrorLimit("3")).toEqual({ hosts: 3 })
    expect(readErrorLimit("0 %")).toEqual({ percent: 0 })
    expect(readErrorLimit("")).toBeUndefined()
  })
})

const host = (part: Partial<PlannedHost>): PlannedHost => ({
  host_id: id,
  host_name: "h",
  wave: 1,
  changes: [],
  held: [],
  reboot: "no",
  link: "healthy",
  starts_at: null,
  waits_for: null,
  skipped: null,
  expected_seconds: 60,
  undo: { answer: "no", because: "" },
  warnings: [],
  ...part
})

describe("a plan in numbers", () => {
  it("counts what will be touched, by package, and leaves out what is skipped", () => {
    const plan: Plan = {
      hash: "0".repeat(64),
      made_at: "2026-11-22T10:00:00Z",
      hosts_total: 4,
      changes_total: 3,
      waves: [4],
      max_failed: null,
      hosts: [
        host({ changes: [{ name: "a", from: "1", to: "2" }], starts_at: "2026-11-22T12:00:00Z", reboot: "yes" }),
        host({
          changes: [
            { name: "a", from: null, to: "3", goal: "exactly" },
            { name: "b", from: "1", to: null, goal: "absent" }
          ],
          starts_at: "2026-11-22T11:00:00Z",
          undo: { answer: "yes", because: "" }
        }),
        host({ changes: null, waits_for: { code: "no_window" } }),
        host({ skipped: "nothing_to_do" })
      ]
    }
    const numbers = planNumbers(plan)
    expect(numbers).toMatchObject({ touched: 3, changes: 3, unread: 1, first: "2026-11-22T11:00:00Z" })
    expect(numbers.restarts.yes).toBe(1)
    expect(numbers.undo).toEqual({ yes: 1, partly: 0, no: 2, cannot_be_known: 0 })
    expect(numbers.skipped).toHaveLength(1)
    expect(numbers.waiting).toHaveLength(1)
    expect(numbers.packages).toEqual([
      { name: "a", from: ["1", "not installed"], to: ["2", "3"], hosts: 2 },
      { name: "b", from: ["1"], to: ["removed"], hosts: 1 }
    ])
  })
})

it("says why a host waits", () => {
  expect(waitWords({ code: "blocked_by_job", job_number: 12 }, "utc")).toContain("#12")
  expect(waitWords({ code: "blackout", window_id: "x", until: "2030-01-02T03:04:00Z" }, "utc")).toContain("2 Jan 2030")
})
