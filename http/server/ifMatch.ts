/** The version that an edit is based on. */
import { Effect } from "effect"
import { PreconditionRequired } from "#core/Errors.ts"

/** From If-Match, bare or quoted; -1, which no version is, for anything else. PreconditionRequired without one. */
export const readIfMatch = (ifMatch: string | undefined, what: string): Effect.Effect<number, PreconditionRequired> => {
  if (ifMatch === undefined) {
    return Effect.fail(
      new PreconditionRequired({
        message: `Send If-Match with the version of the ${what} that you read, so that nobody's edit is overwritten.`
      })
    )
  }
  const version = /^(?:W\/)?"?([0-9]{1,15})"?$/.exec(ifMatch)?.[1]
  return Effect.succeed(version === undefined ? -1 : Number(version))
}
