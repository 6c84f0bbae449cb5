import { describe, expect, it } from "vitest"
import { HoldId } from "#core/Ids.ts"
import { makePlan } from "#core/plan/makePlan.ts"
import type { PlanHost, PlanJob } from "#core/plan/PlanFacts.ts"
import { planDifferences, planText } from "#core/plan/planText.ts"
import { resolveErrorLimit, resolveWaves, waveAt } from "#core/plan/waves.ts"
import { aPlanHost, aPlanJob, aWindow, effective, hostId, HOUR, NOON, patch } from "./planFixtures.ts"

const plan = (job: Partial<PlanJob>, ...hosts: ReadonlyArray<Partial<PlanHost>>) =>
  makePlan(
    aPlanJob(job),
    hosts.map((host, n) => aPlanHost({ host_id: hostId(n + 1), ...host })),
    NOON
  ).map(({ shown }) => shown)
const one = (job: Partial<PlanJob>, host: Partial<PlanHost> = {}) => plan(job, host)[0]!
const at = (hours: number): string => new Date(NOON + hours * HOUR).toISOString()

describe("waves", () => {
  it.each([
    [[], 5, [5]],
    [[{ hosts: 1 }], 5, [1, 4]],
    [[{ hosts: 1 }, { percent: 50 }], 5, [1, 3, 1]],
    [[{ percent: 1 }], 3, [1, 2]],
    [[{ hosts: 9 }, { hosts: 1 }], 5, [5]],
    [[{ percent: 100 }], 5, [5]]
  ])("%j of %i hosts are %j", (waves, hosts, sizes) => {
    expect(resolveWaves(waves, hosts)).toEqual(sizes)
  })
  it("give each host its wave", () => {
    expect([0, 1, 3, 4].map((index) => waveAt([1, 3, 1], index))).toEqual([1, 2, 2, 3])
  })
  it("and the error limit is resolved too", () => {
    expect(
      [undefined, { hosts: 0 }, { percent: 10 }, { percent: 10 }].map((limit, n) =>
        resolveErrorLimit(limit, [9, 9, 9, 25][n]!)
      )
    ).toEqual([null, 0, 0, 2])
  })
})

describe("when it starts", () => {
  const night = effective(aWindow(22))
  it("at once, where it is immediate", () => {
    expect(one({})).toMatchObject({ starts_at: at(0), waits_for: null })
  })
  it("when the window opens", () => {
    expect(one({ when: { kind: "next_window" } }, { windows: night })).toMatchObject({
      starts_at: at(10),
      waits_for: { code: "waiting_for_window", at: at(10) }
    })
  })
  it("in the next window, where this one is too short", () => {
    expect(
      one({ when: { kind: "next_window" } }, { windows: effective(aWindow(11)), expected_seconds: 4000 })
    ).toMatchObject({
      starts_at: at(23),
      waits_for: { code: "window_too_short" }
    })
  })
  it("never, where no window covers it", () => {
    expect(one({ when: { kind: "next_window" } })).toMatchObject({ starts_at: null, waits_for: { code: "no_window" } })
  })
  it("after the blackout", () => {
    const blackout = aWindow(11, { kind: "blackout", name: "Freeze" })
    expect(one({}, { windows: effective(blackout) })).toMatchObject({
      starts_at: at(1),
      waits_for: { code: "blackout" }
    })
    expect(one({ ignore_blackout: true }, { windows: effective(blackout) })).toMatchObject({ starts_at: at(0) })
  })
  it("at its time", () => {
    expect(one({ when: { kind: "at", at: at(10.5) } }, { windows: night })).toMatchObject({
      starts_at: at(10.5),
      waits_for: { code: "scheduled" }
    })
  })
  it("nobody knows, while another job or a decision is in the way", () => {
    expect(one({}, { busy_with: 3 })).toMatchObject({
      starts_at: null,
      waits_for: { code: "blocked_by_job", job_number: 3 }
    })
    expect(one({}, { unresolved: true })).toMatchObject({ starts_at: null, waits_for: { code: "needs_decision" } })
  })
  it("by then another job has ended, as far as can be said", () => {
    expect(one({ when: { kind: "next_window" } }, { windows: night, busy_with: 3 })).toMatchObject({
      starts_at: at(10)
    })
  })
  it("in its wave, and as many at once as there may be", () => {
    const shown = plan({ waves: [3, 1], max_concurrency: 2 }, {}, {}, {}, {})
    expect(shown.map(({ wave, starts_at, waits_for }) => [wave, starts_at !== null, waits_for?.code])).toEqual([
      [1, true, undefined],
      [1, true, undefined],
      [1, false, "concurrency_limit"],
      [2, false, "wave_not_reached"]
    ])
  })
})

describe("what changes", () => {
  const names = (host: { readonly changes: ReadonlyArray<{ readonly name: string }> | null }) =>
    host.changes?.map(({ name }) => name)
  it("is what is selected", () => {
    expect(names(one({}))).toEqual(["curl", "jq"])
    expect(names(one({ selection: { kind: "security" } }))).toEqual(["curl"])
    expect(names(one({ selection: { kind: "packages", names: ["jq", "nothing"] } }))).toEqual(["jq"])
  })
  it("of an install is the version asked for, unless it is there", () => {
    const install = {
      kind: "package_install",
      packages: [
        { name: "curl", version: "8.0" },
        { name: "vim", version: null }
      ]
    } as const
    expect(one(install).changes).toEqual([{ name: "vim", from: null, to: null, goal: "present" }])
  })
  it("of an update is what is offered", () => {
    expect(one({ kind: "package_update", packages: [{ name: "jq", version: null }] }).changes).toEqual([
      { name: "jq", from: "1.6", to: "1.7", goal: "at_least" }
    ])
    expect(one({ kind: "package_update", packages: [{ name: "vim", version: null }] }).skipped).toBe("nothing_to_do")
  })
  it("of a removal is the package gone", () => {
    expect(one({ kind: "package_remove", packages: [{ name: "jq", version: null }] }).changes).toEqual([
      { name: "jq", from: "1.6", to: null, goal: "absent" }
    ])
  })
  it("is not known before the lists were read", () => {
    expect(one({}, { patches: null }).changes).toBe(null)
    expect(
      one({ kind: "package_remove", packages: [{ name: "jq", version: null }] }, { installed: null }).changes
    ).toBe(null)
  })
  it("leaves out what is held at that moment", () => {
    const hold = { hold_id: HoldId.make(hostId(9)), pattern: "c*", reason: "frozen", until_ms: NOON + HOUR }
    expect(one({}, { holds: [hold] })).toMatchObject({
      held: [{ name: "curl", reason: "frozen", until: at(1) }],
      changes: [{ name: "jq" }]
    })
    expect(one({}, { holds: [{ ...hold, until_ms: NOON }] }).held).toEqual([])
    expect(one({ selection: { kind: "security" } }, { holds: [hold] }).skipped).toBe("all_held")
  })
  it("names what is skipped", () => {
    expect([
      one({}, { patches: [] }).skipped,
      one({}, { leaving: true }).skipped,
      one({}, { parked: true }).skipped
    ]).toEqual(["nothing_to_do", "leaving", "parked"])
  })
})

describe("whether it restarts", () => {
  it.each<[string, Partial<PlanJob>, Partial<PlanHost>, string]>([
    ["never", {}, { reboot_needed: true }, "no"],
    ["always", { reboot: "always" }, { patches: [] }, "yes"],
    ["a restart", { kind: "reboot" }, {}, "yes"],
    ["is owed already", { reboot: "if_needed" }, { reboot_needed: true }, "yes"],
    ["will be seen", { reboot: "if_needed" }, {}, "if_needed"],
    ["nothing changes", { reboot: "if_needed" }, { patches: [] }, "no"],
    ["an old agent", { reboot: "if_needed" }, { agent_version: "2.4.0", reboot_needed: null }, "cannot_be_known"]
  ])("%s", (_what, job, host, reboot) => {
    expect(one(job, host).reboot).toBe(reboot)
  })
})

describe("warnings", () => {
  it.each<[string, Partial<PlanJob>, Partial<PlanHost>, RegExp]>([
    ["away", {}, { link: "unreachable" }, /does not answer \(last seen 2026/],
    ["never seen", {}, { link: "unknown" }, /not answered yet/],
    ["degraded", { pre_check: { degraded: "stop", unknown: "go" } }, { link: "degraded" }, /pre-check will stop/],
    ["old list", {}, { patches_read_at: NOON - 30 * HOUR }, /may be newer/],
    ["services", {}, { services: ["nginx"], agent_version: "1.0.0" }, /Services cannot be checked/],
    [
      "database",
      { pre_check: { degraded: "go", unknown: "stop" } },
      { agent_version: "2.4.0" },
      /package database cannot be checked/
    ]
  ])("%s", (_what, job, host, words) => {
    expect(one(job, host).warnings.join()).toMatch(words)
  })
})

describe("the canonical text", () => {
  it("does not count the order of hosts and packages, but everything that will happen", () => {
    const [a, b] = plan({}, {}, { patches: [patch("jq", "1.6", "1.7"), patch("curl", "8.0", "8.1", true)] })
    expect(planText([a!, b!])).toBe(planText([b!, a!]))
    expect(planText([{ ...b!, host_id: a!.host_id }])).toBe(planText([a!]))
    for (const other of [{ wave: 2 }, { reboot: "yes" as const }, { changes: [] }, { changes: null }]) {
      expect(planText([{ ...a!, ...other }])).not.toBe(planText([a!]))
    }
    expect(planText([{ ...a!, starts_at: null, warnings: ["x"], expected_seconds: 9 }])).toBe(planText([a!]))
  })
  it("says what differs", () => {
    const [a, b] = plan({}, {}, {})
    const name = (id: string) => (id === a!.host_id ? "a" : "b")
    expect(planDifferences(planText([a!]), planText([{ ...a!, wave: 2, reboot: "yes" }]), name, 9)).toEqual([
      'a: wave 2 instead of 1, restart "yes" instead of "no".'
    ])
    expect(planDifferences(planText([a!]), planText([b!]), name, 9)).toEqual([
      "a: not in the plan any more.",
      "b: not in the plan before."
    ])
  })
})
