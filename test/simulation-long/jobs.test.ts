/** Ten thousand jobs' lives by seed. SIMULATION_JOBS sets how many. */
import { expect, it } from "vitest"
import { JobState } from "#core/JobState.ts"
import { jobStep } from "#machines/jobStep.ts"
import { describeBrokenJobs, simulateJobs } from "#test/machines/simulation/simulateJobs.ts"

const lives = Number(process.env["SIMULATION_JOBS"] ?? 10_000)

it(`keeps every invariant over ${lives} jobs`, { timeout: 600_000 }, () => {
  const total = simulateJobs(lives, 1_000_000, { step: jobStep })
  console.info(
    `${lives} jobs from seed 1000000: ${total.starts} hosts started, ${total.crashes} crashes, ${total.alarms} alarms, ` +
      `${total.taken.size} ways taken, ${total.broken.length} broken`
  )
  expect(describeBrokenJobs(total)).toBe("")
  expect([...total.states].toSorted()).toEqual([...JobState.literals].toSorted())
})
