/** RANDOM_RUNS sets how many seeds, RANDOM_SEED the first: RANDOM_SEED=7 RANDOM_RUNS=1 repeats one. */
import { expect, it } from "vitest"
import { randomRun } from "./randomRun.ts"

const first = Number(process.env["RANDOM_SEED"] ?? 1)
const runs = Number(process.env["RANDOM_RUNS"] ?? 3)

it.each(Array.from({ length: runs }, (_, index) => first + index))(
  "300 jobs over 200 hosts, everything breaking, seed %i: nothing twice, nothing lost, nothing late",
  { timeout: 240_000 },
  async (seed) => {
    const { twice, lost, late, invariants, ...report } = await randomRun({
      seed,
      jobs: Number(process.env["RANDOM_JOBS"] ?? 300),
      hosts: Number(process.env["RANDOM_HOSTS"] ?? 200),
      seconds: Number(process.env["RANDOM_SECONDS"] ?? 25)
    })
    console.info(`seed ${seed}: ${JSON.stringify(report)}`)
    expect({ twice, lost, late, invariants }).toEqual({ twice: [], lost: [], late: [], invariants: [] })
    expect(report.kills).toBeGreaterThan(2)
    expect(report.restarts).toBeGreaterThan(0)
    expect(report.applied).toBeGreaterThan(100)
  }
)
