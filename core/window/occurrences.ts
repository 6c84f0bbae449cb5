/**
 * When a window opens and closes. One rule for every change of the clocks: a window opens at the first moment at which the clock
 * of its zone shows the start time or a later one, and closes when its length has elapsed. So a start that a clock change leaves
 * out opens right after the change, and a start that comes twice opens once, the first time. A start on a day that a zone left
 * out altogether falls together with the next day's beginning; two starts at one moment are one opening.
 */
import type { WindowCalendar } from "../Window.ts"
import { dateOf, nextDay, startMinutes } from "./ruleDates.ts"
import { DAY, FURTHEST_OFFSET, HOUR, MINUTE, type Zone, zoneOf } from "./zone.ts"

/** `skipped`: the clocks left the start time out. `repeated`: they show it twice. `during`: they change while it is open. */
export type ClockChange = "none" | "skipped" | "repeated" | "during"

export interface Occurrence {
  /** Epoch milliseconds, as everywhere in the calendar. */
  readonly opens_at: number
  readonly closes_at: number
  /** The day of the rule, in the window's zone. */
  readonly local_date: string
  readonly clock_change: ClockChange
}

const clockChangeOf = (zone: Zone, local: number, opens: number, closes: number): ClockChange => {
  if (opens + zone.offsetAt(opens) !== local) return "skipped"
  const change = zone.changeAfter(opens, Math.max(closes, opens + 26 * HOUR))
  if (change === null) return "none"
  // The clock stands before the start time again after the change, so it will show it once more.
  if (change + zone.offsetAt(change) <= local) return "repeated"
  return change < closes ? "during" : "none"
}

/** Occurrences in order, from the first that opens after `after`. */
function* occurrencesAfter(window: WindowCalendar, after: number): Generator<Occurrence, void> {
  const zone = zoneOf(window.time_zone)
  const minutes = startMinutes(window.rule)
  const closedOn = new Set(window.blackout_dates)
  let last = after
  // Two days of slack: the offset, and a day left out altogether.
  let day = nextDay(window.rule, Math.floor((after - FURTHEST_OFFSET) / DAY) - 2)
  for (; day !== null; day = nextDay(window.rule, day + 1)) {
    const local = day * DAY + minutes * MINUTE
    const opens = zone.firstMoment(local)
    if (opens <= last) continue
    const local_date = dateOf(day)
    if (closedOn.size > 0) {
      const opensOn = dateOf(Math.floor((opens + zone.offsetAt(opens)) / DAY))
      if (closedOn.has(local_date) || closedOn.has(opensOn)) continue
    }
    last = opens
    const closes = opens + window.duration_minutes * MINUTE
    yield { opens_at: opens, closes_at: closes, local_date, clock_change: clockChangeOf(zone, local, opens, closes) }
  }
}

/** All that open at `from` or later and before `to`. */
export const occurrences = (window: WindowCalendar, from: number, to: number): Array<Occurrence> => {
  const found: Array<Occurrence> = []
  for (const occurrence of occurrencesAfter(window, from - 1)) {
    if (occurrence.opens_at >= to) break
    found.push(occurrence)
  }
  return found
}

/** All that are open at some moment of the span from `from` to `to`. */
export const occurrencesDuring = (window: WindowCalendar, from: number, to: number): Array<Occurrence> =>
  occurrences(window, from - window.duration_minutes * MINUTE + 1, to)

/** The first `count` that open after `after`. */
export const nextOccurrences = (window: WindowCalendar, after: number, count: number): Array<Occurrence> => {
  const found: Array<Occurrence> = []
  for (const occurrence of occurrencesAfter(window, after)) {
    if (found.push(occurrence) >= count) break
  }
  return found
}

/** The first that opens after `after`; null when the rule has come to its end. */
export const nextOccurrence = (window: WindowCalendar, after: number): Occurrence | null =>
  nextOccurrences(window, after, 1)[0] ?? null
