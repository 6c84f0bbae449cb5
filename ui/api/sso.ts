/** Identity providers that the sign-in page offers. */
import type { SsoChoice } from "#core/Sso.ts"
import { getJson } from "./client.ts"

export const readProviders = async (): Promise<ReadonlyArray<SsoChoice>> => {
  const answer = await getJson<{ readonly items: ReadonlyArray<SsoChoice> }>("/api/v1/auth/providers")
  return answer.items
}

/** Leaves the console for the provider, which sends the browser back to this page of it. `fresh`: to prove anew who is asking. */
export const ssoStart = (id: string, page: string, fresh = false): string =>
  `/api/v1/auth/sso/${encodeURIComponent(id)}/start?return_to=${encodeURIComponent(page)}${fresh ? "&fresh=true" : ""}`
