import { Context } from "effect"

/** Called once the bytes of a fiber's request have been handed to the socket. */
export const RequestSent = Context.Reference<() => void>("patch-manager/agent/RequestSent", {
  defaultValue: () => () => {}
})
