import { beforeAll, describe, expect, it } from "vitest"
import { compare, kinds, randomFrom, readZones, ruleFrom } from "./compare.ts"

const SEED = 20_260

/** Two seconds of work, which a busy machine makes many of. */
const LONG = { timeout: 120_000 }

const dayBeside = (day: string, days: number): string =>
  new Date(Date.parse(day) + days * 86_400_000).toISOString().slice(0, 10)

const compareOnce = (zone: Parameters<typeof compare>[0], random: (below: number) => number) => {
  const rule = ruleFrom("once", random)
  const day = rule.kind === "once" ? rule.starts_on_local.slice(0, 10) : ""
  return compare(zone, rule, [dayBeside(day, -5), dayBeside(day, 5)])
}

let zones: ReturnType<typeof readZones>
beforeAll(() => {
  zones = readZones()
}, LONG.timeout)

describe(`fifty years in all zones, against a second computation (seed ${SEED})`, () => {
  it("knows every zone, and both tables tell nearly all of them alike", () => {
    expect(zones.zones.length + zones.differing.length).toBe(Intl.supportedValuesOf("timeZone").length)
    // Tables of different age differ in a few zones whose governments changed their minds.
    expect(zones.differing.length, zones.differing.join(" ")).toBeLessThan(12)
  })

  it("no zone changes its clocks twice within six days, which the calendar rests on", () => {
    let closest = Number.POSITIVE_INFINITY
    for (const { eras } of zones.zones) {
      eras.forEach((era, n) => {
        if (era.from > 0 && n > 0) closest = Math.min(closest, era.from - eras[n - 1]!.from)
      })
    }
    expect(closest / 86_400).toBeGreaterThan(6)
  })

  it("opens each occurrence exactly once: in each zone a monthly rule over all years, and others by seed", LONG, () => {
    const differences: Array<string> = []
    let compared = 0
    zones.zones.forEach((zone, n) => {
      const random = randomFrom(SEED + n)
      const kind = kinds[n % kinds.length]!
      const year = 2000 + random(48)
      const rules = [
        compare(zone, ruleFrom(random(2) === 0 ? "monthly_by_day" : "monthly_by_weekday", random)),
        compare(zone, ruleFrom("daily", random), [`${year}-01-01`, `${year + 1}-12-31`]),
        compareOnce(zone, random),
        compare(
          zone,
          ruleFrom(kind, random),
          [`${year}-01-01`, `${year + 1}-12-31`],
          [`${year}-03-31`, `${year}-10-31`]
        )
      ]
      for (const rule of rules) {
        compared += rule.compared
        differences.push(...rule.differences)
      }
    })
    expect(differences.slice(0, 20)).toEqual([])
    expect(compared).toBeGreaterThan(500_000)
  })
})
