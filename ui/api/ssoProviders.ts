/** Identity providers as administrators keep them. Every change wants fresh proof of who is asking. */
import type { Page } from "#core/Page.ts"
import type { NewSsoProvider, SsoProvider, SsoProviderChange, SsoTest } from "#core/Sso.ts"
import { getJson, postJson, send } from "./client.ts"
import { withStepUp } from "./stepUp.ts"

const path = "/api/v1/sso/providers"

export const listSsoProviders = (
  request: { readonly cursor?: string | undefined; readonly limit?: number },
  signal?: AbortSignal
): Promise<Page<SsoProvider>> => getJson(path, { query: { ...request }, signal })

export const createSsoProvider = (provider: NewSsoProvider, key: string): Promise<SsoProvider> =>
  withStepUp(() => postJson(path, { body: provider, headers: { "idempotency-key": key } }))

export const changeSsoProvider = (
  { id, version }: Pick<SsoProvider, "id" | "version">,
  change: SsoProviderChange
): Promise<SsoProvider> =>
  withStepUp(async () => {
    const headers = { "if-match": `"${version}"` }
    return (await (await send("PATCH", `${path}/${id}`, { body: change, headers })).json()) as SsoProvider
  })

export const deleteSsoProvider = (id: string): Promise<void> =>
  withStepUp(async () => void (await send("DELETE", `${path}/${id}`)))

/** Takes up to half a minute where the provider does not answer. */
export const testSsoProvider = (id: string): Promise<SsoTest> => withStepUp(() => postJson(`${path}/${id}/test`))
