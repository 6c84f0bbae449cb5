/** How far a session got, and with what. */
import type { SessionFactor, SessionItem } from "#core/Session.ts"
import type { Shown } from "../format/states.ts"

const factors: Readonly<Record<SessionFactor, string>> = {
  totp: "Authenticator app",
  passkey: "Passkey",
  recovery_code: "Recovery code",
  sso: "Identity provider",
  machine: "On the machine itself",
  sealed: "Emergency account"
}

export const sessionState = ({ stage, factor }: SessionItem): Shown => {
  if (stage === "password") return { tone: "plain", icon: "key", word: "Password only" }
  if (stage === "enrolling") return { tone: "plain", icon: "phone", word: "Setting up a second factor" }
  if (factor === "sealed") return { tone: "bad", icon: "warning", word: factors.sealed }
  if (factor === "recovery_code") return { tone: "warn", icon: "warning", word: factors.recovery_code }
  return { tone: "quiet", icon: "check", word: factor === null ? "Signed in" : factors[factor] }
}
