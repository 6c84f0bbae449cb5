/** Maintenance windows, as the REST API gives and takes them. */
import type { Page } from "#core/Page.ts"
import type {
  HostWindows,
  NewWindow,
  SimulationAnswer,
  SimulationRequest,
  UpcomingOpening,
  WindowChange,
  WindowItem,
  WindowKind,
  WindowOpenings
} from "#core/Window.ts"
import { getJson, postJson, send } from "./client.ts"

const path = (id: string, rest = ""): string => `/api/v1/windows/${encodeURIComponent(id)}${rest}`

export interface WindowListRequest {
  readonly q?: string | undefined
  readonly kind?: WindowKind | undefined
  readonly group_id?: string | undefined
  readonly host_id?: string | undefined
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
}

export const listWindows = (request: WindowListRequest, signal?: AbortSignal): Promise<Page<WindowItem>> =>
  getJson("/api/v1/windows", { query: { ...request }, signal })

export const createWindow = (window: NewWindow, key: string): Promise<WindowItem> =>
  postJson("/api/v1/windows", { body: window, headers: { "idempotency-key": key } })

export const changeWindow = async (window: WindowItem, change: WindowChange): Promise<WindowItem> => {
  const headers = { "if-match": `"${window.version}"` }
  return (await (await send("PATCH", path(window.id), { body: change, headers })).json()) as WindowItem
}

export const deleteWindow = async (id: string): Promise<void> => {
  await send("DELETE", path(id))
}

/** What opens next, the soonest first. */
export const listUpcoming = (limit: number, signal?: AbortSignal): Promise<Page<UpcomingOpening>> =>
  getJson("/api/v1/windows/upcoming", { query: { limit }, signal })

export const readOpenings = (id: string, signal?: AbortSignal): Promise<WindowOpenings> =>
  getJson(path(id, "/occurrences"), { query: { limit: 10 }, signal })

export const readHostWindows = (id: string, signal?: AbortSignal): Promise<HostWindows> =>
  getJson(`/api/v1/hosts/${encodeURIComponent(id)}/windows`, { query: { limit: 8 }, signal })

/** Runs the scheduler's code over the coming weeks; changes nothing. */
export const simulateWindows = (request: SimulationRequest, signal?: AbortSignal): Promise<SimulationAnswer> =>
  postJson("/api/v1/windows/simulate", { body: request, signal })
