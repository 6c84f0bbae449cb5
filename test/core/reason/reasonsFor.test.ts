import { describe, expect, it } from "vitest"
import { HoldId } from "#core/Ids.ts"
import { ReasonCode } from "#core/Reason.ts"
import type { ReasonHost } from "#core/reason/ReasonFacts.ts"
import { reasonsFor } from "#core/reason/reasonsFor.ts"
import {
  anEndedShare,
  anOpenShare,
  aReasonHost,
  aWindow,
  effective,
  hostId,
  HOUR,
  NOON,
  patch
} from "../plan/planFixtures.ts"

const of = (more: Partial<ReasonHost>) => reasonsFor(aReasonHost(more), NOON)
const at = (hours: number): string => new Date(NOON + hours * HOUR).toISOString()
const night = effective(aWindow(22))
const job = (more: object) => anOpenShare({ job: { ...anOpenShare().job, ...more } })
const hold = { hold_id: HoldId.make(hostId(9)), pattern: "cu*", reason: "The proxy breaks.", until_ms: NOON + HOUR }
const apply = {
  selection: { kind: "security" as const },
  reboot: "never" as const,
  reboot_delay_seconds: 0,
  max_concurrency: 1,
  on_change: "take" as const
}

/** Each cause, and the sentence of it; the package has the same one unless said otherwise. */
type Cause = readonly [what: string, host: Partial<ReasonHost>, code: string, words: RegExp, ofPackage?: string]
const causes: ReadonlyArray<Cause> = [
  ["nothing is pending", { patches: [] }, "up_to_date", /Nothing is pending/],
  ["the list was never read", { patches: null }, "unknown", /not been read yet/],
  [
    "the list is older than the run",
    { ended: [anEndedShare({ finished_at: NOON })] },
    "unknown",
    /ended after the patch list was read/
  ],
  ["a job is at work", { open: [anOpenShare({ state: "running" })] }, "in_progress", /Job 7 is at work/],
  ["nothing is in the way", { open: [job({ when: { kind: "immediate" } })] }, "starting", /starts now/],
  [
    "the clocks differ",
    { skew_ms: -61_400, open: [job({ when: { kind: "immediate" } })] },
    "clock_skew",
    /clocks of the database and of the worker differ by 61 s/
  ],
  [
    "it waits for a window",
    { open: [anOpenShare()], windows: night },
    "waiting_for_window",
    /waits for “Window 22”, which opens at 2026-11-04 22:00/
  ],
  [
    "what is left of the window is too short",
    { open: [anOpenShare({ order: { wave: 1, expected_seconds: 4000 } })], windows: effective(aWindow(11)) },
    "window_too_short",
    /expected to take 4000 s.*closes at 2026-11-04 13/
  ],
  [
    "its time has not come",
    { open: [job({ when: { kind: "at", at: NOON + HOUR } })], windows: night },
    "scheduled",
    /starts at 2026-11-04 13/
  ],
  [
    "a blackout is on",
    {
      open: [job({ when: { kind: "immediate" } })],
      windows: effective(aWindow(11, { kind: "blackout", name: "Freeze" }))
    },
    "blackout",
    /the blackout “Freeze” ends at 2026-11-04 13/
  ],
  [
    "a job waits and no window covers it",
    { open: [anOpenShare()] },
    "no_window",
    /Job 7 waits for a window, and no window covers/
  ],
  ["no job and no window", {}, "no_window", /No job is ordered for it, and no window/],
  [
    "none of its windows opens again",
    { windows: effective(aWindow(1, { rule: { kind: "once", starts_on_local: "2026-01-01T01:00" } })) },
    "no_window",
    /none of its windows opens again/
  ],
  [
    "another job has the host",
    { open: [anOpenShare({ job: { ...anOpenShare().job, when: { kind: "immediate" } }, busy_with: 3 })] },
    "blocked_by_job",
    /waits for job 3/
  ],
  [
    "as many are at work as may be",
    { open: [job({ when: { kind: "immediate" }, open: 10 })] },
    "concurrency_limit",
    /10 hosts at a time/
  ],
  [
    "its wave is not reached",
    { open: [anOpenShare({ order: { wave: 3, expected_seconds: 1 } })] },
    "wave_not_reached",
    /wave 3 and is still at wave 1/
  ],
  ["the job is paused", { open: [job({ paused_by: "ann" })] }, "paused", /paused by ann/],
  ["too many others failed", { open: [job({ stopped_reason: "4 hosts failed." })] }, "error_limit", /4 hosts failed/],
  ["the error limit ended it", { ended: [anEndedShare({ verdict: "stopped" })] }, "error_limit", /Job 6: Said so/],
  [
    "somebody has to decide",
    { unresolved: true, open: [job({ when: { kind: "immediate" } })] },
    "needs_decision",
    /settle it by hand/
  ],
  ["somebody has to decide, without another job", { unresolved: true }, "needs_decision", /unknown/, "no_window"],
  ["it is held", { holds: [hold], open: [anOpenShare({ planned: [] })] }, "no_window", /Job 7/, "held"],
  ["all of it is held", { holds: [hold] }, "held", /The proxy breaks. Until 2026-11-04 13/],
  [
    "the host's package manager keeps it back",
    { ended: [anEndedShare({ verdict: "not_effective" })] },
    "kept_back",
    /keeps it back/
  ],
  ["done, and still offered", { ended: [anEndedShare()] }, "kept_back", /keeps it back/],
  [
    "the agent is away",
    { link: "unreachable", link_reason: "connection refused" },
    "unreachable",
    /since 2026-11-04 11:00.*refused/
  ],
  [
    "the agent is away and a job would try",
    { link: "unreachable", open: [job({ when: { kind: "immediate" } })] },
    "unreachable",
    /tried nevertheless/
  ],
  [
    "the agent was away for the job",
    { link: "unreachable", ended: [anEndedShare({ verdict: "unavailable" })] },
    "unreachable",
    /Job 6/
  ],
  [
    "the agent was away for the job and is back",
    { ended: [anEndedShare({ verdict: "unavailable" })] },
    "failed",
    /Job 6/
  ],
  [
    "it failed",
    { ended: [anEndedShare({ verdict: "failed", message: "dpkg was interrupted." })] },
    "failed",
    /Job 6: dpkg was interrupted/
  ],
  ["a pre-check stopped it", { ended: [anEndedShare({ verdict: "pre_check_failed" })] }, "failed", /Job 6/],
  ["the plan had changed", { ended: [anEndedShare({ verdict: "plan_changed" })] }, "plan_changed", /Job 6/],
  ["no window had room", { ended: [anEndedShare({ verdict: "deferred" })] }, "deferred", /Job 6/],
  ["it was cancelled", { ended: [anEndedShare({ verdict: "cancelled" })] }, "cancelled", /Job 6/],
  ["nobody has ordered it", { windows: night }, "not_ordered", /“Window 22” opens at 2026-11-04 22/],
  [
    "the window orders it itself",
    { windows: effective(aWindow(22, { auto_apply: apply })) },
    "waiting_for_window",
    /makes one when it opens/
  ],
  ["the host is on its way out", { leaving: true }, "leaving", /being removed/],
  ["the host is parked", { parked_reason: "Its snapshot is of version 9.", lost: true }, "parked", /version 9/]
]

describe("one answer a host and a package", () => {
  for (const [what, host, code, words, ofPackage] of causes) {
    it(what, () => {
      const { host: reason, packages } = of(host)
      expect(reason.code).toBe(code)
      expect(reason.message).toMatch(words)
      // Moments are for people: to the minute, with their zone.
      expect(reason.message).not.toMatch(/\dT\d/)
      for (const one of packages) expect(one.reason.code).toBe(ofPackage ?? code)
    })
  }

  it("every cause has its test", () => {
    const seen = new Set(causes.flatMap(([, , code, , ofPackage]) => [code, ofPackage]))
    expect(ReasonCode.literals.filter((code) => !seen.has(code))).toEqual([])
  })
})

describe("packages of one host have their own answers", () => {
  const patches = [patch("curl", "8.0", "8.1", true), patch("jq", "1.6", "1.7"), patch("vim", "1", "2")]
  const codes = (more: Partial<ReasonHost>) =>
    Object.fromEntries(of({ patches, ...more }).packages.map(({ name, reason }) => [name, reason.code]))

  it("a job covers what it was planned for", () => {
    const open = [anOpenShare({ planned: [{ name: "jq", from: "1.6", to: "1.7" }] })]
    expect(codes({ open, windows: night })).toEqual({
      curl: "not_ordered",
      jq: "waiting_for_window",
      vim: "not_ordered"
    })
  })
  it("a job without a plan covers what it selects", () => {
    const open = [anOpenShare({ selection: { kind: "security" } })]
    expect(codes({ open, windows: night })).toEqual({
      curl: "waiting_for_window",
      jq: "not_ordered",
      vim: "not_ordered"
    })
  })
  it("a window that takes security patches leaves the others", () => {
    const windows = effective(aWindow(22, { auto_apply: apply }))
    expect(codes({ windows })).toEqual({ curl: "waiting_for_window", jq: "not_ordered", vim: "not_ordered" })
  })
  it("a failure about another version is history", () => {
    const ended = [anEndedShare({ verdict: "failed", changes: [{ name: "curl", from: "8.0", to: "8.0.5" }] })]
    expect(codes({ ended }).curl).toBe("no_window")
  })
  it("the one that starts soonest counts", () => {
    const open = [
      anOpenShare(),
      anOpenShare({ job_number: 8, job: { ...anOpenShare().job, when: { kind: "at", at: NOON + HOUR } } })
    ]
    expect(of({ open, windows: night }).host).toMatchObject({ code: "scheduled", until: at(1), job: { number: 8 } })
  })
  it("what somebody can act on is the host's answer", () => {
    const ended = [
      anEndedShare({ verdict: "done", changes: [{ name: "curl", from: "8.0", to: "8.1" }] }),
      anEndedShare({ verdict: "failed", changes: [{ name: "jq", from: "1.6", to: "1.7" }] })
    ]
    expect(of({ patches, ended }).host.code).toBe("failed")
  })
})
