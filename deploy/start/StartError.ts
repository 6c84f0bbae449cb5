import * as Data from "effect/Data"

/** The product cannot start; `message` is one sentence that tells the operator what to do. */
export class StartError extends Data.TaggedError("StartError")<{ readonly message: string }> {}

/** Someone asked to stop while it was starting. */
export class StopRequested extends Data.TaggedError("StopRequested") {}

/** A process was given up while it started, because another one failed or someone asked to stop. */
export class ChildStopped extends Data.TaggedError("ChildStopped")<{ readonly message: string }> {}
