/** Holds, as the REST API gives and takes them. */
import type { Hold, HoldChange, NewHold } from "#core/Hold.ts"
import type { Page } from "#core/Page.ts"
import { getJson, postJson, send } from "./client.ts"

export interface HoldListRequest {
  readonly host_id?: string | undefined
  readonly group_id?: string | undefined
  readonly active?: boolean | undefined
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
}

export const listHolds = (request: HoldListRequest, signal?: AbortSignal): Promise<Page<Hold>> =>
  getJson("/api/v1/holds", { query: { ...request }, signal })

export const createHold = (hold: NewHold, key: string): Promise<Hold> =>
  postJson("/api/v1/holds", { body: hold, headers: { "idempotency-key": key } })

export const changeHold = async (hold: Hold, change: HoldChange): Promise<Hold> => {
  const headers = { "if-match": `"${hold.version}"` }
  return (await (await send("PATCH", `/api/v1/holds/${hold.id}`, { body: change, headers })).json()) as Hold
}

export const endHold = async (id: string): Promise<void> => {
  await send("DELETE", `/api/v1/holds/${id}`)
}
