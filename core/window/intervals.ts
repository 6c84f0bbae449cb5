/** Spans of time with the windows they come from, in order and apart from each other. */
import type { WindowId } from "../Ids.ts"

export interface Interval {
  readonly opens_at: number
  readonly closes_at: number
  /** The windows that make it up. */
  readonly window_ids: ReadonlyArray<WindowId>
}

/** Joins what overlaps or touches. */
export const union = (intervals: ReadonlyArray<Interval>): Array<Interval> => {
  const joined: Array<{ opens_at: number; closes_at: number; ids: Set<WindowId> }> = []
  for (const interval of intervals.toSorted((a, b) => a.opens_at - b.opens_at)) {
    const last = joined.at(-1)
    if (last === undefined || interval.opens_at > last.closes_at) {
      joined.push({ ...interval, ids: new Set(interval.window_ids) })
      continue
    }
    last.closes_at = Math.max(last.closes_at, interval.closes_at)
    for (const id of interval.window_ids) last.ids.add(id)
  }
  return joined.map(({ opens_at, closes_at, ids }) => ({ opens_at, closes_at, window_ids: [...ids] }))
}

/** What is left of `open` outside of `closed`, which has to be in order and apart. */
export const subtract = (open: ReadonlyArray<Interval>, closed: ReadonlyArray<Interval>): Array<Interval> =>
  open.flatMap((interval) => {
    const left: Array<Interval> = []
    let from = interval.opens_at
    for (const { opens_at, closes_at } of closed) {
      if (closes_at <= from) continue
      if (opens_at >= interval.closes_at) break
      if (opens_at > from) left.push({ ...interval, opens_at: from, closes_at: opens_at })
      from = closes_at
    }
    if (from < interval.closes_at) left.push({ ...interval, opens_at: from })
    return left
  })
