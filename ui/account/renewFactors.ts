/** After a change of one's second factors: the session may have a new token, and what is shown is read again. */
import type { SignedIn } from "#http/api/Auth.ts"
import { keys } from "../api/keys.ts"
import { queryClient } from "../api/queryClient.ts"
import { accept } from "../api/session.ts"

export const renewFactors = (signedIn?: SignedIn): void => {
  if (signedIn !== undefined) accept(signedIn)
  void queryClient.invalidateQueries({ queryKey: keys.me })
}
