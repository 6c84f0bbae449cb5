/** What a session that is not all the way in may call. Nothing said means that only a full session may. */
import { Context } from "effect"

/** On an endpoint: the unfinished session that may call it too, `either` for both kinds. */
export const AllowedStage = Context.Reference<"password" | "enrolling" | "either" | undefined>(
  "patch-manager/http/AllowedStage",
  { defaultValue: () => undefined }
)

/** Open to somebody who has to change his password first; so is everything with an `AllowedStage`. */
export const BeforePasswordChange = Context.Reference<boolean>("patch-manager/http/BeforePasswordChange", {
  defaultValue: () => false
})

/** Wants proof of who is asking from the last minutes; an API token can never give it. */
export const RequiresStepUp = Context.Reference<boolean>("patch-manager/http/RequiresStepUp", {
  defaultValue: () => false
})
