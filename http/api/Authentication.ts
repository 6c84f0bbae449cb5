/** Middleware every endpoint behind sign-in carries, and what it gives to the handlers. */
import { Context } from "effect"
import { HttpApiMiddleware, HttpApiSecurity } from "effect/http-api"
import type { Caller } from "#core/User.ts"
import { BadRequestWire, ForbiddenWire, UnauthorizedWire, UnavailableWire, UnprocessableWire } from "./Errors.ts"

export class CurrentCaller extends Context.Service<CurrentCaller, Caller>()("patch-manager/http/CurrentCaller") {}

/** An access token or an API token as Bearer; checked before a byte of the body is read. */
export class Authentication extends HttpApiMiddleware.Service<Authentication, { provides: CurrentCaller }>()(
  "patch-manager/http/Authentication",
  {
    requiredForClient: true,
    security: { bearer: HttpApiSecurity.bearer },
    error: [UnauthorizedWire, ForbiddenWire, UnavailableWire]
  }
) {}

/** What can go wrong with any request: it cannot be read, it breaks the schema, or the database is away. */
export class RequestErrors extends HttpApiMiddleware.Service<RequestErrors>()("patch-manager/http/RequestErrors", {
  error: [BadRequestWire, UnprocessableWire, UnavailableWire]
}) {}
