/** An authenticator of the browser's own testing interface: keeps passkeys, and its owner says yes to everything while present. */
import type { CDPSession, Page } from "playwright-core"

export interface VirtualAuthenticator {
  readonly session: CDPSession
  readonly id: string
  /** Passkeys it keeps. */
  readonly passkeys: () => Promise<number>
  /** Whether its owner is there. Without him what the field for the user name offers stays unanswered too. */
  readonly present: (present: boolean) => Promise<void>
}

export const addAuthenticator = async (page: Page): Promise<VirtualAuthenticator> => {
  const session = await page.context().newCDPSession(page)
  await session.send("WebAuthn.enable")
  const { authenticatorId } = await session.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true
    }
  })
  return {
    session,
    id: authenticatorId,
    passkeys: async () => (await session.send("WebAuthn.getCredentials", { authenticatorId })).credentials.length,
    present: async (enabled) => {
      await session.send("WebAuthn.setAutomaticPresenceSimulation", { authenticatorId, enabled })
    }
  }
}
