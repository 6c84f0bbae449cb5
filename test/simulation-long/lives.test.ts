/** The long run of the host machine's simulation, in slices whose seeds stand in the test's name; LIVES sets how many. */
import { appendFileSync } from "node:fs"
import { afterAll, describe, expect, it } from "vitest"
import { WorkState } from "#core/HostState.ts"
import { Verdict } from "#core/Order.ts"
import { hostStep } from "#machines/step.ts"
import { describeBroken, simulate } from "#test/machines/simulation/simulate.ts"

const lives = Number(process.env["LIVES"] ?? process.env["SIMULATION_LIVES"] ?? 20_000)
const first = Number(process.env["SIMULATION_FIRST_SEED"] ?? 1)
const slice = 1000
const slices = Array.from({ length: Math.ceil(lives / slice) }, (_, n) => first + n * slice)
const reached = new Set<string>()
const endings: Record<string, number> = {}
const sum = { lives: 0, events: 0, crashes: 0, sends: 0, starts: 0 }

describe("simulated lives", () => {
  it.each(slices)("seeds from %i", { timeout: 300_000 }, (from) => {
    const count = Math.min(slice, first + lives - from)
    const total = simulate(count, from, { step: hostStep })
    sum.lives += count
    sum.events += total.events
    sum.crashes += total.crashes
    sum.sends += total.sends
    sum.starts += total.starts
    for (const place of total.places) reached.add(place.split(" ")[1] ?? "")
    for (const [verdict, many] of Object.entries(total.endings)) endings[verdict] = (endings[verdict] ?? 0) + many
    expect(describeBroken(total)).toBe("")
  })

  it("reached every state and every ending", () => {
    expect([...reached].sort()).toEqual([...WorkState.literals].sort())
    // The job alone stops hosts that were never started.
    expect(Object.keys(endings).sort()).toEqual(Verdict.literals.filter((one) => one !== "stopped").sort())
  })

  it("also without being told of a restart", { timeout: 300_000 }, () => {
    expect(describeBroken(simulate(slice, first, { step: hostStep, resumed: false }))).toBe("")
  })

  afterAll(() => {
    const line = `simulated from seed ${first}: ${JSON.stringify({ ...sum, endings })}`
    process.stdout.write(`${line}\n`)
    const file = process.env["SIMULATION_REPORT"]
    if (file !== undefined) appendFileSync(file, `${line}\n`)
  })
})
