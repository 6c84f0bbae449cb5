/** What can go wrong around the certificate authority; the message tells the operator what to do. */
import { Data } from "effect"

export class AuthorityError extends Data.TaggedError("AuthorityError")<{
  readonly message: string
  readonly cause?: unknown
}> {}
