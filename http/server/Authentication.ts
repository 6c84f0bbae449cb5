/** Bearer token to caller, and what the endpoint asks of him, before the request is read any further. */
import { Context, Effect, Layer, Redacted } from "effect"
import { HttpServerRequest } from "effect/http"
import { SqlClient } from "effect/sql"
import { Unauthorized } from "#core/Errors.ts"
import { ACTIVITY_HEADER } from "#http/api/Auth.ts"
import { Authentication, CurrentCaller } from "#http/api/Authentication.ts"
import { RequestId } from "#http/api/Errors.ts"
import { RequiredPermission } from "#http/api/RequiredPermission.ts"
import { withRowScope } from "#sql/rowScope.ts"
import { authorizeFor } from "./authorize.ts"
import { Credentials } from "./Credentials.ts"
import { noteRefusal } from "./noteRefusal.ts"
import { inTurn } from "./RateLimiter.ts"
import { sourceAddress } from "./sourceAddress.ts"
import { answered } from "./translate.ts"

const missing = new Unauthorized({ message: "Sign in first: this needs a Bearer token." })

/** Whether somebody caused the request by doing something, as the console marks it. */
export const isByHand = ({ headers }: HttpServerRequest.HttpServerRequest): boolean => headers[ACTIVITY_HEADER] === "1"

/** The caller behind a token, with what the audit log wants to know of the request. */
export const callerOf = Effect.fnUntraced(function* (token: string) {
  if (token === "") return yield* missing
  const credentials = yield* Credentials
  const request = yield* HttpServerRequest.HttpServerRequest
  const principal = yield* credentials.authenticate(token, isByHand(request))
  return { principal, request_id: yield* RequestId, source_address: sourceAddress(request) }
})

export const layer = Layer.effect(
  Authentication,
  Effect.gen(function* () {
    const credentials = yield* Credentials
    const sql = yield* SqlClient.SqlClient
    return Authentication.of({
      bearer: Effect.fnUntraced(function* (handler, { credential, endpoint }) {
        const caller = yield* answered(callerOf(Redacted.value(credential))).pipe(
          Effect.provideService(Credentials, credentials)
        )
        const { annotations } = endpoint
        const need = Context.get(annotations, RequiredPermission)
        yield* authorizeFor(caller.principal, need, annotations).pipe(
          Effect.tapErrorTag("Forbidden", () =>
            Effect.provideService(
              noteRefusal(caller, `${endpoint.method} ${endpoint.path}`, need),
              SqlClient.SqlClient,
              sql
            )
          )
        )
        const scoped = withRowScope(caller.principal)(Effect.provideService(handler, CurrentCaller, caller))
        return yield* inTurn(caller.principal.user_id, scoped)
      })
    })
  })
)
