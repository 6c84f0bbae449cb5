/**
 * When a window with automatic apply makes its job, for which hosts, and when it does not. The scheduler and the simulation ask
 * the same functions; the scheduler adds only what the clock says and what it wrote down before.
 */
import type { HostId, WindowId } from "../Ids.ts"
import type { MaintenanceWindow, WindowOutcome } from "../Window.ts"
import { effectiveFor, blackoutIntervals, type EffectiveWindows, type WindowHost } from "./effective.ts"
import { type Interval, subtract } from "./intervals.ts"
import { nextOccurrence, type Occurrence, occurrences } from "./occurrences.ts"
import { DAY, MINUTE } from "./zone.ts"

export interface WindowFleet {
  readonly windows: ReadonlyArray<MaintenanceWindow>
  readonly hosts: ReadonlyArray<WindowHost>
}

export interface Firing {
  readonly window_id: WindowId
  readonly opens_at: number
  readonly closes_at: number
  /** When the job is made: as soon as the first of its hosts may be worked on, which a blackout can put off. */
  readonly fires_at: number
  /** The last moment at which one of its hosts may be worked on. */
  readonly ends_at: number
  readonly host_ids: ReadonlyArray<HostId>
  /** Why there is no job: nobody to patch, or a blackout over the whole opening. */
  readonly hindrance: "no_host" | "blackout" | null
}

/** A job this late still counts as on time: what a restart of the worker takes. */
export const GRACE = 2 * MINUTE
/** Later than that, it is made only while this much of the opening is left, or half of a shorter one. */
const ENOUGH_LEFT = 10 * MINUTE
/** Openings further back are not looked for: a manager that was off for longer starts afresh. */
const LOOK_BACK = 40 * DAY

/** One opening as its record is named. */
export const firingKey = (firing: { readonly window_id: WindowId; readonly opens_at: number }): string =>
  `${firing.window_id} ${firing.opens_at}`

/** Windows that make jobs. */
export const automatic = (windows: ReadonlyArray<MaintenanceWindow>): ReadonlyArray<MaintenanceWindow> =>
  windows.filter((window) => window.enabled && window.kind === "open" && window.auto_apply !== null)

interface Covered {
  readonly effective: EffectiveWindows
  readonly host_ids: Array<HostId>
}

/** For each window, the hosts for which it holds, those with the same windows together. */
const coverageOf = ({ windows, hosts }: WindowFleet): ReadonlyMap<WindowId, ReadonlyArray<Covered>> => {
  const effectiveOf = effectiveFor(windows)
  const together = new Map<EffectiveWindows, Array<HostId>>()
  for (const host of hosts) {
    const effective = effectiveOf(host)
    const list = together.get(effective)
    if (list) list.push(host.id)
    else together.set(effective, [host.id])
  }
  const coverage = new Map<WindowId, Array<Covered>>()
  for (const [effective, host_ids] of together) {
    for (const window of effective.open) {
      const list = coverage.get(window.id)
      if (list) list.push({ effective, host_ids })
      else coverage.set(window.id, [{ effective, host_ids }])
    }
  }
  return coverage
}

const firingOf = (window_id: WindowId, occurrence: Occurrence, covered: ReadonlyArray<Covered>): Firing => {
  const { opens_at, closes_at } = occurrence
  const whole: Interval = { opens_at, closes_at, window_ids: [window_id] }
  let fires_at = Number.POSITIVE_INFINITY
  let ends_at = Number.NEGATIVE_INFINITY
  const host_ids: Array<HostId> = []
  for (const { effective, host_ids: ids } of covered) {
    const open =
      effective.blackouts.length === 0 ? [whole] : subtract([whole], blackoutIntervals(effective, opens_at, closes_at))
    const first = open[0]
    if (first === undefined) continue
    fires_at = Math.min(fires_at, first.opens_at)
    ends_at = Math.max(ends_at, open.at(-1)?.closes_at ?? first.closes_at)
    for (const id of ids) host_ids.push(id)
  }
  if (host_ids.length === 0) {
    const hindrance = covered.length === 0 ? "no_host" : "blackout"
    return { window_id, opens_at, closes_at, fires_at: opens_at, ends_at: closes_at, host_ids, hindrance }
  }
  return { window_id, opens_at, closes_at, fires_at, ends_at, host_ids: host_ids.toSorted(), hindrance: null }
}

/** Every opening of these windows that opens in the span, ordered by the moment at which work may begin. */
const openingsOf = (
  windows: ReadonlyArray<MaintenanceWindow>,
  fleet: WindowFleet,
  from: number,
  to: number
): Array<Firing> => {
  const coverage = coverageOf(fleet)
  return windows
    .flatMap((window) =>
      occurrences(window, from, to).map((occurrence) => firingOf(window.id, occurrence, coverage.get(window.id) ?? []))
    )
    .toSorted((a, b) => a.fires_at - b.fires_at || (a.window_id < b.window_id ? -1 : 1))
}

/** Every opening of a window with automatic apply that opens in the span, with its job. */
export const firings = (fleet: WindowFleet, from: number, to: number): Array<Firing> =>
  openingsOf(automatic(fleet.windows), fleet, from, to)

/** Windows in which hosts may be worked on, whether they make jobs or not. */
export const opening = (windows: ReadonlyArray<MaintenanceWindow>): ReadonlyArray<MaintenanceWindow> =>
  windows.filter((window) => window.enabled && window.kind === "open")

/** The same for every window that opens, as it would be if each made a job. */
export const openings = (fleet: WindowFleet, from: number, to: number): Array<Firing> =>
  openingsOf(opening(fleet.windows), fleet, from, to)

/** What to do about an opening now; null means that its time has not come. */
export const decideFiring = (firing: Firing, now: number): WindowOutcome | null => {
  if (now < firing.fires_at) return null
  if (firing.hindrance !== null) return firing.hindrance === "no_host" ? "nothing" : "refused"
  if (now >= firing.ends_at) return "missed"
  if (now - firing.fires_at <= GRACE) return "fired"
  return firing.ends_at - now >= Math.min(ENOUGH_LEFT, (firing.ends_at - firing.fires_at) / 2) ? "fired" : "missed"
}

/** Openings since the window got its present rule that nothing is written down about, and that have begun by `now`. */
export const openDecisions = (
  windows: ReadonlyArray<MaintenanceWindow>,
  recorded: ReadonlySet<string>,
  now: number
): Array<{ readonly window: MaintenanceWindow; readonly occurrence: Occurrence }> =>
  automatic(windows).flatMap((window) =>
    occurrences(window, Math.max(Date.parse(window.watched_since), now - LOOK_BACK), now + 1)
      .filter(({ opens_at }) => !recorded.has(firingKey({ window_id: window.id, opens_at })))
      .map((occurrence) => ({ window, occurrence }))
  )

export interface DueFiring {
  readonly window: MaintenanceWindow
  readonly firing: Firing
  readonly outcome: WindowOutcome
}

/** What the scheduler has to carry out and write down now, the oldest first. */
export const dueFirings = (fleet: WindowFleet, recorded: ReadonlySet<string>, now: number): Array<DueFiring> => {
  const open = openDecisions(fleet.windows, recorded, now)
  if (open.length === 0) return []
  const coverage = coverageOf(fleet)
  return open
    .flatMap(({ window, occurrence }) => {
      const firing = firingOf(window.id, occurrence, coverage.get(window.id) ?? [])
      const outcome = decideFiring(firing, now)
      return outcome === null ? [] : [{ window, firing, outcome }]
    })
    .toSorted((a, b) => a.firing.fires_at - b.firing.fires_at || (a.window.id < b.window.id ? -1 : 1))
}

/** When the next window with automatic apply opens; the scheduler sleeps until then at most. */
export const nextOpening = (windows: ReadonlyArray<MaintenanceWindow>, now: number): number | null => {
  const starts = automatic(windows).flatMap((window) => nextOccurrence(window, now)?.opens_at ?? [])
  return starts.length === 0 ? null : Math.min(...starts)
}

/** A host on which a job waits for a window, and when somebody ought to have looked at it next. Epoch milliseconds. */
export interface Unattended {
  readonly host_id: HostId
  readonly since: number
  /** When its job ends by itself; null for never. */
  readonly until: number | null
}

/**
 * Openings of windows without automatic apply that passed as a whole while jobs waited for them and nobody was there to start
 * them, the oldest first. An opening of which nobody would have taken anything is not missed.
 */
export const missedByJobs = (
  fleet: WindowFleet,
  unattended: ReadonlyArray<Unattended>,
  recorded: ReadonlySet<string>,
  now: number
): Array<DueFiring> => {
  const waits = Map.groupBy(unattended, ({ host_id }) => host_id)
  const earliest = Math.min(...unattended.map(({ since }) => since))
  const windows = new Map(fleet.windows.map((window) => [window.id, window]))
  const coverage = coverageOf({ windows: fleet.windows, hosts: fleet.hosts.filter(({ id }) => waits.has(id)) })
  return [...coverage]
    .flatMap(([id, covered]) => {
      const window = windows.get(id)
      if (window === undefined || window.auto_apply !== null) return []
      const from = Math.max(Date.parse(window.watched_since), now - LOOK_BACK, earliest)
      return occurrences(window, from, now).flatMap((occurrence) => {
        const firing = firingOf(id, occurrence, covered)
        if (firing.ends_at > now || recorded.has(firingKey(firing))) return []
        const host_ids = firing.host_ids.filter((host) =>
          waits
            .get(host)
            ?.some(({ since, until }) => since <= firing.fires_at && (until === null || until > firing.fires_at))
        )
        return host_ids.length === 0 ? [] : [{ window, firing: { ...firing, host_ids }, outcome: "missed" as const }]
      })
    })
    .toSorted((a, b) => a.firing.fires_at - b.firing.fires_at || (a.window.id < b.window.id ? -1 : 1))
}
