/** Guards of the worker that a mutation test may switch off; the tests that rest on one must then turn red. */
import { Context } from "effect"

export type GuardName =
  /** What is about to be sent is committed before it is sent. */
  | "intent"
  /** A commit says which version it was computed from, and another version is refused. */
  | "compare_and_set"
  /** What notifications may have lost is read after each reconnect and every few seconds. */
  | "catch_up_read"
  /** Nothing starts outside a host's window. */
  | "window_check"

export const DisabledGuards = Context.Reference<ReadonlySet<GuardName>>("patch-manager/actors/DisabledGuards", {
  defaultValue: () => new Set<GuardName>()
})
