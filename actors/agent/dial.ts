/** Opens one verified connection to an agent: our secure context, our session cache, the identity check, no DNS for an address. */
import { isIP } from "node:net"
import { connect, type ConnectionOptions, type SecureContext, type TLSSocket } from "node:tls"
import { egressRefusal, type EgressRules } from "#core/egress.ts"
import type { AgentGuard } from "./AgentGuard.ts"
import type { AgentTarget } from "./AgentTarget.ts"
import { checkIdentity } from "./checkIdentity.ts"
import { EgressRefused } from "./EgressRefused.ts"
import type { TlsSessions } from "./TlsSessions.ts"

/** `http/1.1` in wire form: with h2 agreed, agents break the WebSocket upgrade. */
const HTTP_1_1 = Buffer.from("\x08http/1.1", "latin1")

/** One connection and what was seen on it. */
export interface Link {
  readonly socket: TLSSocket
  readonly sessionKey: string
  /** Handshake complete on our side and identity verified; the agent's verdict on our certificate may still come. */
  secure: boolean
  /** The session was resumed: the agent did not look at our certificate again. */
  resumed: boolean
  /** The agent sent a session ticket, which it does after it accepted our certificate. */
  ticketSeen: boolean
  /** The first error of the socket. What undici reports later hides it. */
  firstError: Error | null
}

export interface Dialling {
  readonly secureContext: SecureContext
  readonly sessions: TlsSessions
  readonly guardsOff: ReadonlySet<AgentGuard>
  /** Which addresses may be called now. */
  readonly egress: EgressRules
}

/**
 * Calls exactly one of the two, once; after `secure` the caller watches the socket. Time limits are the caller's. Throws EgressRefused
 * for an address that may not be called; what is connected to is the address that was looked at, no name.
 */
export const dial = (
  { egress, guardsOff, secureContext, sessions }: Dialling,
  target: AgentTarget,
  onSecure: (link: Link) => void,
  onFailed: (link: Link, error: Error) => void
): Link => {
  const refused = guardsOff.has("egress") ? null : egressRefusal(target.address, egress)
  if (refused !== null) throw new EgressRefused(refused)
  const sessionKey = sessions.keyOf(target)
  const kept = sessions.find(sessionKey)
  const options: ConnectionOptions & { readonly autoSelectFamily: boolean } = {
    host: target.address,
    port: target.port,
    secureContext,
    ALPNProtocols: HTTP_1_1,
    autoSelectFamily: false,
    ...(target.name !== null && isIP(target.name) === 0 ? { servername: target.name } : {}),
    ...(kept ? { session: kept.session } : {}),
    checkServerIdentity: (_, certificate) =>
      guardsOff.has("identity") ? undefined : checkIdentity(target, certificate)
  }
  const socket = connect(options)
  const link: Link = { socket, sessionKey, secure: false, resumed: false, ticketSeen: false, firstError: null }
  let verifiedAt = 0
  let settled = false
  const fail = (error: Error): void => {
    if (settled) return
    settled = true
    sessions.drop(sessionKey)
    socket.destroy()
    onFailed(link, error)
  }
  socket.on("session", (session: Buffer) => {
    link.ticketSeen = true
    if (link.secure && link.firstError === null) sessions.keep(sessionKey, session, verifiedAt)
  })
  socket.on("error", (error: Error) => {
    link.firstError ??= error
    fail(error)
  })
  socket.on("close", () => {
    fail(link.firstError ?? new Error("closed"))
  })
  socket.once("secureConnect", () => {
    if (settled) return
    settled = true
    link.secure = true
    link.resumed = socket.isSessionReused()
    verifiedAt = link.resumed && kept ? kept.verifiedAt : performance.now()
    onSecure(link)
  })
  return link
}
