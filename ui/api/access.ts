/** Everybody's sessions and API tokens, for those who watch over them. */
import type { ApiToken } from "#core/ApiToken.ts"
import type { Page } from "#core/Page.ts"
import type { SessionItem } from "#core/Session.ts"
import { getJson, send } from "./client.ts"
import { withStepUp } from "./stepUp.ts"

export const listSessions = (
  request: { readonly user_id?: string | undefined; readonly cursor?: string | undefined; readonly limit: number },
  signal?: AbortSignal
): Promise<Page<SessionItem>> => getJson("/api/v1/sessions", { query: { ...request }, signal })

export const endSession = async (id: string): Promise<void> => {
  await withStepUp(() => send("DELETE", `/api/v1/sessions/${encodeURIComponent(id)}`))
}

export const listAllTokens = (
  request: { readonly cursor?: string | undefined; readonly limit: number },
  signal?: AbortSignal
): Promise<Page<ApiToken>> => getJson("/api/v1/tokens", { query: { ...request, all: true }, signal })

export const revokeToken = async (id: string): Promise<void> => {
  await withStepUp(() => send("DELETE", `/api/v1/tokens/${encodeURIComponent(id)}`))
}
