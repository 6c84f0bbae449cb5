import { Context } from "effect"

/** Asked right before the first byte of a fiber's request leaves: why it must not be sent after all, or null. */
export const SendCheck = Context.Reference<() => string | null>("patch-manager/agent/SendCheck", {
  defaultValue: () => () => null
})
