/**
 * What the manager answers when it cannot do what was asked. Stores and handlers fail with these;
 * `http/api/Errors.ts` gives each its status and its envelope.
 */
import { Effect, Schema } from "effect"

export const FieldError = Schema.Struct({ path: Schema.String, message: Schema.String })
export type FieldError = typeof FieldError.Type

export const ErrorDetails = Schema.Struct({
  /** What is wrong with which part of the request, for 422. */
  fields: Schema.optionalKey(Schema.Array(FieldError)),
  /** Hosts in the way, for 409 on a job. */
  host_ids: Schema.optionalKey(Schema.Array(Schema.String)),
  /** The jobs that have these hosts, the first 20. */
  jobs: Schema.optionalKey(
    Schema.Array(Schema.Struct({ job_number: Schema.Int, kind: Schema.String, requested_by: Schema.String }))
  ),
  retry_after_seconds: Schema.optionalKey(Schema.Int),
  /** Hosts that somebody counted on, and those there are, for 409 on a job. */
  expected_hosts: Schema.optionalKey(Schema.Int),
  hosts_total: Schema.optionalKey(Schema.Int),
  /** For 409 on a job whose plan has changed: what is different, one sentence each, and the plan's hash now. */
  differences: Schema.optionalKey(Schema.Array(Schema.String)),
  plan_hash: Schema.optionalKey(Schema.String)
})
export type ErrorDetails = typeof ErrorDetails.Type

const fields = (code: string) => ({
  code: Schema.String.pipe(Schema.withConstructorDefault(Effect.succeed(code))),
  /** One sentence an operator can act on. */
  message: Schema.String,
  details: ErrorDetails.pipe(Schema.withConstructorDefault(Effect.succeed({})))
})

export class BadRequest extends Schema.TaggedError<BadRequest>()("BadRequest", fields("bad_request")) {}
export class Unauthorized extends Schema.TaggedError<Unauthorized>()("Unauthorized", fields("unauthorized")) {}
export class Forbidden extends Schema.TaggedError<Forbidden>()("Forbidden", fields("forbidden")) {}
/** Also the answer where the caller may not know that the thing exists. */
export class NotFound extends Schema.TaggedError<NotFound>()("NotFound", fields("not_found")) {}
export class Conflict extends Schema.TaggedError<Conflict>()("Conflict", fields("conflict")) {}
export class PreconditionFailed extends Schema.TaggedError<PreconditionFailed>()(
  "PreconditionFailed",
  fields("precondition_failed")
) {}
export class PreconditionRequired extends Schema.TaggedError<PreconditionRequired>()(
  "PreconditionRequired",
  fields("precondition_required")
) {}
export class Unprocessable extends Schema.TaggedError<Unprocessable>()("Unprocessable", fields("validation_failed")) {}
export class TooManyRequests extends Schema.TaggedError<TooManyRequests>()(
  "TooManyRequests",
  fields("too_many_requests")
) {}
export class Unavailable extends Schema.TaggedError<Unavailable>()("Unavailable", fields("unavailable")) {}

/** One refused field, as a 422. */
export const refuseField = (path: string, message: string): Unprocessable =>
  new Unprocessable({
    message: "The request was refused: look at the fields named.",
    details: { fields: [{ path, message }] }
  })
