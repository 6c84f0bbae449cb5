/** The maintenance windows of the contract: rows from sql, moments from core/window. */
import { Effect } from "effect"
import { HttpApiBuilder, HttpApiSchema } from "effect/http-api"
import type { WindowId } from "#core/Ids.ts"
import type { NewWindow, Opening, UpcomingOpening, WindowChange, WindowItem } from "#core/Window.ts"
import { nextOccurrences, type Occurrence } from "#core/window/occurrences.ts"
import { stateOf } from "#core/window/stateOf.ts"
import { Api } from "#http/api/Api.ts"
import { CurrentCaller } from "#http/api/Authentication.ts"
import { databaseNow } from "#sql/Database.ts"
import { once } from "#sql/IdempotencyStore.ts"
import { readRuns } from "#sql/WindowRunStore.ts"
import {
  deleteWindow,
  getWindow,
  insertWindow,
  listWindows,
  type StoredWindowItem,
  updateWindow,
  type WindowListRequest
} from "#sql/WindowStore.ts"
import { hostWindows } from "./hostWindows.ts"
import { readIfMatch } from "./ifMatch.ts"
import { simulateWindows } from "./simulateWindows.ts"
import { answered } from "./translate.ts"

const DEFAULT_OPENINGS = 10
const RUNS_SHOWN = 50

const moment = (at: number): string => new Date(at).toISOString()

const opening = ({ opens_at, closes_at, local_date, clock_change }: Occurrence): Opening => ({
  opens_at: moment(opens_at),
  closes_at: moment(closes_at),
  local_date,
  clock_change
})

const withState = (window: StoredWindowItem, now: number): WindowItem => {
  const { state, current, next } = stateOf(window, now)
  return { ...window, state, current: current && opening(current), next: next && opening(next) }
}

const list = Effect.fnUntraced(function* (query: WindowListRequest) {
  const { principal } = yield* CurrentCaller
  const page = yield* listWindows(principal, query)
  const now = yield* databaseNow
  return { ...page, items: page.items.map((window) => withState(window, now)) }
})

const create = Effect.fnUntraced(function* (key: string, window: NewWindow) {
  const caller = yield* CurrentCaller
  const request = { caller, key, operation: "windows.create", request: window, status: 201 }
  const { answer } = yield* once(request, insertWindow(caller, window))
  return withState(answer, yield* databaseNow)
})

const tagged = Effect.fnUntraced(function* (window: StoredWindowItem) {
  const body = withState(window, yield* databaseNow)
  return HttpApiSchema.withHeaders({ body, headers: { etag: `"${window.version}"` } })
})

const update = Effect.fnUntraced(function* (id: WindowId, ifMatch: string | undefined, change: WindowChange) {
  const caller = yield* CurrentCaller
  const version = yield* readIfMatch(ifMatch, "window")
  return yield* tagged(yield* updateWindow(caller, id, version, change))
})

const occurrences = Effect.fnUntraced(function* (id: WindowId, limit: number) {
  const { principal } = yield* CurrentCaller
  const window = yield* getWindow(principal, id)
  const runs = yield* readRuns(id, RUNS_SHOWN)
  const openings = window.enabled ? nextOccurrences(window, yield* databaseNow, limit) : []
  return { openings: openings.map(opening), runs }
})

const upcoming = Effect.fnUntraced(function* (limit: number) {
  const { principal } = yield* CurrentCaller
  const now = yield* databaseNow
  const { items } = yield* listWindows(principal, { enabled: true, limit: 500 })
  const openings = items.flatMap((window) =>
    nextOccurrences(window, now, limit).map((occurrence): UpcomingOpening => ({
      window_id: window.id,
      name: window.name,
      kind: window.kind,
      scope_name: window.scope_name,
      hosts_total: window.hosts_total,
      automatic: window.auto_apply !== null,
      time_zone: window.time_zone,
      ...opening(occurrence)
    }))
  )
  // All in UTC, so the texts sort as the moments do.
  const order = (item: UpcomingOpening): string => `${item.opens_at} ${item.name}`
  const shown = openings.toSorted((a, b) => (order(a) < order(b) ? -1 : 1)).slice(0, limit)
  return { items: shown, total: shown.length, next_cursor: null }
})

export const layer = HttpApiBuilder.group(Api, "windows", (handlers) =>
  handlers.handleAll({
    list: ({ query }) => answered(list(query)),
    create: ({ headers, payload }) => answered(create(headers["idempotency-key"], payload)),
    upcoming: ({ query }) => answered(upcoming(query.limit ?? DEFAULT_OPENINGS)),
    simulate: ({ payload }) => answered(simulateWindows(payload)),
    get: ({ params }) =>
      answered(
        Effect.flatMap(CurrentCaller, ({ principal }) => Effect.flatMap(getWindow(principal, params.id), tagged))
      ),
    update: ({ params, headers, payload }) => answered(update(params.id, headers["if-match"], payload)),
    remove: ({ params }) => answered(Effect.flatMap(CurrentCaller, (caller) => deleteWindow(caller, params.id))),
    occurrences: ({ params, query }) => answered(occurrences(params.id, query.limit ?? DEFAULT_OPENINGS)),
    ofHost: ({ params, query }) => answered(hostWindows(params.id, query.limit ?? DEFAULT_OPENINGS))
  })
)
