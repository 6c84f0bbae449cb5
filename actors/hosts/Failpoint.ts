/**
 * Places where a test may end or hold the worker. Without a test they do nothing.
 * The names stand around the one call that matters: before and after the intent's commit, the call, and the answer's commit.
 */
import { Context, Effect } from "effect"

export type FailpointName =
  | "intent_uncommitted"
  | "intent_committed"
  | "call_sent"
  | "call_answered"
  | "answer_committed"

export const Failpoint = Context.Reference<(name: FailpointName) => Effect.Effect<void>>(
  "patch-manager/actors/Failpoint",
  {
    defaultValue: () => () => Effect.void
  }
)

export const reach = Effect.fnUntraced(function* (name: FailpointName) {
  const failpoint = yield* Failpoint
  yield* failpoint(name)
})

/** Ends this process the hard way at the named point, the first time it is reached. */
export const killAt =
  (wanted: FailpointName) =>
  (name: FailpointName): Effect.Effect<void> =>
    name === wanted ? Effect.sync(() => void process.kill(process.pid, "SIGKILL")) : Effect.void
