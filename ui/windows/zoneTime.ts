/** A moment on the clocks of a window's zone, and in the reader's. */
const formats = new Map<string, Intl.DateTimeFormat>()

const formatFor = (zone: string): Intl.DateTimeFormat => {
  const known = formats.get(zone)
  if (known) return known
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    weekday: "short",
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23"
  })
  formats.set(zone, format)
  return format
}

const partsIn = (at: number, zone: string): ReadonlyMap<string, string> =>
  new Map(
    formatFor(zone)
      .formatToParts(at)
      .map(({ type, value }) => [type as string, value])
  )

/** `Sun 29 Mar 2027, 02:00–06:00`; the closing day too where it is another one. */
export const spanIn = (zone: string, opens: number, closes: number): string => {
  const from = partsIn(opens, zone)
  const to = partsIn(closes, zone)
  const day = (parts: ReadonlyMap<string, string>): string =>
    `${parts.get("weekday")} ${parts.get("day")} ${parts.get("month")}`
  const clock = (parts: ReadonlyMap<string, string>): string => `${parts.get("hour")}:${parts.get("minute")}`
  const end = day(from) === day(to) ? clock(to) : `${day(to)} ${clock(to)}`
  return `${day(from)} ${from.get("year")}, ${clock(from)}–${end}`
}
