/** The guards a mutation test may switch off; a test that rests on one must then turn red. Nothing is off in production. */
import { Context } from "effect"

export type GuardName = "intent" | "compare_and_set" | "ask_first" | "epoch" | "deadline" | "size_limit" | "identity"

export const DisabledGuards = Context.Reference<ReadonlySet<GuardName>>("patch-manager/actors/DisabledGuards", {
  defaultValue: () => new Set<GuardName>()
})
