/** SIMULATION_LIVES sets how many; SIMULATION_SEED runs the one life of a failure again. */
import { expect, it } from "vitest"
import { JobState } from "#core/JobState.ts"
import { allowedTransitions } from "#machines/allowedTransitions.ts"
import { jobMachineVersion } from "#machines/jobMachine.ts"
import { jobStep } from "#machines/jobStep.ts"
import { describeBrokenJobs, simulateJobs } from "./simulation/simulateJobs.ts"

const lives = Number(process.env["SIMULATION_LIVES"] ?? 500)
const seed = process.env["SIMULATION_SEED"]

it("keeps every invariant, whatever happens in whatever order", { timeout: 120_000 }, () => {
  const total =
    seed === undefined ? simulateJobs(lives, 1, { step: jobStep }) : simulateJobs(1, Number(seed), { step: jobStep })
  expect(describeBrokenJobs(total)).toBe("")
  if (seed !== undefined) return
  expect([...total.states].toSorted()).toEqual([...JobState.literals].toSorted())
  expect(total.crashes).toBeGreaterThan(lives / 10)
  expect(total.alarms).toBeGreaterThan(0)
  for (const verdict of ["done", "failed", "deferred", "cancelled", "stopped", "unavailable"])
    expect(total.verdicts).toContain(verdict)
  for (const reason of [
    "wave_not_reached",
    "paused",
    "scheduled",
    "waiting_for_window",
    "window_too_short",
    "blackout"
  ])
    expect(total.reasons).toContain(reason)
})

it("takes every way that the machine has", { timeout: 120_000 }, () => {
  const { taken } = simulateJobs(Math.max(lives, 600), 100_000, { step: jobStep })
  const ways = allowedTransitions().filter(({ machine, version }) => machine === "job" && version === jobMachineVersion)
  const ended = new Set(["succeeded", "partially_failed", "failed", "cancelled"])
  const missed = ways
    .filter(({ from, to }) => from !== to && !(ended.has(from) && ended.has(to)))
    .map(({ from, event, to }) => `${from} ${event} ${to}`)
    .filter((way) => !taken.has(way))
  const unlikely = [
    // Jobs of version 1.
    "queued start running",
    // All hosts end before the job was looked at, or in a state in which none is at work.
    "queued counts succeeded",
    "queued counts partially_failed",
    "queued counts cancelled",
    "waiting counts succeeded",
    "waiting counts cancelled",
    "paused counts cancelled",
    // A done host moves again, or one of a job that was cancelled in time.
    "succeeded counts running",
    "cancelled counts running"
  ]
  expect(missed.filter((way) => !unlikely.includes(way))).toEqual([])
})

it("notices a claim that looks at nothing but the order", () => {
  const total = simulateJobs(150, 1, { step: jobStep, claimChecks: false })
  expect(describeBrokenJobs(total)).toMatch(/started after|more hosts at work/)
})
