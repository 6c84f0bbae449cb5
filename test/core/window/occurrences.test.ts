import { describe, expect, it } from "vitest"
import type { WindowCalendar, WindowRule } from "#core/Window.ts"
import { nextOccurrence, occurrences, occurrencesDuring } from "#core/window/occurrences.ts"

const calendar = (time_zone: string, rule: WindowRule, more: Partial<WindowCalendar> = {}): WindowCalendar => ({
  rule,
  time_zone,
  duration_minutes: 60,
  blackout_dates: [],
  ...more
})
const daily = (starts_at_local: string): WindowRule => ({ kind: "daily", starts_at_local })

/** Openings and closings of the span in UTC, with what the clocks did. */
const shown = (window: WindowCalendar, from: string, to: string) =>
  occurrences(window, Date.parse(from), Date.parse(to)).map(
    ({ opens_at, closes_at, clock_change }) =>
      `${new Date(opens_at).toISOString().slice(0, 16)}–${new Date(closes_at).toISOString().slice(11, 16)}${clock_change === "none" ? "" : ` ${clock_change}`}`
  )
const days = (window: WindowCalendar, from: string, to: string) =>
  occurrences(window, Date.parse(from), Date.parse(to)).map(({ local_date }) => local_date)

describe("the days of a rule", () => {
  it("once", () => {
    const once = calendar("Europe/Berlin", { kind: "once", starts_on_local: "2026-11-22T22:30" })
    expect(shown(once, "2026-01-01", "2027-01-01")).toEqual(["2026-11-22T21:30–22:30"])
    expect(nextOccurrence(once, Date.parse("2026-11-22T21:30Z"))).toBe(null)
  })

  it("weekly, on several days, from a first day until a last one", () => {
    const rule: WindowRule = {
      kind: "weekly",
      weekdays: ["sunday", "tuesday"],
      starts_at_local: "03:00",
      from_date: "2026-11-03",
      until_date: "2026-11-15"
    }
    expect(days(calendar("UTC", rule), "2026-10-01", "2026-12-01")).toEqual([
      "2026-11-03",
      "2026-11-08",
      "2026-11-10",
      "2026-11-15"
    ])
  })

  it("monthly on the 31st is the last day of every month, leap years included", () => {
    const rule: WindowRule = { kind: "monthly_by_day", day: 31, starts_at_local: "00:00" }
    expect(days(calendar("UTC", rule), "2028-01-01", "2028-07-01")).toEqual([
      "2028-01-31",
      "2028-02-29",
      "2028-03-31",
      "2028-04-30",
      "2028-05-31",
      "2028-06-30"
    ])
    const twentyNinth: WindowRule = { kind: "monthly_by_day", day: 29, starts_at_local: "00:00" }
    expect(days(calendar("UTC", twentyNinth), "2100-02-01", "2100-03-01")).toEqual(["2100-02-28"])
  })

  it("the second Tuesday, and the last Sunday", () => {
    const second: WindowRule = { kind: "monthly_by_weekday", week: 2, weekday: "tuesday", starts_at_local: "22:00" }
    expect(days(calendar("UTC", second), "2026-09-01", "2027-01-01")).toEqual([
      "2026-09-08",
      "2026-10-13",
      "2026-11-10",
      "2026-12-08"
    ])
    const last: WindowRule = { kind: "monthly_by_weekday", week: "last", weekday: "sunday", starts_at_local: "22:00" }
    expect(days(calendar("UTC", last), "2026-01-01", "2026-04-01")).toEqual(["2026-01-25", "2026-02-22", "2026-03-29"])
  })

  it("crosses midnight and the end of the month with its length kept", () => {
    const late = calendar("Europe/Berlin", daily("23:30"), { duration_minutes: 180 })
    expect(shown(late, "2027-01-31T00:00Z", "2027-02-01T00:00Z")).toEqual(["2027-01-31T22:30–01:30"])
    const during = occurrencesDuring(late, Date.parse("2027-02-01T01:00Z"), Date.parse("2027-02-01T01:01Z"))
    expect(during.map(({ local_date }) => local_date)).toEqual(["2027-01-31"])
    expect(occurrencesDuring(late, Date.parse("2027-02-01T01:30Z"), Date.parse("2027-02-01T01:31Z"))).toEqual([])
  })

  it("does not open on a blackout date, neither the rule's nor the one on the clock when it opens", () => {
    const closed = calendar("UTC", daily("02:00"), { blackout_dates: ["2026-12-25", "2026-12-26"] })
    expect(days(closed, "2026-12-24", "2026-12-28")).toEqual(["2026-12-24", "2026-12-27"])
    const apia = calendar("Pacific/Apia", daily("02:00"), { blackout_dates: ["2011-12-31"] })
    expect(days(apia, "2011-12-29T00:00Z", "2012-01-01T20:00Z")).toEqual(["2011-12-29", "2012-01-01", "2012-01-02"])
  })
})

describe("the clocks change", () => {
  it("a start that is left out opens at the first moment after, its length kept", () => {
    expect(shown(calendar("Europe/Berlin", daily("02:30")), "2027-03-27T12:00Z", "2027-03-29T12:00Z")).toEqual([
      "2027-03-28T01:00–02:00 skipped",
      "2027-03-29T00:30–01:30"
    ])
    // PostgreSQL maps this one to 07:30Z; the rule is ours.
    expect(shown(calendar("America/New_York", daily("02:30")), "2027-03-14", "2027-03-15")).toEqual([
      "2027-03-14T07:00–08:00 skipped"
    ])
  })

  it("a start that comes twice opens once, the first time", () => {
    expect(shown(calendar("America/New_York", daily("01:30")), "2026-11-01", "2026-11-02T12:00Z")).toEqual([
      "2026-11-01T05:30–06:30 repeated",
      "2026-11-02T06:30–07:30"
    ])
  })

  it("while it is open: it stays open for its length, and the clock shows another closing time", () => {
    const night = calendar("Europe/Berlin", daily("01:00"), { duration_minutes: 240 })
    expect(shown(night, "2027-03-28T00:00Z", "2027-03-29T00:00Z")).toEqual([
      "2027-03-28T00:00–04:00 during",
      "2027-03-28T23:00–03:00"
    ])
  })

  it("by half an hour only, on Lord Howe Island", () => {
    const lordHowe = calendar("Australia/Lord_Howe", daily("02:15"))
    expect(shown(lordHowe, "2026-10-03T12:00Z", "2026-10-04T12:00Z")).toEqual(["2026-10-03T15:30–16:30 skipped"])
    expect(shown(calendar("Australia/Lord_Howe", daily("01:45")), "2027-04-03T12:00Z", "2027-04-04T12:00Z")).toEqual([
      "2027-04-03T14:45–15:45 repeated"
    ])
  })

  it("at midnight, in Beirut and Havana", () => {
    expect(shown(calendar("Asia/Beirut", daily("00:00")), "2026-03-28T12:00Z", "2026-03-29T12:00Z")).toEqual([
      "2026-03-28T22:00–23:00 skipped"
    ])
    expect(shown(calendar("America/Havana", daily("00:30")), "2026-11-01T00:00Z", "2026-11-02T00:00Z")).toEqual([
      "2026-11-01T04:30–05:30 repeated"
    ])
  })

  it("a whole day is left out, in Apia: what falls on it opens at the next midnight, two at one moment once", () => {
    const apia = (time: string) => calendar("Pacific/Apia", daily(time))
    expect(shown(apia("02:00"), "2011-12-29T00:00Z", "2012-01-01T00:00Z")).toEqual([
      "2011-12-29T12:00–13:00",
      "2011-12-30T10:00–11:00 skipped",
      "2011-12-30T12:00–13:00",
      "2011-12-31T12:00–13:00"
    ])
    expect(shown(apia("00:00"), "2011-12-29T00:00Z", "2011-12-31T00:00Z")).toEqual([
      "2011-12-29T10:00–11:00",
      "2011-12-30T10:00–11:00 skipped"
    ])
  })

  it("a whole day comes twice, on Kwajalein in 1969: it opens once", () => {
    const twice = calendar("Pacific/Kwajalein", { kind: "once", starts_on_local: "1969-09-30T12:00" })
    expect(occurrences(twice, Date.parse("1969-09-25"), Date.parse("1969-10-05"))).toHaveLength(1)
  })

  it("seconds in an old offset, in Monrovia", () => {
    expect(shown(calendar("Africa/Monrovia", daily("06:00")), "1971-06-01", "1971-06-02")).toEqual([
      "1971-06-01T06:44–07:44"
    ])
  })
})

it("is quick enough for a fleet: 2,500 windows over twelve weeks", () => {
  const from = Date.parse("2026-11-22")
  const before = performance.now()
  let found = 0
  for (let n = 0; n < 2_500; n++) {
    const window = calendar(n % 2 === 0 ? "Europe/Berlin" : "America/New_York", daily(`0${n % 10}:30`))
    found += occurrences(window, from, from + 84 * 86_400_000).length
  }
  expect(found).toBeGreaterThan(200_000)
  expect(performance.now() - before).toBeLessThan(5_000)
})
