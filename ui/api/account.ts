/** One's own sessions and API tokens, as the REST API gives and takes them. */
import type { ApiToken, ApiTokenMade, NewApiToken } from "#core/ApiToken.ts"
import type { Page } from "#core/Page.ts"
import type { SessionItem } from "#core/Session.ts"
import { getJson, postJson, send } from "./client.ts"

const sessions = "/api/v1/auth/sessions"
const tokens = "/api/v1/tokens"

interface Paging {
  readonly cursor?: string | undefined
  readonly limit: number
}

export const listOwnSessions = (paging: Paging, signal?: AbortSignal): Promise<Page<SessionItem>> =>
  getJson(sessions, { query: { ...paging }, signal })

export const endOwnSession = async (id: string): Promise<void> => {
  await send("DELETE", `${sessions}/${encodeURIComponent(id)}`)
}

/** Every session but the one that asks; answers how many. */
export const endOtherSessions = async (): Promise<number> => {
  let ended = 0
  for (;;) {
    const { items } = await listOwnSessions({ limit: 100 })
    const others = items.filter(({ current }) => !current)
    if (others.length === 0) return ended
    for (const { id } of others) await endOwnSession(id)
    ended += others.length
  }
}

export const listOwnTokens = (paging: Paging, signal?: AbortSignal): Promise<Page<ApiToken>> =>
  getJson(tokens, { query: { ...paging }, signal })

export const createToken = (token: NewApiToken, key: string): Promise<ApiTokenMade> =>
  postJson(tokens, { body: token, headers: { "idempotency-key": key } })

export const revokeToken = async (id: string): Promise<void> => {
  await send("DELETE", `${tokens}/${encodeURIComponent(id)}`)
}
