/** Status and envelope of every error: the wire form of the classes in core/Errors.ts. */
import { Context, Effect, Schema, SchemaGetter } from "effect"
import { HttpApiSchema } from "effect/http-api"
import {
  BadRequest,
  Conflict,
  ErrorDetails,
  Forbidden,
  NotFound,
  PreconditionFailed,
  PreconditionRequired,
  TooManyRequests,
  Unauthorized,
  Unavailable,
  Unprocessable
} from "#core/Errors.ts"

/** Id of the request being answered; also in `X-Request-Id` and in every log line about it. */
export const RequestId = Context.Reference<string>("patch-manager/http/RequestId", { defaultValue: () => "-" })

export const ErrorEnvelope = Schema.Struct({
  error: Schema.Struct({
    code: Schema.String,
    message: Schema.String,
    request_id: Schema.String,
    details: ErrorDetails
  })
}).annotate({ identifier: "ErrorEnvelope" })
export type ErrorEnvelope = typeof ErrorEnvelope.Type

interface Fields {
  readonly code: string
  readonly message: string
  readonly details: ErrorDetails
}

/** One class per status: two with the same status cannot be told apart by a client. */
const wire = <A extends Fields>(self: Schema.Codec<A, unknown> & (new (fields: Fields) => A), status: number) =>
  ErrorEnvelope.pipe(
    Schema.decodeTo(Schema.toType(self), {
      decode: SchemaGetter.transform(
        ({ error }: ErrorEnvelope) => new self({ code: error.code, message: error.message, details: error.details })
      ),
      encode: SchemaGetter.transformEffect(({ code, message, details }: A) =>
        Effect.map(RequestId, (request_id) => ({ error: { code, message, request_id, details } }))
      )
    }),
    HttpApiSchema.status(status)
  )

export const BadRequestWire = wire(BadRequest, 400)
export const UnauthorizedWire = wire(Unauthorized, 401)
export const ForbiddenWire = wire(Forbidden, 403)
export const NotFoundWire = wire(NotFound, 404)
export const ConflictWire = wire(Conflict, 409)
export const PreconditionFailedWire = wire(PreconditionFailed, 412)
export const UnprocessableWire = wire(Unprocessable, 422)
export const PreconditionRequiredWire = wire(PreconditionRequired, 428)
/** Comes with `Retry-After`. */
export const TooManyRequestsWire = wire(TooManyRequests, 429)
/** Comes with `Retry-After`. */
export const UnavailableWire = wire(Unavailable, 503)
