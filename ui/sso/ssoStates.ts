/** States of providers and of the steps of their test, as they are shown. */
import type { SsoProvider, SsoTestResult, SsoTestStep } from "#core/Sso.ts"
import type { Shown } from "../format/states.ts"

export const providerState = ({ enabled, last_failure }: SsoProvider): Shown => {
  if (!enabled) return { tone: "idle", icon: "minus", word: "Off" }
  return last_failure === null
    ? { tone: "quiet", icon: "check", word: "On" }
    : { tone: "bad", icon: "failed", word: "Failing" }
}

export const stepStates: Readonly<Record<SsoTestResult["result"], Shown>> = {
  passed: { tone: "ok", icon: "check", word: "Passed" },
  failed: { tone: "bad", icon: "failed", word: "Failed" },
  unsure: { tone: "warn", icon: "unknown", word: "Unsure" },
  skipped: { tone: "idle", icon: "minus", word: "Skipped" }
}

export const waiting: Shown = { tone: "run", icon: "sync", word: "Trying" }

export const stepWords: Readonly<Record<SsoTestStep, string>> = {
  address: "Address",
  connection: "Connection",
  certificate: "Certificate",
  discovery: "Discovery document",
  issuer: "Issuer",
  keys: "Signing keys",
  pkce: "PKCE",
  client: "Client id and secret"
}
