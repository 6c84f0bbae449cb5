/** Real TLS and TCP servers on loopback that answer as agents do, or as no agent should. */
import { Effect, type Scope } from "effect"
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from "node:net"
import { createServer as createHttpsServer } from "node:https"
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from "node:tls"
import type { IncomingMessage, ServerResponse } from "node:http"
import type { AgentTarget } from "#actors/agent/AgentTarget.ts"
import type { TrustMaterial } from "#actors/agent/AgentTrust.ts"
import { type KeyPair, type LeafRequest, makeIssuer, mintAuthority } from "#actors/pki/mint.ts"
import { HostId, hostUri } from "#core/Ids.ts"

export const LOOPBACK = "127.0.0.1"

export const hostId = HostId.make("01990000-0000-7000-8000-000000000001")
export const otherHostId = HostId.make("01990000-0000-7000-8000-000000000002")

export interface TestAuthority {
  readonly ca: KeyPair
  readonly trust: TrustMaterial
  readonly issue: (request: LeafRequest) => Promise<KeyPair>
  /** A good certificate of `hostId` at 127.0.0.1, with whatever is to be different. */
  readonly host: (changes?: Partial<LeafRequest>) => Promise<KeyPair>
}

export const makeTestAuthority = async (): Promise<TestAuthority> => {
  const ca = await mintAuthority(1)
  const issue = await makeIssuer(ca)
  const manager = await issue({ commonName: "manager", names: [], purpose: "client", days: 1 })
  return {
    ca,
    issue,
    trust: {
      ca_pem: ca.certificate_pem,
      certificate_pem: manager.certificate_pem,
      private_key_pem: manager.private_key_pem
    },
    host: (changes = {}) =>
      issue({
        commonName: "host",
        names: [
          { type: "dns", value: "web-01.example.test" },
          { type: "ip", value: LOOPBACK },
          { type: "url", value: hostUri(hostId) }
        ],
        purpose: "server",
        days: 1,
        ...changes
      })
  }
}

export const targetAt = (port: number, changes: Partial<AgentTarget> = {}): AgentTarget => ({
  host_id: hostId,
  name: null,
  address: LOOPBACK,
  port,
  bound_fingerprint: null,
  trust_generation: 1,
  ...changes
})

/** What a server saw. */
export interface Seen {
  port: number
  open: number
  most: number
  accepted: number
  /** Handshakes that were resumed, by the server's own account. */
  resumed: number
  requests: Array<{ readonly method: string; readonly path: string; readonly body: string }>
  /** Resolves when the number of open connections is zero. */
  idle: () => Promise<void>
}

const watchSockets = (server: Server, sockets: Set<Socket>): Seen => {
  let waiting: Array<() => void> = []
  const seen: Seen = {
    port: 0,
    open: 0,
    most: 0,
    accepted: 0,
    resumed: 0,
    requests: [],
    idle: () => (seen.open === 0 ? Promise.resolve() : new Promise((resolve) => void waiting.push(resolve)))
  }
  server.on("connection", (socket: Socket) => {
    sockets.add(socket)
    seen.accepted++
    seen.open++
    seen.most = Math.max(seen.most, seen.open)
    socket.on("error", () => {})
    socket.once("close", () => {
      sockets.delete(socket)
      seen.open--
      if (seen.open === 0) {
        for (const resolve of waiting) resolve()
        waiting = []
      }
    })
  })
  return seen
}

const listening = (make: () => Server): Effect.Effect<Seen, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(async () => {
        const server = make()
        const sockets = new Set<Socket>()
        const seen = watchSockets(server, sockets)
        server.on("secureConnection", (socket: TLSSocket) => {
          if (socket.isSessionReused()) seen.resumed++
          socket.on("error", () => {})
        })
        server.on("tlsClientError", () => {})
        server.on("request", (request: IncomingMessage) => {
          const parts: Array<Buffer> = []
          request.on("data", (part: Buffer) => void parts.push(part))
          request.on("end", () =>
            seen.requests.push({
              method: request.method ?? "",
              path: request.url ?? "",
              body: Buffer.concat(parts).toString()
            })
          )
        })
        await new Promise<void>((resolve) => void server.listen(0, LOOPBACK, resolve))
        seen.port = (server.address() as AddressInfo).port
        return { server, sockets, seen }
      }),
      ({ server, sockets }) =>
        Effect.promise(async () => {
          const closed = new Promise<void>((resolve) => void server.close(() => resolve()))
          for (const socket of sockets) socket.destroy()
          await closed
        })
    ),
    ({ seen }) => seen
  )

export type Answering = (request: IncomingMessage, response: ServerResponse) => void

const tlsOptions = (authority: TestAuthority, certificate: KeyPair, changes: TlsOptions): TlsOptions => ({
  cert: certificate.certificate_pem,
  key: certificate.private_key_pem,
  ca: authority.ca.certificate_pem,
  requestCert: true,
  rejectUnauthorized: true,
  minVersion: "TLSv1.3",
  ...changes
})

/** An agent: mutual TLS 1.3 and HTTP. */
export const agentServer = (
  authority: TestAuthority,
  answering: Answering,
  options: { readonly certificate?: KeyPair; readonly tls?: TlsOptions } = {}
): Effect.Effect<Seen, never, Scope.Scope> =>
  Effect.flatMap(
    options.certificate ? Effect.succeed(options.certificate) : Effect.promise(() => authority.host()),
    (certificate) =>
      listening(() => createHttpsServer(tlsOptions(authority, certificate, options.tls ?? {}), answering))
  )

/** Completes the handshake and leaves the rest to the caller. */
export const tlsServer = (
  authority: TestAuthority,
  onSocket: (socket: TLSSocket) => void,
  options: { readonly certificate?: KeyPair; readonly tls?: TlsOptions } = {}
): Effect.Effect<Seen, never, Scope.Scope> =>
  Effect.flatMap(
    options.certificate ? Effect.succeed(options.certificate) : Effect.promise(() => authority.host()),
    (certificate) => listening(() => createTlsServer(tlsOptions(authority, certificate, options.tls ?? {}), onSocket))
  )

export const tcpServer = (onSocket: (socket: Socket) => void): Effect.Effect<Seen, never, Scope.Scope> =>
  listening(() => createTcpServer(onSocket))

/** A port on which nothing listens: it was free a moment ago. */
export const closedPort: Effect.Effect<number> = Effect.map(Effect.scoped(tcpServer(() => {})), (seen) => seen.port)

export const envelope = (data: unknown): string =>
  JSON.stringify({ success: true, request_id: "r", timestamp: "2026-07-21T10:00:00Z", data, error: null })

export const errorEnvelope = (code: string, retryable: boolean, message = "said the agent"): string =>
  JSON.stringify({
    success: false,
    request_id: "r",
    timestamp: "2026-07-21T10:00:00Z",
    data: null,
    error: { code, message, details: null, retryable }
  })

export const HEALTHY = envelope({ status: "healthy", uptime_seconds: 86_400, version: "2.5.5" })

export const json = (response: ServerResponse, status: number, body: string, headers: Record<string, string> = {}) =>
  void response.writeHead(status, { "content-type": "application/json", ...headers }).end(body)

export const healthy: Answering = (_, response) => json(response, 200, HEALTHY)
