/** The next weeks, worked out with the functions that the scheduler runs, without touching anything. */
import type { HostId, WindowId } from "../Ids.ts"
import { effectiveFor, openIntervals, type WindowHost } from "./effective.ts"
import { type Firing, firings, openings, type WindowFleet } from "./firings.ts"

/** How long patching took on a host so far. */
export interface PastDuration {
  readonly median_ms: number
  readonly p95_ms: number
}

export interface Clash {
  readonly window_ids: readonly [WindowId, WindowId]
  readonly first_at: number
  readonly times: number
  readonly host_ids: ReadonlyArray<HostId>
}

export interface TooShort {
  readonly window_id: WindowId
  /** The shortest opening of the span, after blackouts. */
  readonly shortest_ms: number
  /** Hosts whose 95th percentile does not fit into it. */
  readonly host_ids: ReadonlyArray<HostId>
  readonly longest_p95_ms: number
  readonly median_ms: number
}

export interface NeverCovered {
  readonly host_id: HostId
  readonly why: string
}

export interface Simulation {
  readonly firings: ReadonlyArray<Firing>
  readonly clashes: ReadonlyArray<Clash>
  readonly too_short: ReadonlyArray<TooShort>
  readonly never_covered: ReadonlyArray<NeverCovered>
}

const clashesOf = (planned: ReadonlyArray<Firing>): Array<Clash> => {
  const found = new Map<
    string,
    { ids: readonly [WindowId, WindowId]; first: number; times: number; hosts: Set<HostId> }
  >()
  const sets = new Map<ReadonlyArray<HostId>, ReadonlySet<HostId>>()
  const setOf = (ids: ReadonlyArray<HostId>): ReadonlySet<HostId> => {
    const set = sets.get(ids) ?? new Set(ids)
    sets.set(ids, set)
    return set
  }
  let running: Array<Firing> = []
  for (const firing of planned) {
    if (firing.hindrance !== null) continue
    running = running.filter((other) => other.ends_at > firing.fires_at)
    for (const other of running) {
      if (other.window_id === firing.window_id) continue
      const known = setOf(other.host_ids)
      const shared = firing.host_ids.filter((id) => known.has(id))
      if (shared.length === 0) continue
      const ids =
        other.window_id < firing.window_id
          ? ([other.window_id, firing.window_id] as const)
          : ([firing.window_id, other.window_id] as const)
      const clash = found.get(ids.join()) ?? { ids, first: firing.fires_at, times: 0, hosts: new Set<HostId>() }
      clash.times++
      for (const id of shared) clash.hosts.add(id)
      found.set(ids.join(), clash)
    }
    running.push(firing)
  }
  return [...found.values()].map(({ ids, first, times, hosts }) => ({
    window_ids: ids,
    first_at: first,
    times,
    host_ids: [...hosts].toSorted()
  }))
}

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

/** Also of windows that make no jobs: those of people run in them. */
const tooShortOf = (opened: ReadonlyArray<Firing>, durations: ReadonlyMap<HostId, PastDuration>): Array<TooShort> => {
  const shortest = new Map<WindowId, Firing>()
  for (const firing of opened) {
    if (firing.hindrance !== null) continue
    const known = shortest.get(firing.window_id)
    if (!known || firing.ends_at - firing.fires_at < known.ends_at - known.fires_at)
      shortest.set(firing.window_id, firing)
  }
  return [...shortest.values()].flatMap((firing) => {
    const shortest_ms = firing.ends_at - firing.fires_at
    const late = firing.host_ids.flatMap((id) => {
      const past = durations.get(id)
      return past !== undefined && past.p95_ms > shortest_ms ? [{ id, past }] : []
    })
    if (late.length === 0) return []
    return [
      {
        window_id: firing.window_id,
        shortest_ms,
        host_ids: late.map(({ id }) => id),
        longest_p95_ms: Math.max(...late.map(({ past }) => past.p95_ms)),
        median_ms: median(late.map(({ past }) => past.median_ms))
      }
    ]
  })
}

const neverCoveredOf = ({ windows, hosts }: WindowFleet, from: number, to: number): Array<NeverCovered> => {
  const effectiveOf = effectiveFor(windows)
  const covered = new Map<ReturnType<typeof effectiveOf>, boolean>()
  return hosts.flatMap((host: WindowHost) => {
    const effective = effectiveOf(host)
    const opens = covered.get(effective) ?? openIntervals(effective, from, to).length > 0
    covered.set(effective, opens)
    if (opens) return []
    if (effective.won_by === "none") return [{ host_id: host.id, why: effective.why }]
    const blackouts = effective.blackouts.length === 0 ? "" : " once blackouts are taken out"
    return [{ host_id: host.id, why: `${effective.why} None of them opens in these weeks${blackouts}.` }]
  })
}

/** From one moment to another, as if nobody changed anything and the manager ran all the time. */
export const simulate = (
  fleet: WindowFleet,
  durations: ReadonlyMap<HostId, PastDuration>,
  from: number,
  to: number
): Simulation => {
  const planned = firings(fleet, from, to)
  return {
    firings: planned,
    clashes: clashesOf(planned),
    too_short: tooShortOf(openings(fleet, from, to), durations),
    never_covered: neverCoveredOf(fleet, from, to)
  }
}
