import * as Data from "effect/Data"

/** A command was not understood or cannot be carried out; `message` is one sentence for whoever typed it. */
export class CommandError extends Data.TaggedError("CommandError")<{ readonly message: string }> {}
