/** Who may connect, as the REST API gives and takes it. */
import type { NetworkAccess, NetworkChange } from "#core/AllowList.ts"
import { getJson, send } from "./client.ts"

export const readNetwork = (signal?: AbortSignal): Promise<NetworkAccess> => getJson("/api/v1/network", { signal })

export const changeNetwork = async (version: number, change: NetworkChange): Promise<NetworkAccess> => {
  const response = await send("PATCH", "/api/v1/network", { body: change, headers: { "if-match": `"${version}"` } })
  return (await response.json()) as NetworkAccess
}

export const confirmNetwork = async (version: number): Promise<NetworkAccess> => {
  const response = await send("POST", "/api/v1/network/confirm", { headers: { "if-match": `"${version}"` } })
  return (await response.json()) as NetworkAccess
}
