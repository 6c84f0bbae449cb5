/** The coming weeks by the scheduler's own functions, with drafts as if they were saved. */
import { Effect } from "effect"
import { refuseField } from "#core/Errors.ts"
import { type HostId, WindowId } from "#core/Ids.ts"
import { newId } from "#core/newId.ts"
import { faultOf, type MaintenanceWindow, type SimulationAnswer, type SimulationRequest } from "#core/Window.ts"
import { queuedStarts } from "#core/plan/queuedStarts.ts"
import { opening } from "#core/window/firings.ts"
import { simulate } from "#core/window/simulate.ts"
import { CurrentCaller } from "#http/api/Authentication.ts"
import { databaseNow } from "#sql/Database.ts"
import { readEnabledWindows, readPastDurations, readQueued, readWindowHosts } from "#sql/WindowRunStore.ts"
import { contentOf, getWindow, mustReachScope } from "#sql/WindowStore.ts"
import { hidesNames, OTHER_GROUP } from "./hostWindows.ts"

const WEEK = 7 * 86_400_000
const MOST_FIRINGS = 5_000
const MINUTE = 60_000

const moment = (at: number): string => new Date(at).toISOString()

type Draft = NonNullable<SimulationRequest["drafts"]>[number]

/** A draft as the window it would be; refused where saving it would be refused. */
const draftWindow = Effect.fnUntraced(function* (draft: Draft, index: number, now: number) {
  const { principal } = yield* CurrentCaller
  const content = contentOf(draft.window)
  const fault = faultOf(content)
  if (fault !== null) return yield* refuseField(`payload.drafts.${index}.window.${fault.path}`, fault.message)
  yield* mustReachScope(principal, content.scope)
  if (draft.id !== undefined) yield* getWindow(principal, draft.id)
  const at = moment(now)
  const window: MaintenanceWindow = {
    ...content,
    id: draft.id ?? newId(WindowId),
    version: 0,
    watched_since: at,
    created_by: principal.username,
    created_at: at,
    updated_at: at
  }
  return window
})

export const simulateWindows = Effect.fnUntraced(function* (request: SimulationRequest) {
  const { principal } = yield* CurrentCaller
  const from = yield* databaseNow
  const to = from + request.weeks * WEEK
  const drafts = yield* Effect.forEach(request.drafts ?? [], (draft, index) => draftWindow(draft, index, from))
  yield* Effect.forEach(request.without ?? [], (id) => getWindow(principal, id), { discard: true })
  const gone = new Set<string>([...(request.without ?? []), ...drafts.map((draft) => draft.id)])
  const saved = (yield* readEnabledWindows).filter((window) => !gone.has(window.id))
  const hosts = yield* readWindowHosts(principal)
  const places = new Map(hosts.map((host, place) => [host.id, place]))
  const mayName = (window: MaintenanceWindow): boolean =>
    !hidesNames(principal, window) && (window.scope.kind !== "host" || places.has(window.scope.host_id))
  const windows = [...saved, ...drafts].map((window) => (mayName(window) ? window : { ...window, name: OTHER_GROUP }))
  const durations = yield* readPastDurations(hosts.map((host) => host.id))
  const { firings, clashes, too_short, never_covered } = simulate({ windows, hosts }, durations, from, to)
  const queued = queuedStarts({ windows, hosts }, yield* readQueued, from, to)

  const placesOf = (ids: ReadonlyArray<HostId>): Array<number> => ids.flatMap((id) => places.get(id) ?? [])
  const sets = new Map<string, number>()
  const host_sets: Array<ReadonlyArray<number>> = []
  const setOf = (ids: ReadonlyArray<HostId>): number => {
    const key = ids.join()
    const known = sets.get(key)
    if (known !== undefined) return known
    sets.set(key, host_sets.length)
    return host_sets.push(placesOf(ids)) - 1
  }
  const named = new Set(windows.filter(mayName).map((window) => window.id))
  const reaching = new Set(
    [...firings, ...too_short].filter(({ host_ids }) => host_ids.length > 0).map(({ window_id }) => window_id)
  )
  // Somebody else's window that reaches none of the caller's hosts is left out whole.
  const isShown = (id: WindowId): boolean => named.has(id) || reaching.has(id)
  const shown = firings.filter((firing) => isShown(firing.window_id))
  const answer: SimulationAnswer = {
    from: moment(from),
    to: moment(to),
    windows: opening(windows)
      .filter((window) => isShown(window.id))
      .map((window) => ({
        id: window.id,
        name: window.name,
        time_zone: window.time_zone,
        draft: drafts.some((draft) => draft.id === window.id)
      })),
    hosts: hosts.map(({ id, display_name }) => ({ id, display_name })),
    host_sets,
    firings: shown.slice(0, MOST_FIRINGS).map((firing) => ({
      window_id: firing.window_id,
      opens_at: moment(firing.opens_at),
      closes_at: moment(firing.closes_at),
      fires_at: moment(firing.fires_at),
      ends_at: moment(firing.ends_at),
      hindrance: firing.hindrance,
      host_set: setOf(firing.host_ids)
    })),
    firings_total: shown.length,
    clashes: clashes.map((clash) => ({
      window_ids: clash.window_ids,
      first_at: moment(clash.first_at),
      times: clash.times,
      hosts: placesOf(clash.host_ids)
    })),
    too_short: too_short.map((finding) => ({
      window_id: finding.window_id,
      shortest_minutes: Math.floor(finding.shortest_ms / MINUTE),
      median_minutes: Math.ceil(finding.median_ms / MINUTE),
      p95_minutes: Math.ceil(finding.longest_p95_ms / MINUTE),
      hosts: placesOf(finding.host_ids)
    })),
    never_covered: never_covered.map(({ host_id, why }) => ({ host: places.get(host_id) ?? 0, why })),
    queued: queued.slice(0, MOST_FIRINGS).map(({ job_id, job_number, starts_at, host_ids }) => ({
      job_id,
      job_number,
      starts_at: starts_at === null ? null : moment(starts_at),
      host_set: setOf(host_ids)
    }))
  }
  return answer
})
