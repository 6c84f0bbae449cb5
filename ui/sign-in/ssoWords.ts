/** Why a sign-in through an identity provider did not work, as its code in the address says. */
import type { SsoRefusalCode } from "#http/api/Sso.ts"

const words: Readonly<Record<SsoRefusalCode, string>> = {
  sign_in_expired: "This sign-in took too long, was used already, or was begun in another browser. Begin again.",
  provider_unknown: "There is no such identity provider any more, or it is switched off.",
  provider_unreachable: "The identity provider does not answer. Try again in a while, or sign in with a local account.",
  provider_misconfigured:
    "The identity provider and the manager do not fit together. An administrator finds the reason in the settings.",
  provider_refused:
    "The identity provider ended the sign-in with an error. Try again; if it stays, ask an administrator.",
  access_denied: "The identity provider did not let you in, or you broke the sign-in off there.",
  token_refused: "What the identity provider sent was not believed, so nobody was signed in. Begin again.",
  groups_missing:
    "The identity provider did not say which groups you are in, so you get no role. Ask an administrator.",
  groups_overage:
    "You are in too many groups for the identity provider to name them, so you get no role. Ask an administrator.",
  no_role: "None of your groups gives you a role here. Ask an administrator.",
  account_disabled: "Your account here is disabled. Ask an administrator.",
  username_unavailable: "No free user name was found for you. Ask an administrator.",
  last_administrator:
    "Your groups would take the administrator role away from the last administrator, so nothing was changed. Ask an administrator."
}

/** Null without an error; the address is somebody else's to write, so an unknown code is not repeated. */
export const ssoWords = (search: string): string | null => {
  const code = new URLSearchParams(search).get("sso_error")
  if (code === null) return null
  const known = Object.entries(words).find(([name]) => name === code)
  return known?.[1] ?? "The sign-in through the identity provider did not work. Begin again."
}
