import { describe, expect, it } from "vitest"
import { AgentFailureKind, agentFailureWords } from "#core/AgentFailure.ts"
import { eventWords, hostEventWords } from "#core/HostEventWords.ts"
import { type HostSummary, LinkState, summarise, WorkState } from "#core/HostState.ts"
import { JobHostState, jobHostStateOf, jobHostStateOfVerdict, openJobHostStates } from "#core/JobState.ts"
import { Verdict } from "#core/Order.ts"
import { allowedTransitions } from "#machines/allowedTransitions.ts"

/** What stands in a list for each kind of work; null means that the link decides. */
const summaryOfWork: Record<WorkState, HostSummary | null> = {
  idle: null,
  "patching.preparing": "patching",
  "patching.dispatching": "patching",
  "patching.running": "patching",
  "patching.verifying": "patching",
  "rebooting.leaving": "rebooting",
  "rebooting.away": "rebooting",
  "rebooting.returning": "rebooting",
  "settling.quiet": "checking",
  "settling.asking": "checking",
  "settling.inspecting": "checking",
  retrying: "retrying",
  failed: "failed",
  unresolved: "unresolved",
  retired: "retired"
}

describe("a host's one word", () => {
  it.each(WorkState.literals)("while its work is %s, over every link", (work) => {
    for (const link of LinkState.literals) {
      const expected = link === "retired" ? "retired" : (summaryOfWork[work] ?? link)
      expect(summarise(link, work), link).toBe(expected)
    }
  })
})

const stateOfWork: Record<WorkState, JobHostState> = {
  idle: "uncertain",
  "patching.preparing": "dispatching",
  "patching.dispatching": "dispatching",
  "patching.running": "running",
  "patching.verifying": "verifying",
  "rebooting.leaving": "rebooting",
  "rebooting.away": "rebooting",
  "rebooting.returning": "rebooting",
  "settling.quiet": "uncertain",
  "settling.asking": "uncertain",
  "settling.inspecting": "uncertain",
  retrying: "dispatching",
  failed: "uncertain",
  unresolved: "uncertain",
  retired: "uncertain"
}

const stateOfVerdict: Record<Verdict, JobHostState> = {
  done: "succeeded",
  nothing_to_do: "succeeded",
  not_effective: "failed",
  failed: "failed",
  refused: "failed",
  unavailable: "failed",
  no_return: "failed",
  deferred: "deferred",
  cancelled: "cancelled",
  unresolved: "uncertain",
  plan_changed: "failed",
  pre_check_failed: "failed",
  service_down: "failed",
  not_executed: "failed",
  stopped: "cancelled"
}

describe("a host within its job", () => {
  it.each(WorkState.literals)("whose work is %s", (work) => {
    expect(jobHostStateOf(work)).toBe(stateOfWork[work])
    expect(openJobHostStates).toContain(jobHostStateOf(work))
  })

  it.each(Verdict.literals)("whose order ended as %s", (verdict) => {
    expect(jobHostStateOfVerdict(verdict)).toBe(stateOfVerdict[verdict])
  })

  it("is open from dispatching on, and never when it waits or has ended", () => {
    const resting = ["queued", "waiting", "succeeded", "failed", "deferred", "cancelled"]
    expect(JobHostState.literals.filter((state) => !openJobHostStates.includes(state))).toEqual(resting)
  })
})

describe("words", () => {
  it("are there for every failure of a call, a sentence each and none twice", () => {
    expect(Object.keys(agentFailureWords).sort()).toEqual([...AgentFailureKind.literals].sort())
    for (const words of Object.values(agentFailureWords)) expect(words).toMatch(/^[A-Z].{15,}\.$/)
    expect(new Set(Object.values(agentFailureWords)).size).toBe(AgentFailureKind.literals.length)
  })

  it("are there for every event a transition row may hold", () => {
    const events = new Set(
      allowedTransitions()
        .filter(({ machine }) => machine === "host")
        .map(({ event }) => event)
    )
    for (const event of events) {
      expect(eventWords(event), event).not.toBe(event)
      expect(eventWords(event), event).not.toBe("Time ran out")
    }
    for (const words of Object.values(hostEventWords)) expect(words).toMatch(/^[A-Z]/)
  })
})
