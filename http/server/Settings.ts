/** The settings of the contract. */
import { Effect } from "effect"
import { HttpApiBuilder, HttpApiSchema } from "effect/http-api"
import type { Settings } from "#core/Settings.ts"
import { Api } from "#http/api/Api.ts"
import { CurrentCaller } from "#http/api/Authentication.ts"
import { changeSettings, readSettings } from "#sql/SettingsStore.ts"
import { readIfMatch } from "./ifMatch.ts"
import { answered } from "./translate.ts"

const tagged = (settings: Settings) =>
  HttpApiSchema.withHeaders({ body: settings, headers: { etag: `"${settings.version}"` } })

export const layer = HttpApiBuilder.group(Api, "settings", (handlers) =>
  handlers.handleAll({
    get: () => answered(Effect.map(readSettings(), tagged)),
    update: ({ headers, payload }) =>
      answered(
        Effect.gen(function* () {
          const caller = yield* CurrentCaller
          const version = yield* readIfMatch(headers["if-match"], "settings")
          return tagged(yield* changeSettings(caller, version, payload))
        })
      )
  })
)
