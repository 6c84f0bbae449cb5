/** Passkeys of this browser, and why it may refuse to use them at all. */
import {
  browserSupportsWebAuthnAutofill,
  startAuthentication,
  startRegistration,
  WebAuthnAbortService,
  type AuthenticationResponseJSON,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  type RegistrationResponseJSON
} from "@simplewebauthn/browser"

/**
 * `untrusted`: the browser does not trust the manager's certificate; `address`: the page was opened by an IP address, which
 * passkeys cannot be bound to; `missing`: the browser has none.
 */
export type Refusal = "untrusted" | "address" | "missing" | "known" | "cancelled" | "failed"

export class PasskeyRefused extends Error {
  readonly why: Refusal

  constructor(why: Refusal, message: string) {
    super(message)
    this.name = "PasskeyRefused"
    this.why = why
  }
}

/** Why this browser uses no passkey on this page, whatever is tried; null for what may work the next time. */
export const blocksPasskeys = (cause: unknown): Refusal | null =>
  cause instanceof PasskeyRefused && (cause.why === "untrusted" || cause.why === "address" || cause.why === "missing")
    ? cause.why
    : null

const words: Readonly<Record<Refusal, string>> = {
  untrusted: "This browser does not trust the manager's certificate and refuses passkeys until it does.",
  address: "Passkeys need a host name: open the console by its name instead of its IP address.",
  missing: "This browser knows no passkeys. Use an authenticator app.",
  known: "This passkey is already registered for your account.",
  cancelled: "No passkey was used: the question was closed, or nobody answered it in time.",
  failed: "The passkey could not be used."
}

const isAddress = (host: string): boolean => /^[\d.]+$|^\[/.test(host)

/** Why passkeys cannot work on this page; null where they may. */
export const refusedBeforehand = (): Refusal | null => {
  if (isAddress(location.hostname)) return "address"
  if (!window.isSecureContext) return "untrusted"
  return typeof window.PublicKeyCredential === "function" ? null : "missing"
}

/** Chromium says so in the message only: "WebAuthn is not supported on sites with TLS certificate errors." */
const blamesCertificate = (error: Error): boolean => /certificate|\bTLS\b|\bSSL\b|insecure/i.test(error.message)

const refusalOf = (cause: unknown): Refusal => {
  if (!(cause instanceof Error)) return "failed"
  const inner = cause.cause instanceof Error || cause.cause instanceof DOMException ? cause.cause : cause
  switch (inner.name) {
    case "SecurityError":
      return isAddress(location.hostname) ? "address" : "untrusted"
    case "NotAllowedError":
      return blamesCertificate(inner) ? "untrusted" : "cancelled"
    case "AbortError":
      return "cancelled"
    case "InvalidStateError":
      return "known"
    default:
      return "failed"
  }
}

const asked = async <A>(ask: () => Promise<A>): Promise<A> => {
  const beforehand = refusedBeforehand()
  if (beforehand !== null) throw new PasskeyRefused(beforehand, words[beforehand])
  try {
    return await ask()
  } catch (cause) {
    const why = refusalOf(cause)
    throw new PasskeyRefused(why, why === "failed" && cause instanceof Error ? cause.message : words[why])
  }
}

/** With `autofill` the browser offers passkeys in the field for the user name and answers when one is picked. */
export const usePasskey = (
  optionsJSON: PublicKeyCredentialRequestOptionsJSON,
  autofill = false
): Promise<AuthenticationResponseJSON> =>
  asked(() => startAuthentication({ optionsJSON, useBrowserAutofill: autofill }))

export const makePasskey = (optionsJSON: PublicKeyCredentialCreationOptionsJSON): Promise<RegistrationResponseJSON> =>
  asked(() => startRegistration({ optionsJSON }))

/** Whether the browser can offer passkeys in a field. */
export const offersAutofill = async (): Promise<boolean> =>
  refusedBeforehand() === null && (await browserSupportsWebAuthnAutofill())

/** Ends what waits in the field for the user name. */
export const stopWaiting = (): void => WebAuthnAbortService.cancelCeremony()
