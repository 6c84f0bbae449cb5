/** Where a provider's secret lies, and where it sends people back to. */
import { Effect } from "effect"
import type { SsoProviderId } from "#core/Ids.ts"
import type { SealedPlace } from "./ColumnCipher.ts"
import { WebConfig } from "./WebSettings.ts"

export const secretPlace = (id: SsoProviderId): SealedPlace => ({
  table: "azure_sso_config",
  column: "client_secret",
  row: id
})

/** One a provider, so that a code meant for one cannot be handed in at another. Made of the manager's own address only. */
export const redirectUri = (id: SsoProviderId) =>
  Effect.map(WebConfig, ({ publicUrl }) => new URL(`/api/v1/auth/sso/${id}/callback`, publicUrl).href)
