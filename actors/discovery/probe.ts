/**
 * Looks at one address: does something accept a connection, does it speak TLS, whose certificate does it show. The probe shows no
 * certificate of its own and sends no request, so it never learns more than the verdicts say, and no agent lets it in.
 */
import { X509Certificate } from "node:crypto"
import { connect as connectTcp, type Socket } from "node:net"
import { connect as connectTls, createSecureContext, type SecureContext } from "node:tls"
import type { Pace } from "./makePace.ts"
import type { Finding } from "./scanMessages.ts"

/** Linux repeats a lost SYN after one second; less would allow for no loss. */
const PROBE_MS = 1_500
/** How long a server has to say after the handshake that it wants a client certificate. */
const DEMAND_MS = 400

const HOST_URI = /(?:^|, )URI:urn:patch-manager:host:([0-9a-f-]{36})(?:,|$)/
const DNS_NAME = /(?:^|, )DNS:([a-z0-9.-]{1,253})(?:,|$)/

/** Out of sockets: every further address would look closed, so the scan ends instead of lying. */
export class OutOfSockets extends Error {}

export interface ProbeContext {
  readonly port: number
  readonly ca: X509Certificate
  readonly secureContext: SecureContext
  readonly pace: Pace
  readonly signal: AbortSignal
}

export const probeContext = (
  options: Pick<ProbeContext, "port" | "pace" | "signal"> & { readonly ca_pem: string }
): ProbeContext => ({
  port: options.port,
  pace: options.pace,
  signal: options.signal,
  ca: new X509Certificate(options.ca_pem),
  secureContext: createSecureContext({ ca: options.ca_pem, minVersion: "TLSv1.3" })
})

type Shown = Omit<Finding, "address">
const plain = (verdict: Finding["verdict"]): Shown => ({ verdict, fqdn: null, host_id: null })

/** The names in a certificate that our authority signed, expired or not; null for any other. */
const readOurs = (certificate: X509Certificate | undefined, ca: X509Certificate) => {
  if (certificate === undefined || !certificate.checkIssued(ca) || !certificate.verify(ca.publicKey)) return null
  const names = certificate.subjectAltName ?? ""
  return { fqdn: DNS_NAME.exec(names)?.[1] ?? null, host_id: HOST_URI.exec(names)?.[1] ?? null }
}

const codeOf = (error: Error): string => (error as NodeJS.ErrnoException).code ?? ""

/** The first stage: resolves with the open connection, or with the verdict. */
const openTcp = (address: string, { port, signal }: ProbeContext): Promise<Socket | Shown> =>
  new Promise((resolve, reject) => {
    const socket = connectTcp({ host: address, port, autoSelectFamily: false, signal })
    const end = (result: Shown): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(result)
    }
    const timer = setTimeout(() => end(plain("no_answer")), PROBE_MS)
    socket.on("error", (error) => {
      const code = codeOf(error)
      if (code === "EMFILE" || code === "ENFILE") {
        clearTimeout(timer)
        reject(
          new OutOfSockets("The worker may not open enough connections for a scan: raise its limit of open files.")
        )
      } else end(plain(code === "ECONNREFUSED" || code === "ECONNRESET" ? "closed" : "no_answer"))
    })
    socket.once("connect", () => {
      clearTimeout(timer)
      resolve(socket)
    })
  })

/** The second stage, over the connection that is open. */
const lookAtTls = (socket: Socket, { ca, secureContext, signal, pace }: ProbeContext): Promise<Shown> =>
  new Promise((resolve) => {
    const began = performance.now()
    let answeredAfter: number | null = null
    const gaveUp = (): Shown => plain(signal.aborted ? "no_answer" : "other_service")
    if (socket.destroyed) {
      pace.leave(0, false)
      return resolve(gaveUp())
    }
    // Nothing is decided on this connection but what to show, so an unknown certificate is looked at, not refused.
    const tls = connectTls({ socket, secureContext, rejectUnauthorized: false, ALPNProtocols: ["http/1.1"] })
    let settled = false
    let ours: ReturnType<typeof readOurs> = null
    let timer = setTimeout(() => end(plain("no_answer")), PROBE_MS)
    const abort = (): void => end(plain("no_answer"))
    const end = (result: Shown): void => {
      clearTimeout(timer)
      signal.removeEventListener("abort", abort)
      tls.destroy()
      socket.destroy()
      if (settled) return
      settled = true
      pace.leave(answeredAfter ?? 0, answeredAfter !== null)
      resolve(result)
    }
    signal.addEventListener("abort", abort)
    tls.once("secureConnect", () => {
      clearTimeout(timer)
      answeredAfter = performance.now() - began
      ours = readOurs(tls.getPeerX509Certificate(), ca)
      if (ours !== null && ours.host_id !== null) return end({ verdict: "agent", ...ours })
      timer = setTimeout(() => end(plain("other_service")), DEMAND_MS)
    })
    tls.on("error", (error) => {
      if (!/CERTIFICATE_REQUIRED/.test(codeOf(error))) return end(gaveUp())
      end(ours === null ? plain("agent_other_certificate") : { verdict: "agent", ...ours })
    })
    tls.once("close", () => end(gaveUp()))
  })

/** Never rejects but with OutOfSockets; an aborted probe is one without an answer. */
export const probe = async (address: string, context: ProbeContext): Promise<Finding> => {
  const opened = await openTcp(address, context)
  if ("verdict" in opened) return { address, ...opened }
  await context.pace.enter()
  return { address, ...(await lookAtTls(opened, context)) }
}
