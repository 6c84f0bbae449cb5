/** The days of a rule, as numbers of days since 1970-01-01 in the window's own calendar. */
import type { Weekday, WindowRule } from "../Window.ts"
import { weekdays } from "./weekdays.ts"
import { DAY } from "./zone.ts"

export const dayOf = (date: string): number => Date.parse(`${date}T00:00:00Z`) / DAY
export const dateOf = (day: number): string => new Date(day * DAY).toISOString().slice(0, 10)

/** Minutes since midnight of `HH:mm`. */
export const minutesOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5))

/** Rules end here; further than anybody plans. */
const LAST_DAY = dayOf("2199-12-31")

/** 0 is Monday; 1970-01-01 was a Thursday. */
const weekdayOf = (day: number): number => (((day + 3) % 7) + 7) % 7
const numberOf = (weekday: Weekday): number => weekdays.indexOf(weekday)

/** In the month after `monthsOn` more months: its first and its last day. */
const monthOf = (day: number, monthsOn: number): { readonly first: number; readonly last: number } => {
  const date = new Date(day * DAY)
  const year = date.getUTCFullYear()
  const month = date.getUTCMonth() + monthsOn
  return { first: Date.UTC(year, month, 1) / DAY, last: Date.UTC(year, month + 1, 0) / DAY }
}

type Monthly = Extract<WindowRule, { readonly kind: "monthly_by_day" | "monthly_by_weekday" }>

const dayInMonth = (rule: Monthly, { first, last }: { readonly first: number; readonly last: number }): number => {
  if (rule.kind === "monthly_by_day") return Math.min(first + rule.day - 1, last)
  const weekday = numberOf(rule.weekday)
  if (rule.week === "last") return last - ((weekdayOf(last) - weekday + 7) % 7)
  return first + ((weekday - weekdayOf(first) + 7) % 7) + 7 * (rule.week - 1)
}

const nextInPattern = (rule: Exclude<WindowRule, { readonly kind: "once" }>, from: number): number => {
  switch (rule.kind) {
    case "daily":
      return from
    case "weekly":
      return from + Math.min(...rule.weekdays.map((weekday) => (numberOf(weekday) - weekdayOf(from) + 7) % 7))
    case "monthly_by_day":
    case "monthly_by_weekday": {
      const day = dayInMonth(rule, monthOf(from, 0))
      return day >= from ? day : dayInMonth(rule, monthOf(from, 1))
    }
  }
}

/** The rule's first day that is not before `from`, or null when there is none any more. */
export const nextDay = (rule: WindowRule, from: number): number | null => {
  if (rule.kind === "once") {
    const day = dayOf(rule.starts_on_local.slice(0, 10))
    return day >= from ? day : null
  }
  const first = rule.from_date === undefined ? from : Math.max(from, dayOf(rule.from_date))
  const day = nextInPattern(rule, first)
  return day > (rule.until_date === undefined ? LAST_DAY : dayOf(rule.until_date)) ? null : day
}

/** Minutes after midnight at which the rule's days begin their window. */
export const startMinutes = (rule: WindowRule): number =>
  minutesOf(rule.kind === "once" ? rule.starts_on_local.slice(11) : rule.starts_at_local)
