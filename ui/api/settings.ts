/** Settings, as the REST API gives and takes them. */
import type { Settings, SettingsChange } from "#core/Settings.ts"
import { getJson, send } from "./client.ts"

export const readSettings = (signal?: AbortSignal): Promise<Settings> => getJson("/api/v1/settings", { signal })

export const changeSettings = async (version: number, change: SettingsChange): Promise<Settings> => {
  const response = await send("PATCH", "/api/v1/settings", { body: change, headers: { "if-match": `"${version}"` } })
  return (await response.json()) as Settings
}
