/**
 * When a window opens, worked out a second time and in another way: every day of the calendar is asked whether the rule means it,
 * and every era of the zone whether its clocks reach the start. It shares nothing with core/window.
 */
import type { WindowRule } from "#core/Window.ts"
import type { Era } from "./zoneFiles.ts"

const weekdays = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]

const meant = (rule: WindowRule, date: Date): boolean => {
  const text = (): string => date.toISOString().slice(0, 10)
  if (rule.kind === "once") return date.getTime() === Date.parse(rule.starts_on_local.slice(0, 10))
  if (rule.from_date !== undefined && text() < rule.from_date) return false
  if (rule.until_date !== undefined && text() > rule.until_date) return false
  const inDays = (days: number): Date => new Date(date.getTime() + days * 86_400_000)
  const number = date.getUTCDate()
  switch (rule.kind) {
    case "daily":
      return true
    case "weekly":
      return rule.weekdays.some((weekday) => weekdays[date.getUTCDay()] === weekday)
    case "monthly_by_day":
      return number === rule.day || (number < rule.day && inDays(1).getUTCDate() === 1)
    case "monthly_by_weekday":
      if (weekdays[date.getUTCDay()] !== rule.weekday) return false
      return rule.week === "last" ? inDays(7).getUTCMonth() !== date.getUTCMonth() : Math.ceil(number / 7) === rule.week
  }
}

/** Openings of the rule in seconds since 1970, from the first day to the last one, each once. */
export const openingsOf = (
  rule: WindowRule,
  eras: ReadonlyArray<Era>,
  firstDay: string,
  lastDay: string,
  closedOn: ReadonlyArray<string> = []
): ReadonlyArray<number> => {
  const time = rule.kind === "once" ? rule.starts_on_local.slice(11) : rule.starts_at_local
  // The clocks of an era run up to this local time, not including it.
  const ends = eras.map((era, n) => (eras[n + 1]?.from ?? Number.POSITIVE_INFINITY) + era.offset)
  const openings = new Set<number>()
  let n = 0
  for (let at = Date.parse(firstDay); at <= Date.parse(lastDay); at += 86_400_000) {
    const date = new Date(at)
    if (!meant(rule, date)) continue
    const local = at / 1000 + Number(time.slice(0, 2)) * 3600 + Number(time.slice(3)) * 60
    while (n > 0 && ends[n - 1]! > local) n--
    while (ends[n]! <= local) n++
    const { from, offset } = eras[n]!
    const opening = local < from + offset ? from : local - offset
    const days =
      closedOn.length === 0 ? [] : [at, (opening + offset) * 1000].map((ms) => new Date(ms).toISOString().slice(0, 10))
    if (!days.some((day) => closedOn.includes(day))) openings.add(opening)
  }
  return [...openings]
}
