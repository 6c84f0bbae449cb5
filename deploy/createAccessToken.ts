/** A short-lived API token of the first administrator, for the work that `npm start` does over the ordinary API. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { createToken } from "#http/server/createToken.ts"
import { layer as databaseLayer } from "#sql/Database.ts"
import type { ConfigValues } from "./Config.ts"

/** Valid for ten minutes. */
export const createAccessToken = (config: ConfigValues): Promise<string> => {
  if (config.databaseUrl === undefined) return Promise.reject(new Error("A token needs a database."))
  const database = databaseLayer({
    url: Redacted.value(config.databaseUrl),
    applicationName: "patch-manager start",
    maxConnections: 1
  })
  return Effect.runPromise(
    createToken({ username: "admin", name: "first start", expiresIn: "10 minutes" }).pipe(Effect.provide(database))
  )
}
