/**
 * Which windows hold for a host, and when it may be worked on. A host's own windows replace its groups'; several add up; a
 * blackout of the host, of any of its groups or of all hosts wins over every window by being taken out of it. Windows that are
 * switched off count as absent.
 */
import type { GroupId, HostId } from "../Ids.ts"
import type { MaintenanceWindow } from "../Window.ts"
import { type Interval, subtract, union } from "./intervals.ts"
import { nextOccurrence, occurrencesDuring } from "./occurrences.ts"
import { DAY } from "./zone.ts"

export interface WindowHost {
  readonly id: HostId
  readonly group_ids: ReadonlyArray<GroupId>
}

export type WonBy = "host" | "groups" | "none"

export interface EffectiveWindows {
  readonly won_by: WonBy
  /** One sentence that says why. */
  readonly why: string
  readonly open: ReadonlyArray<MaintenanceWindow>
  readonly blackouts: ReadonlyArray<MaintenanceWindow>
  /** Windows of the host's groups that its own ones replace. */
  readonly replaced: ReadonlyArray<MaintenanceWindow>
}

/** A host that no window covers. */
export const noWindows: EffectiveWindows = {
  won_by: "none",
  why: "No window covers this host: it has none of its own and none of its groups has one.",
  open: [],
  blackouts: [],
  replaced: []
}

const names = (windows: ReadonlyArray<MaintenanceWindow>): string =>
  windows.map((window) => `“${window.name}”`).join(", ")

const whyOf = (own: ReadonlyArray<MaintenanceWindow>, groups: ReadonlyArray<MaintenanceWindow>): string => {
  if (own.length > 0) {
    const instead = groups.length === 0 ? "" : ` They replace those of its groups: ${names(groups)}.`
    return `The host has windows of its own: ${names(own)}.${instead}`
  }
  return groups.length > 0
    ? `The host has no window of its own; those of its groups add up: ${names(groups)}.`
    : noWindows.why
}

/**
 * For asking about many hosts: hosts for which the same windows hold get the same object, so that what is worked out for one of
 * them is there for all.
 */
export const effectiveFor = (windows: ReadonlyArray<MaintenanceWindow>) => {
  const byOwner = new Map<string, Array<MaintenanceWindow>>()
  for (const window of windows) {
    if (!window.enabled) continue
    const { scope } = window
    const owner = scope.kind === "host" ? scope.host_id : scope.kind === "group" ? scope.group_id : "all"
    const list = byOwner.get(owner)
    if (list) list.push(window)
    else byOwner.set(owner, [window])
  }
  const known = new Map<string, EffectiveWindows>()
  return (host: WindowHost): EffectiveWindows => {
    const ofHost = byOwner.get(host.id) ?? []
    const ofGroups = host.group_ids.flatMap((id) => byOwner.get(id) ?? []).toSorted((a, b) => (a.id < b.id ? -1 : 1))
    const all = [...ofHost, ...ofGroups, ...(byOwner.get("all") ?? [])]
    if (all.length === 0) return noWindows
    const key = all.map((window) => window.id).join()
    const found = known.get(key)
    if (found) return found
    const own = ofHost.filter((window) => window.kind === "open")
    const groups = ofGroups.filter((window) => window.kind === "open")
    const effective: EffectiveWindows = {
      won_by: own.length > 0 ? "host" : groups.length > 0 ? "groups" : "none",
      why: whyOf(own, groups),
      open: own.length > 0 ? own : groups,
      blackouts: all.filter((window) => window.kind === "blackout"),
      replaced: own.length > 0 ? groups : []
    }
    known.set(key, effective)
    return effective
  }
}

const spans = (windows: ReadonlyArray<MaintenanceWindow>, from: number, to: number): Array<Interval> =>
  windows.flatMap((window) =>
    occurrencesDuring(window, from, to).map(({ opens_at, closes_at }) => ({
      opens_at,
      closes_at,
      window_ids: [window.id]
    }))
  )

/** Blackouts in force at some moment of the span, in order and apart. */
export const blackoutIntervals = (effective: EffectiveWindows, from: number, to: number): Array<Interval> =>
  union(spans(effective.blackouts, from, to))

/**
 * When the host may be worked on between `from` and `to`: in order, apart, as long as they really are, also beyond the span's
 * ends as far as the openings that touch it reach.
 */
export const openIntervals = (effective: EffectiveWindows, from: number, to: number): Array<Interval> => {
  const open = union(spans(effective.open, from, to))
  const last = open.at(-1)
  const first = open[0]
  if (first === undefined || last === undefined) return []
  const blackouts = blackoutIntervals(effective, first.opens_at, last.closes_at)
  return subtract(open, blackouts).filter(({ opens_at, closes_at }) => closes_at > from && opens_at < to)
}

export interface WindowState {
  /** The interval that is open now. */
  readonly open: Interval | null
  /** The one that opens after that. */
  readonly next: Interval | null
  readonly won_by: WonBy
  /** The blackout in force now, and when it ends. */
  readonly blackout: Interval | null
}

const AHEAD = 14 * DAY
/** Blackouts may take opening after opening away; after this many looks there is nothing to wait for. */
const LOOKS = 120

const firstOpen = (effective: EffectiveWindows, after: number): Interval | null => {
  let from = after
  for (let look = 0; look < LOOKS; look++) {
    const starts = effective.open.flatMap((window) => nextOccurrence(window, from)?.opens_at ?? [])
    // An opening under a blackout begins when the blackout ends, so what is open already counts too.
    const found = openIntervals(effective, from, from + AHEAD).find(({ opens_at }) => opens_at > after)
    if (found) return found
    if (starts.length === 0) return null
    from = Math.max(from + AHEAD, Math.min(...starts) - 1)
  }
  return null
}

const stateNow = (effective: EffectiveWindows, at: number): WindowState => {
  const open = openIntervals(effective, at, at + AHEAD).find(({ opens_at }) => opens_at <= at) ?? null
  return {
    open,
    next: firstOpen(effective, open === null ? at : open.closes_at - 1),
    won_by: effective.won_by,
    blackout: blackoutIntervals(effective, at, at + 1).find(({ opens_at }) => opens_at <= at) ?? null
  }
}

interface Remembered {
  readonly from: number
  readonly until: number
  readonly state: WindowState
}
const remembered = new WeakMap<EffectiveWindows, Remembered>()

/** Where the host's windows stand at this moment. Cheap to ask again: the answer is kept until the next one opens or closes. */
export const windowStateAt = (effective: EffectiveWindows, at: number): WindowState => {
  const kept = remembered.get(effective)
  if (kept !== undefined && kept.from <= at && at < kept.until) return kept.state
  const state = stateNow(effective, at)
  const edges = [state.open?.closes_at, state.next?.opens_at, state.blackout?.closes_at].filter(
    (edge) => edge !== undefined
  )
  // A blackout may begin while nothing is open; a day bounds how late that is noticed.
  const nextBlackout = effective.blackouts.flatMap((window) => nextOccurrence(window, at)?.opens_at ?? [])
  remembered.set(effective, { from: at, until: Math.min(...edges, ...nextBlackout, at + DAY), state })
  return state
}
