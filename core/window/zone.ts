/**
 * The clocks of a time zone, from Intl's table. Local times are numbers too: what the clock shows, read as if it were UTC.
 * Offsets are looked up once for every four days and kept; two changes of one zone never lie that close (a test measures it).
 */

export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

const CELL = 4 * DAY
/** No clock on earth was ever further from UTC. */
export const FURTHEST_OFFSET = 16 * HOUR

export interface Zone {
  /** Milliseconds to add to UTC. */
  readonly offsetAt: (at: number) => number
  /** The first change of the offset after `at` and not after `limit`, or null. */
  readonly changeAfter: (at: number, limit: number) => number | null
  /** The first moment at which the clock shows this local time or a later one. */
  readonly firstMoment: (local: number) => number
}

const shown = /GMT(?:([+-])([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?)?/

const makeZone = (name: string): Zone => {
  const format = new Intl.DateTimeFormat("en-US", { timeZone: name, timeZoneName: "longOffset" })

  const readOffset = (at: number): number => {
    const [, sign, hours = "0", minutes = "0", seconds = "0"] = shown.exec(format.format(at)) ?? []
    const size = Number(hours) * HOUR + Number(minutes) * MINUTE + Number(seconds) * 1000
    return sign === "-" ? -size : size
  }

  const edges = new Map<number, number>()
  const edge = (cell: number): number => {
    const known = edges.get(cell)
    if (known !== undefined) return known
    const offset = readOffset(cell * CELL)
    edges.set(cell, offset)
    return offset
  }

  const changes = new Map<number, number | null>()
  /** The change in (cell's begin, next cell's begin]; offsets change at whole seconds. */
  const changeIn = (cell: number): number | null => {
    const known = changes.get(cell)
    if (known !== undefined) return known
    let found: number | null = null
    if (edge(cell) !== edge(cell + 1)) {
      const before = edge(cell)
      let low = (cell * CELL) / 1000
      let high = ((cell + 1) * CELL) / 1000
      while (high - low > 1) {
        const middle = Math.floor((low + high) / 2)
        if (readOffset(middle * 1000) === before) low = middle
        else high = middle
      }
      found = high * 1000
    }
    changes.set(cell, found)
    return found
  }

  const offsetAt = (at: number): number => {
    const cell = Math.floor(at / CELL)
    const change = changeIn(cell)
    return change === null || at < change ? edge(cell) : edge(cell + 1)
  }

  const changeAfter = (at: number, limit: number): number | null => {
    for (let cell = Math.floor(at / CELL); cell * CELL <= limit; cell++) {
      const change = changeIn(cell)
      if (change !== null && change > at) return change <= limit ? change : null
    }
    return null
  }

  const firstMoment = (local: number): number => {
    let from = local - FURTHEST_OFFSET
    for (;;) {
      const moment = Math.max(from, local - offsetAt(from))
      const change = changeAfter(from, moment)
      if (change === null) return moment
      from = change
    }
  }

  return { offsetAt, changeAfter, firstMoment }
}

const zones = new Map<string, Zone>()

/** Throws a RangeError for a name that no zone has; schemas let none in. */
export const zoneOf = (name: string): Zone => {
  const known = zones.get(name)
  if (known !== undefined) return known
  const zone = makeZone(name)
  zones.set(name, zone)
  return zone
}
