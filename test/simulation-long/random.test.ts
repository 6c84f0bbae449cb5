/**
 * RANDOM_RUNS sets how many seeds, RANDOM_SEED the first: RANDOM_SEED=7 RANDOM_RUNS=1 repeats one. RANDOM_SCALE=0.2 takes a fifth of
 * the jobs and hosts, RANDOM_QUIET the seconds of quiet, for a machine that does other things too.
 */
import { expect, it } from "vitest"
import { randomRun } from "./randomRun.ts"

const number = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise)
const first = number("RANDOM_SEED", 1)
const scale = number("RANDOM_SCALE", 1)
const [jobs, hosts] = [Math.ceil(300 * scale), Math.ceil(200 * scale)]

it.each(Array.from({ length: number("RANDOM_RUNS", 3) }, (_, index) => first + index))(
  `${jobs} jobs over ${hosts} hosts, everything breaking, seed %i: nothing twice, nothing lost, nothing late`,
  { timeout: 600_000 },
  async (seed) => {
    const { twice, lost, late, invariants, ...report } = await randomRun({
      seed,
      jobs,
      hosts,
      seconds: 25,
      quiet_seconds: number("RANDOM_QUIET", 180)
    })
    console.info(`seed ${seed}: ${JSON.stringify(report)}`)
    expect({ twice, lost, late, invariants }).toEqual({ twice: [], lost: [], late: [], invariants: [] })
    expect(report.settled_by_hand).toBeLessThanOrEqual(jobs / 50)
    expect(report.kills).toBeGreaterThan(0)
    expect(report.restarts).toBeGreaterThan(0)
    expect(report.applied).toBeGreaterThan(jobs / 5)
  }
)
