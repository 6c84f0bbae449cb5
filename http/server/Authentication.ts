/** Bearer token to caller, and the permission the endpoint names, before the request is read any further. */
import { Context, Effect, Layer, Redacted } from "effect"
import { HttpServerRequest } from "effect/http"
import { Unauthorized } from "#core/Errors.ts"
import { Authentication, CurrentCaller } from "#http/api/Authentication.ts"
import { RequestId } from "#http/api/Errors.ts"
import { RequiredPermission } from "#http/api/RequiredPermission.ts"
import { authorize } from "./authorize.ts"
import { Credentials } from "./Credentials.ts"
import { sourceAddress } from "./sourceAddress.ts"
import { answered } from "./translate.ts"

const missing = new Unauthorized({ message: "Sign in first: this needs a Bearer token." })

/** The caller behind a token, with what the audit log wants to know of the request. */
export const callerOf = Effect.fnUntraced(function* (token: string) {
  if (token === "") return yield* missing
  const credentials = yield* Credentials
  const principal = yield* credentials.authenticate(token)
  const request = yield* HttpServerRequest.HttpServerRequest
  return { principal, request_id: yield* RequestId, source_address: sourceAddress(request) }
})

export const layer = Layer.effect(
  Authentication,
  Effect.gen(function* () {
    const credentials = yield* Credentials
    return Authentication.of({
      bearer: Effect.fnUntraced(function* (handler, { credential, endpoint }) {
        const caller = yield* answered(callerOf(Redacted.value(credential))).pipe(
          Effect.provideService(Credentials, credentials)
        )
        yield* authorize(caller.principal, Context.get(endpoint.annotations, RequiredPermission))
        return yield* Effect.provideService(handler, CurrentCaller, caller)
      })
    })
  })
)
