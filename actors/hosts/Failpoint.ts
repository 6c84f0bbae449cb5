/**
 * Places where a test may end, hold or break the worker. Without a test they do nothing.
 * They stand between any two effects that a crash could separate; `host` is whom the work is for, where it is for one.
 */
import { Context, Effect, References } from "effect"

export type FailpointName =
  /** The host has taken its order; no intent yet. */
  | "order_taken"
  | "intent_uncommitted"
  | "intent_committed"
  | "call_sent"
  | "call_answered"
  | "answer_committed"
  /** The agent told how its job ended; not stored yet. */
  | "result_received"
  /** Before and after the statement that writes a batch of transitions, their feed rows and the notification. */
  | "commit_pending"
  | "commit_written"
  /** Before and after a job's step that passes a wave or stops at the error limit. */
  | "job_decision_pending"
  | "job_decision_written"
  /** A window's opening is written down with its job; not committed yet. */
  | "window_pending"

export type FailpointAction = (name: FailpointName, host: string | undefined) => Effect.Effect<void>

export const Failpoint = Context.Reference<FailpointAction>("patch-manager/actors/Failpoint", {
  defaultValue: () => () => Effect.void
})

export const reach = Effect.fnUntraced(function* (name: FailpointName) {
  const failpoint = yield* Failpoint
  const { host_id: host } = yield* References.CurrentLogAnnotations
  yield* failpoint(name, typeof host === "string" ? host : undefined)
})
