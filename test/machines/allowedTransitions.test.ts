import { expect, it } from "vitest"
import { LinkState, WorkState } from "#core/HostState.ts"
import { JobState } from "#core/JobState.ts"
import { allowedTransitions } from "#machines/allowedTransitions.ts"
import { hostStep } from "#machines/step.ts"
import { simulate } from "./simulation/simulate.ts"

const rows = allowedTransitions()
const key = ({ region, from, event, to }: (typeof rows)[number]): string => `${region} ${from} ${event} ${to}`
const keys = new Set(rows.map(key))

it("holds each row once, in the words of the core", () => {
  expect(keys.size).toBe(rows.length)
  const words: Record<string, ReadonlyArray<string>> = {
    link: LinkState.literals,
    work: WorkState.literals,
    job: JobState.literals
  }
  for (const { region, from, to } of rows) {
    expect(words[region]).toContain(from)
    expect(words[region]).toContain(to)
  }
})

it("knows what is allowed and what never is", () => {
  expect(keys).toContain("work patching.verifying evidence idle")
  expect(keys).toContain("work patching.verifying evidence retired")
  expect(keys).toContain("link healthy evidence retired")
  expect(keys).toContain("link healthy poll.failed unreachable")
  expect(keys).not.toContain("work patching.running job idle")
  expect(keys).not.toContain("work patching.dispatching resumed patching.dispatching")
  expect(keys).not.toContain("work settling.quiet resumed patching.dispatching")
  expect(rows.some(({ from }) => from === "retired")).toBe(false)
})

it("reaches `done` by evidence or by hand only", () => {
  const busy = /^(patching|rebooting|settling)/
  const events = rows
    .filter(({ region, from, to }) => region === "work" && busy.test(from) && to === "idle")
    .map(({ event }) => event)
  const neverDone = /^(cancel|retire|resumed|refused|unsent|unavailable|baseline|xstate\.after\.call\.preparing)$/
  expect([...new Set(events)].filter((event) => !neverDone.test(event))).toEqual(["evidence"])
})

it("is never left by simulated lives", { timeout: 60_000 }, () => {
  const { taken } = simulate(60, 500, { step: hostStep })
  expect(taken.size).toBeGreaterThan(50)
  for (const one of taken) expect(keys).toContain(one)
})
