/** A session without the ceremony of signing in: second factors are tested where signing in is. */
import { Effect, Layer, References } from "effect"
import { newRequestId } from "#core/newId.ts"
import { randomToken, tokenHash } from "#http/server/opaqueToken.ts"
import { SigningKey } from "#http/server/SigningKey.ts"
import { WebConfig } from "#http/server/WebSettings.ts"
import { type Beginning, openSession } from "#sql/SessionStore.ts"
import { findByUsername } from "#sql/UserStore.ts"

/** `web` says where the key lies and who the issuer is: the same as for the web process that takes the tokens. */
export const mintSession = Effect.fnUntraced(function* (
  web: { readonly jwtKeyFile: string; readonly publicUrl: string },
  username: string,
  beginning: Beginning = { stage: "full", factor: "totp" }
) {
  const account = yield* findByUsername(username)
  if (account === null) return yield* Effect.die(new Error(`There is no user named ${username}.`))
  const { id } = account.user
  const config = WebConfig.make({
    bind: "127.0.0.1",
    port: 0,
    tls: { key: "", cert: "" },
    consoleDirectory: "",
    managerAddress: null,
    securityTargetDays: 14,
    ...web
  })
  const refreshToken = randomToken()
  const session = yield* openSession(
    { actor: { kind: "user", id, name: username }, request_id: newRequestId(), source_address: "127.0.0.1" },
    id,
    tokenHash(refreshToken),
    { source_address: "127.0.0.1", user_agent: "" },
    beginning
  )
  const token = yield* Effect.scoped(
    Effect.flatMap(Layer.build(Layer.provide(SigningKey.layer, Layer.succeed(WebConfig, config))), (services) =>
      Effect.flatMap(SigningKey, (signing) => signing.sign(id, session)).pipe(Effect.provideContext(services))
    )
  ).pipe(Effect.provideService(References.MinimumLogLevel, "None"))
  return { token, session, cookie: `__Host-refresh=${refreshToken}` }
})
