/** Every rule kind in every zone over fifty years, against the second computation. */
import { describe, expect, it } from "vitest"
import { compare, kinds, randomFrom, readZones, ruleFrom } from "#test/core/window/compare.ts"
import { compareFirings } from "#test/core/window/compareFirings.ts"

const first = Number(process.env["SIMULATION_FIRST_SEED"] ?? 1)

describe(`fifty years of windows in all zones (from seed ${first})`, () => {
  const { zones } = readZones()

  it.each(kinds)("%s", { timeout: 600_000 }, (kind) => {
    const differences: Array<string> = []
    let compared = 0
    zones.forEach((zone, n) => {
      const result = compare(zone, ruleFrom(kind, randomFrom(first * 1000 + n)))
      compared += result.compared
      differences.push(...result.differences)
    })
    process.stdout.write(`windows ${kind}: ${compared} occurrences in ${zones.length} zones\n`)
    expect(differences.slice(0, 20)).toEqual([])
    expect(compared).toBeGreaterThan(300)
  })
})

it(`what is simulated is what the scheduler does, in 10,000 cases (from seed ${first})`, { timeout: 600_000 }, () => {
  const { differences, seen } = compareFirings(10_000, first)
  process.stdout.write(`openings by outcome: ${JSON.stringify(seen)}\n`)
  expect(differences.slice(0, 10)).toEqual([])
})
