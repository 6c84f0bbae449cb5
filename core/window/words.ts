/** A window's rule in words, for people. */
import type { WindowCalendar, WindowRule } from "../Window.ts"
import type { ClockChange } from "./occurrences.ts"
import { minutesOf } from "./ruleDates.ts"
import { weekdays } from "./weekdays.ts"

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)
const ordinals = { 1: "first", 2: "second", 3: "third", 4: "fourth", last: "last" } as const

/** 90 as “1 h 30 min”. */
export const durationWords = (minutes: number): string => {
  const parts = [
    [Math.floor(minutes / 1440), "d"],
    [Math.floor((minutes % 1440) / 60), "h"],
    [minutes % 60, "min"]
  ] as const
  const shown = parts.filter(([count]) => count > 0).map(([count, unit]) => `${count} ${unit}`)
  return shown.length === 0 ? "0 min" : shown.join(" ")
}

const daysOf = (rule: WindowRule): string => {
  switch (rule.kind) {
    case "once":
      return `Once on ${rule.starts_on_local.slice(0, 10)}`
    case "daily":
      return "Every day"
    case "weekly": {
      const days = weekdays.filter((day) => rule.weekdays.includes(day))
      return days.length === 7 ? "Every day" : `Every ${days.map(capital).join(", ")}`
    }
    case "monthly_by_day":
      if (rule.day === 31) return "The last day of every month"
      return `Day ${rule.day} of every month${rule.day > 28 ? ", or its last one" : ""}`
    case "monthly_by_weekday":
      return `The ${ordinals[rule.week]} ${capital(rule.weekday)} of every month`
  }
}

/** Such as “The second Tuesday of every month, 22:00–02:00 (4 h), Europe/Berlin”. */
export const ruleWords = ({ rule, time_zone, duration_minutes }: WindowCalendar): string => {
  const start = rule.kind === "once" ? rule.starts_on_local.slice(11) : rule.starts_at_local
  const end = (minutesOf(start) + duration_minutes) % 1440
  const until = [Math.floor(end / 60), end % 60].map((part) => String(part).padStart(2, "0")).join(":")
  const span =
    duration_minutes < 1440
      ? `${start}–${until} (${durationWords(duration_minutes)})`
      : `${start} for ${durationWords(duration_minutes)}`
  const limits =
    rule.kind === "once"
      ? ""
      : `${rule.from_date ? ` from ${rule.from_date}` : ""}${rule.until_date ? ` until ${rule.until_date}` : ""}`
  return `${daysOf(rule)}${limits}, ${span}, ${time_zone}`
}

/** What the change of the clocks does to an opening; null where they stay as they are. */
export const clockChangeWords: Readonly<Record<ClockChange, string | null>> = {
  none: null,
  skipped: "The clocks skip the start time: it opens right after the change, for its whole length.",
  repeated: "The clocks show the start time twice: it opens once, the first time.",
  during: "The clocks change while it is open: its length stays, so it closes at another time on the clock."
}
