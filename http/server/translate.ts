/** The one place where a database failure becomes an answer: try again later, or a fault of ours. */
import { Effect, Predicate } from "effect"
import { SqlError } from "effect/sql"
import { Unavailable } from "#core/Errors.ts"

const unavailable = new Unavailable({
  message: "The database does not answer at this moment. Nothing was changed; try again in a few seconds.",
  details: { retry_after_seconds: 5 }
})

const textOf = (cause: unknown, key: "code" | "severity"): string | null =>
  Predicate.hasProperty(cause, key) && Predicate.isString(cause[key]) ? cause[key] : null

/** Connection lost, server starting or stopping, out of connections, waited too long. */
const isPassing = ({ reason }: SqlError.SqlError): boolean => {
  switch (reason._tag) {
    case "ConnectionError":
    case "AuthenticationError":
    case "LockTimeoutError":
    case "StatementTimeoutError":
    case "DeadlockError":
    case "SerializationError":
      return true
    case "UnknownError": {
      const code = textOf(reason.cause, "code")
      // FATAL ends the connection: the server shuts down, starts, or takes nobody in.
      if (textOf(reason.cause, "severity") === "FATAL") return true
      return code === null || !/^[0-9A-Z]{5}$/.test(code) || /^(08|53|57)/.test(code)
    }
    default:
      return false
  }
}

/** Unavailable where it passes by itself; a defect, answered 500 and logged whole, where it does not. */
export const answered = <A, E, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, Exclude<E, SqlError.SqlError> | Unavailable, R> =>
  Effect.catch(effect, (error): Effect.Effect<never, Exclude<E, SqlError.SqlError> | Unavailable> => {
    if (!SqlError.isSqlError(error)) return Effect.fail(error as Exclude<E, SqlError.SqlError>)
    if (!isPassing(error)) return Effect.die(error)
    return Effect.andThen(
      Effect.logWarning("The database did not answer", error.reason.cause),
      Effect.fail(unavailable)
    )
  })
