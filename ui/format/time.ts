/** Moments and spans in words. 24-hour clock, ISO-like dates, the zone always written. */

export type Zone = "utc" | "local"

const formatters = new Map<string, Intl.DateTimeFormat>()
const formatter = (zone: Zone): Intl.DateTimeFormat => {
  let known = formatters.get(zone)
  if (known === undefined) {
    known = new Intl.DateTimeFormat("en-GB", {
      ...(zone === "utc" ? { timeZone: "UTC" } : {}),
      year: "numeric",
      month: "short",
      day: "numeric",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      fractionalSecondDigits: 3,
      hourCycle: "h23",
      timeZoneName: "short"
    })
    formatters.set(zone, known)
  }
  return known
}

interface Parts {
  readonly day: string
  readonly month: string
  readonly year: string
  readonly clock: string
  readonly second: string
  readonly millisecond: string
  readonly zone: string
}

const partsOf = (at: Date, zone: Zone): Parts => {
  const parts = new Map(
    formatter(zone)
      .formatToParts(at)
      .map(({ type, value }) => [type as string, value])
  )
  const part = (name: string): string => parts.get(name) ?? ""
  return {
    day: part("day"),
    month: part("month"),
    year: part("year"),
    clock: `${part("hour")}:${part("minute")}`,
    second: part("second"),
    millisecond: part("fractionalSecond"),
    zone: part("timeZoneName")
  }
}

const sameDay = (a: Parts, b: Parts): boolean => a.day === b.day && a.month === b.month && a.year === b.year

/** `21:14:08 UTC` today, `9 Nov 21:14 UTC` this year, `9 Nov 2036 21:14 UTC` otherwise. */
export const formatMoment = (iso: string, zone: Zone, now: number = Date.now()): string => {
  const at = partsOf(new Date(iso), zone)
  const today = partsOf(new Date(now), zone)
  if (sameDay(at, today)) return `${at.clock}:${at.second} ${at.zone}`
  const year = at.year === today.year ? "" : ` ${at.year}`
  return `${at.day} ${at.month}${year} ${at.clock} ${at.zone}`
}

/** Date, time to the second and zone. */
export const formatFull = (iso: string, zone: Zone): string => {
  const at = partsOf(new Date(iso), zone)
  return `${at.day} ${at.month} ${at.year} ${at.clock}:${at.second} ${at.zone}`
}

export const formatDay = (iso: string, zone: Zone): string => {
  const at = partsOf(new Date(iso), zone)
  return `${at.day} ${at.month} ${at.year}`
}

/** `21:11:37.204`, for rows under a head that names the zone; the day in front when it is not today. */
export const formatExact = (iso: string, zone: Zone, now: number = Date.now()): string => {
  const at = partsOf(new Date(iso), zone)
  const clock = `${at.clock}:${at.second}.${at.millisecond}`
  return sameDay(at, partsOf(new Date(now), zone)) ? clock : `${at.day} ${at.month} ${clock}`
}

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** One unit: `14 s`, `3 min`, `5 h`, `12 d`. */
export const formatAge = (milliseconds: number): string => {
  const span = Math.max(0, milliseconds)
  if (span < MINUTE) return `${Math.floor(span / SECOND)} s`
  if (span < HOUR) return `${Math.floor(span / MINUTE)} min`
  if (span < 2 * DAY) return `${Math.floor(span / HOUR)} h`
  return `${Math.floor(span / DAY)} d`
}

/** Two units where they matter: `2.9 s`, `2 min 31 s`, `1 h 10 min`, `1 d 23 h`. */
export const formatSpan = (milliseconds: number): string => {
  const span = Math.max(0, milliseconds)
  if (span < 10 * SECOND) return `${(span / SECOND).toFixed(1)} s`
  if (span < MINUTE) return `${Math.floor(span / SECOND)} s`
  if (span < HOUR) return `${Math.floor(span / MINUTE)} min ${Math.floor((span % MINUTE) / SECOND)} s`
  if (span < DAY) return `${Math.floor(span / HOUR)} h ${Math.floor((span % HOUR) / MINUTE)} min`
  return `${Math.floor(span / DAY)} d ${Math.floor((span % DAY) / HOUR)} h`
}
