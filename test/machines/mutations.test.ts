/** A safeguard that can be taken out without anything turning red guards nothing. */
import { describe, expect, it } from "vitest"
import { hostStep } from "#machines/step.ts"
import { type Mutation, mutations } from "./mutations.ts"
import {
  aRollbackThatNeverBeginsEnds,
  aServiceMayRestart,
  bootIsSeenByElapsedTime,
  crashesDoNotMoveDeadlines,
  lateReadIsDropped,
  oneReadIsNotEnough,
  pauseOutlastsARequest
} from "./scenarios.ts"
import { simulate } from "./simulation/simulate.ts"

const found = (mutation: Mutation, lives: number, firstSeed = 1, lateness_ms = 25_000): string =>
  simulate(lives, firstSeed, { step: mutations[mutation](), lateness_ms })
    .broken.flatMap(({ broken }) => broken)
    .join("\n")

describe("found by simulated lives", { timeout: 60_000 }, () => {
  it("sending again after a restart", () => expect(found("resendOnResume", 40)).toContain("is sent twice"))
  it("trying again without a clear answer", () =>
    expect(found("retryOnUnclear", 100, 350)).toContain("was closed as without effect, but had one"))
  it("not asking for the agent's jobs", () =>
    expect(found("skipJobList", 45)).toContain("was closed as without effect, but had one"))
  it("trusting the agent's word", () => expect(found("trustCompleted", 40)).toContain("is done without evidence"))
  it("a run without deadline", () => expect(found("noRunDeadline", 5)).toContain("no deadline in patching.running"))
  it("a pause shorter than a request in flight", () =>
    expect(found("shortQuiet", 65, 1, 400_000)).toContain("was closed as without effect, but had one"))
  it("taking what was not planned", () => expect(found("ignoredPlan", 40)).toContain("planned was"))
  it("no pre-check", () => expect(found("ignoredPreCheck", 90, 30)).toContain("is sent though a service is down"))
  it("work that does not fit its window", () =>
    expect(found("ignoredLength", 60, 45)).toContain("is sent and does not fit its window"))
  it("no look at the services afterwards", () =>
    expect(found("ignoredServices", 50, 60)).toContain("is done though nginx went down"))
})

describe("found by a directed test", () => {
  it("taking any answer for the one that was asked for", () =>
    expect(() => lateReadIsDropped(mutations.noCallMatching())).toThrow())
  it("one read instead of two", () => expect(() => oneReadIsNotEnough(mutations.oneRead())).toThrow())
  it("entering the state again after a restart", () =>
    expect(() => crashesDoNotMoveDeadlines(mutations.reenterOnResume())).toThrow())
  it("comparing uptimes as numbers", () => expect(() => bootIsSeenByElapsedTime(mutations.plainUptime())).toThrow())
  it("waiting for a rollback that never begins", () =>
    expect(() => aRollbackThatNeverBeginsEnds(mutations.patientRollback())).toThrow())
  it("no patience with a service that restarts", () =>
    expect(() => aServiceMayRestart(mutations.impatientServices())).toThrow())
  it("a short pause", () => expect(() => pauseOutlastsARequest(mutations.shortQuiet())).toThrow())
})

it("deadlines alone are enough: nothing breaks without `resumed`", { timeout: 60_000 }, () => {
  expect(simulate(60, 1, { step: hostStep, resumed: false }).broken).toEqual([])
})
