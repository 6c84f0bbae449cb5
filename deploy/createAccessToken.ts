/** Signs the machine itself in as the first administrator, for what `npm start` does over the ordinary API. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { newRequestId } from "#core/newId.ts"
import { randomToken, tokenHash } from "#http/server/opaqueToken.ts"
import { SigningKey } from "#http/server/SigningKey.ts"
import { WebConfig } from "#http/server/WebSettings.ts"
import { layer as databaseLayer } from "#sql/Database.ts"
import { openSession } from "#sql/SessionStore.ts"
import { findByUsername } from "#sql/UserStore.ts"
import type { ConfigValues } from "./Config.ts"
import { dataFiles } from "./DataDirectory.ts"

/** For 15 minutes and not renewable: its refresh token is never told to anybody. */
export const createAccessToken = (config: ConfigValues): Promise<string> => {
  const { webUrl } = config.database
  if (webUrl === undefined) return Promise.reject(new Error("Signing in needs a database."))
  const database = databaseLayer({
    url: Redacted.value(webUrl),
    applicationName: "patch-manager start",
    maxConnections: 1
  })
  const web = Layer.succeed(
    WebConfig,
    WebConfig.make({
      bind: config.web.bind,
      port: config.web.port,
      publicUrl: config.web.publicUrl,
      tls: { key: "", cert: "" },
      consoleDirectory: config.web.consoleDir,
      jwtKeyFile: dataFiles(config.dataDir).jwtKey,
      managerAddress: null,
      securityTargetDays: 14
    })
  )
  return Effect.runPromise(
    Effect.gen(function* () {
      const account = yield* findByUsername("admin")
      if (account === null) return yield* Effect.die(new Error("There is no administrator named admin."))
      const signing = yield* SigningKey
      const session = yield* openSession(
        {
          actor: { kind: "machine", id: "start", name: "npm start" },
          request_id: newRequestId(),
          source_address: "local"
        },
        account.user.id,
        tokenHash(randomToken()),
        { source_address: "127.0.0.1", user_agent: "npm start" },
        { stage: "full", factor: "machine" }
      )
      return yield* signing.sign(account.user.id, session)
    }).pipe(Effect.provide(Layer.provideMerge(Layer.provide(SigningKey.layer, web), database)))
  )
}
