import * as Data from "effect/Data"

/** The embedded PostgreSQL cannot be prepared, started or stopped; `message` is one sentence for the operator. */
export class PostgresError extends Data.TaggedError("PostgresError")<{ readonly message: string }> {}
