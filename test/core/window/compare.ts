/** Rules by seed, and the comparison of both calendars over them. */
import type { Weekday, WindowCalendar, WindowRule } from "#core/Window.ts"
import { occurrences } from "#core/window/occurrences.ts"
import { openingsOf } from "./secondOpinion.ts"
import { agreesWithIntl, type Era, readEras } from "./zoneFiles.ts"

/** A small generator of our own, so that a seed means the same everywhere. */
export const randomFrom = (seed: number) => {
  let state = (seed * 2_654_435_761) >>> 0 || 1
  return (below: number): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state % below
  }
}

const weekdays: ReadonlyArray<Weekday> = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
/** Hours in which clocks are changed somewhere come more often than others. */
const hours = [0, 0, 0, 1, 1, 2, 2, 2, 3, 3, 4, 12, 22, 23]

const isFirst = <A>(value: A, at: number, all: ReadonlyArray<A>): boolean => all.indexOf(value) === at

export const kinds = ["once", "daily", "weekly", "monthly_by_day", "monthly_by_weekday"] as const

export const ruleFrom = (kind: (typeof kinds)[number], random: (below: number) => number): WindowRule => {
  const two = (number: number): string => String(number).padStart(2, "0")
  const starts_at_local = `${two(hours[random(hours.length)]!)}:${two(random(60))}`
  switch (kind) {
    case "once": {
      const day = new Date(Date.UTC(2000, 0, 1 + random(50 * 365))).toISOString().slice(0, 10)
      return { kind, starts_on_local: `${day}T${starts_at_local}` }
    }
    case "daily":
      return { kind, starts_at_local }
    case "weekly":
      return { kind, weekdays: [weekdays[random(7)]!, weekdays[random(7)]!].filter(isFirst), starts_at_local }
    case "monthly_by_day":
      return { kind, day: 1 + random(31), starts_at_local }
    case "monthly_by_weekday":
      return { kind, week: ([1, 2, 3, 4, "last"] as const)[random(5)]!, weekday: weekdays[random(7)]!, starts_at_local }
  }
}

export const FIRST_DAY = "2000-01-01"
export const LAST_DAY = "2049-12-31"
const from = Date.parse(FIRST_DAY) / 1000
const to = Date.parse("2050-01-01") / 1000

/** Zones of both tables, and those that the tables tell differently, which nothing can be compared in. */
export const readZones = () => {
  const zones: Array<{ readonly name: string; readonly eras: ReadonlyArray<Era> }> = []
  const differing: Array<string> = []
  for (const name of Intl.supportedValuesOf("timeZone")) {
    const eras = readEras(name, 2052)
    if (agreesWithIntl(name, eras, from - 3 * 86400, to + 3 * 86400)) zones.push({ name, eras })
    else differing.push(name)
  }
  return { zones, differing }
}

/** Occurrences compared, and the differences in words. */
export const compare = (
  zone: { readonly name: string; readonly eras: ReadonlyArray<Era> },
  rule: WindowRule,
  days: readonly [first: string, last: string] = [FIRST_DAY, LAST_DAY],
  blackout_dates: ReadonlyArray<string> = []
): { readonly compared: number; readonly differences: ReadonlyArray<string> } => {
  const calendar: WindowCalendar = { rule, time_zone: zone.name, duration_minutes: 90, blackout_dates }
  // Two days inside, so that both sides know every occurrence of the span.
  const begin = Date.parse(days[0]) + 2 * 86_400_000
  const end = Date.parse(days[1]) - 2 * 86_400_000
  const ours = occurrences(calendar, begin, end).map(({ opens_at }) => opens_at / 1000)
  const theirs = openingsOf(rule, zone.eras, days[0], days[1], blackout_dates).filter(
    (at) => at * 1000 >= begin && at * 1000 < end
  )
  const differences: Array<string> = []
  const expected = new Set(theirs)
  const found = new Set<number>()
  for (const at of ours) {
    if (found.has(at)) differences.push(`twice ${new Date(at * 1000).toISOString()}`)
    found.add(at)
    if (!expected.has(at)) differences.push(`only ours ${new Date(at * 1000).toISOString()}`)
  }
  for (const at of theirs) if (!found.has(at)) differences.push(`not ours ${new Date(at * 1000).toISOString()}`)
  return {
    compared: theirs.length,
    differences: differences.map((text) => `${zone.name} ${JSON.stringify(rule)}: ${text}`)
  }
}
