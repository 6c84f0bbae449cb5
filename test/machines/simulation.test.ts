/** SIMULATION_LIVES sets how many; SIMULATION_SEED runs the one life of a failure again. */
import { expect, it } from "vitest"
import { Verdict } from "#core/Order.ts"
import { hostStep } from "#machines/step.ts"
import { describeBroken, simulate } from "./simulation/simulate.ts"

const lives = Number(process.env["SIMULATION_LIVES"] ?? 1500)
const seed = process.env["SIMULATION_SEED"]

it("nothing is sent or applied twice, done without evidence, or stuck", { timeout: 180_000 }, () => {
  const total =
    seed === undefined ? simulate(lives, 1, { step: hostStep }) : simulate(1, Number(seed), { step: hostStep })
  expect(describeBroken(total)).toBe("")
  if (seed !== undefined) return
  expect(total.crashes).toBeGreaterThan(lives)
  // The job alone stops hosts that were never started.
  for (const verdict of Verdict.literals)
    if (verdict !== "stopped") expect(total.endings[verdict] ?? 0, verdict).toBeGreaterThan(0)
})
