/** A safeguard that can be taken out without anything turning red guards nothing. */
import { describe, expect, it } from "vitest"
import { hostStep } from "#machines/step.ts"
import { type Mutation, mutations } from "./mutations.ts"
import {
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
    expect(found("retryOnUnclear", 60)).toContain("was closed as without effect, but had one"))
  it("not asking for the agent's jobs", () =>
    expect(found("skipJobList", 45)).toContain("was closed as without effect, but had one"))
  it("trusting the agent's word", () => expect(found("trustCompleted", 40)).toContain("is done without evidence"))
  it("a run without deadline", () => expect(found("noRunDeadline", 5)).toContain("no deadline in patching.running"))
  it("a pause shorter than a request in flight", () =>
    expect(found("shortQuiet", 60, 1, 400_000)).toContain("was closed as without effect, but had one"))
})

describe("found by a directed test", () => {
  it("taking any answer for the one that was asked for", () =>
    expect(() => lateReadIsDropped(mutations.noCallMatching())).toThrow())
  it("one read instead of two", () => expect(() => oneReadIsNotEnough(mutations.oneRead())).toThrow())
  it("entering the state again after a restart", () =>
    expect(() => crashesDoNotMoveDeadlines(mutations.reenterOnResume())).toThrow())
  it("comparing uptimes as numbers", () => expect(() => bootIsSeenByElapsedTime(mutations.plainUptime())).toThrow())
  it("a short pause", () => expect(() => pauseOutlastsARequest(mutations.shortQuiet())).toThrow())
})

it("deadlines alone are enough: nothing breaks without `resumed`", { timeout: 60_000 }, () => {
  expect(simulate(60, 1, { step: hostStep, resumed: false }).broken).toEqual([])
})
