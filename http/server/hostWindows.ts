/** Which windows hold for a host, as its page shows it. */
import { Effect } from "effect"
import type { HostId } from "#core/Ids.ts"
import type { Principal } from "#core/User.ts"
import type { HostWindow, HostWindows, MaintenanceWindow, OpenSpan } from "#core/Window.ts"
import { effectiveFor, openIntervals, windowStateAt } from "#core/window/effective.ts"
import type { Interval } from "#core/window/intervals.ts"
import { ruleWords } from "#core/window/words.ts"
import { CurrentCaller } from "#http/api/Authentication.ts"
import { databaseNow } from "#sql/Database.ts"
import { getHost } from "#sql/HostStore.ts"
import { readEffectiveWindows } from "#sql/WindowStore.ts"

const DAY = 86_400_000
const LOOK_AHEAD = 100 * DAY

/** An operator is told that another group's window holds, and when; not whose it is. */
export const hidesNames = (principal: Principal, { scope }: MaintenanceWindow): boolean =>
  principal.role === "operator" && scope.kind === "group" && !principal.group_ids.includes(scope.group_id)

export const OTHER_GROUP = "a window of another group"

export const hostWindows = Effect.fnUntraced(function* (id: HostId, limit: number) {
  const { principal } = yield* CurrentCaller
  const host = yield* getHost(principal, id)
  const stored = (yield* readEffectiveWindows([id])).get(id)
  const now = yield* databaseNow
  const groups = new Map<string, string>(host.groups.map((group) => [group.id, group.name]))
  const all = stored === undefined ? [] : [...stored.open, ...stored.blackouts, ...stored.replaced]
  const shownAs = new Map<string, MaintenanceWindow>(
    all.map((window) => [window.id, hidesNames(principal, window) ? { ...window, name: OTHER_GROUP } : window])
  )
  // Weighed again under the names that are shown, so that the sentence says no others.
  const group_ids = new Set(all.flatMap(({ scope }) => (scope.kind === "group" ? scope.group_id : [])))
  const effective = effectiveFor([...shownAs.values()])({ id, group_ids: [...group_ids] })

  const brief = (window: MaintenanceWindow): HostWindow => {
    const hidden = hidesNames(principal, window)
    return {
      id: hidden ? null : window.id,
      name: window.name,
      kind: window.kind,
      source: hidden ? "other_group" : window.scope.kind,
      group_name: window.scope.kind === "group" && !hidden ? (groups.get(window.scope.group_id) ?? null) : null,
      words: ruleWords(window),
      automatic: window.auto_apply !== null
    }
  }
  const span = ({ opens_at, closes_at, window_ids }: Interval): OpenSpan => ({
    opens_at: new Date(opens_at).toISOString(),
    closes_at: new Date(closes_at).toISOString(),
    window_names: window_ids.map((windowId) => shownAs.get(windowId)?.name ?? OTHER_GROUP)
  })

  const state = windowStateAt(effective, now)
  const soon = openIntervals(effective, now, now + LOOK_AHEAD).filter(({ opens_at }) => opens_at > now)
  const next = soon.length > 0 ? soon.slice(0, limit) : state.next === null ? [] : [state.next]
  const answer: HostWindows = {
    won_by: effective.won_by,
    why: effective.why,
    windows: effective.open.map(brief),
    blackouts: effective.blackouts.map(brief),
    replaced: effective.replaced.map(brief),
    open: state.open && span(state.open),
    blackout: state.blackout && span(state.blackout),
    next: next.map(span)
  }
  return answer
})
