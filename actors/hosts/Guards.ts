/** Guards of the host actor that a mutation test may switch off; the tests that rest on one must then turn red. */
import { Context } from "effect"

/** `intent`: what is about to be sent is committed before it is sent. */
export type GuardName = "intent"

export const DisabledGuards = Context.Reference<ReadonlySet<GuardName>>("patch-manager/actors/DisabledGuards", {
  defaultValue: () => new Set<GuardName>()
})
