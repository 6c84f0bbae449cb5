import { existsSync, readFileSync } from "node:fs"
import https from "node:https"
import { join } from "node:path"
import type { TLSSocket } from "node:tls"
import { upgradeToJobSocket } from "./jobSocket.ts"
import type { Identity, Misbehaviour } from "./Misbehaviour.ts"
import { serveCall } from "./serveCall.ts"
import type { StandIn } from "./StandIn.ts"

/** What the hosts of a fleet share: the CA they trust, their folder and the counters. */
export interface FleetTrust {
  readonly dir: string
  ca: string | undefined
  readonly counts: { handshakes: number; resumed: number; failed: number; calls: number }
  readonly identityOf: (address: string) => Identity | undefined
}

type Strange = Extract<
  Misbehaviour,
  { kind: "wrong_ca" | "certificate" | "certificate_of" | "refuse_client" | "tls12" }
>

/** The TLS side of one host: its identity, and the non-listening HTTPS server made from it at the first connection. */
export class HostTls {
  private readonly host: StandIn
  private readonly trust: FleetTrust
  private known: Identity | undefined
  private regular: https.Server | undefined
  /** Servers for misbehaviour in the handshake, by what they show. */
  private strange: Map<string, https.Server> | undefined

  constructor(host: StandIn, trust: FleetTrust) {
    this.host = host
    this.trust = trust
  }

  setIdentity(identity: Identity): void {
    this.known = { certificate_pem: identity.certificate_pem, private_key_pem: identity.private_key_pem }
    this.forgetServers()
  }

  /** The certificate that was given or lies in the host's folder. */
  identity(): Identity | undefined {
    if (this.known !== undefined) return this.known
    const folder = join(this.trust.dir, "hosts", this.host.spec.address)
    if (!existsSync(join(folder, "server.pem")) || !existsSync(join(folder, "server.key.pem"))) return undefined
    this.known = {
      certificate_pem: readFileSync(join(folder, "server.pem"), "utf8"),
      private_key_pem: readFileSync(join(folder, "server.key.pem"), "utf8")
    }
    return this.known
  }

  /** The next handshake uses the identity and CA of that moment; open connections live on. */
  forgetServers(): void {
    this.regular = undefined
    this.strange = undefined
  }

  private ca(): string | undefined {
    const path = join(this.trust.dir, "ca.pem")
    if (this.trust.ca === undefined && existsSync(path)) this.trust.ca = readFileSync(path, "utf8")
    return this.trust.ca
  }

  /** Who answers the next connection; undefined while the host has no certificate. */
  async server(): Promise<https.Server | undefined> {
    const ca = this.ca()
    if (ca === undefined) return undefined
    const told = this.host.script.take(["wrong_ca", "certificate", "certificate_of", "refuse_client", "tls12"])
    if (told !== undefined) return this.strangeServer(told, ca)
    const identity = this.identity()
    if (identity === undefined) return undefined
    this.regular ??= this.make(identity, ca)
    return this.regular
  }

  private async strangeServer(told: Strange, ca: string): Promise<https.Server | undefined> {
    const key = JSON.stringify({ ...told, times: 0 })
    const known = this.strange?.get(key)
    if (known !== undefined) return known
    const server = await this.makeStrange(told, ca)
    if (server !== undefined) (this.strange ??= new Map()).set(key, server)
    return server
  }

  private async makeStrange(told: Strange, ca: string): Promise<https.Server | undefined> {
    if (told.kind === "certificate") return this.make(told.identity, ca)
    const identity = told.kind === "certificate_of" ? this.trust.identityOf(told.address) : this.identity()
    if (identity === undefined) return undefined
    if (told.kind === "certificate_of") return this.make(identity, ca)
    if (told.kind === "tls12") return this.make(identity, ca, "TLSv1.2")
    // Loaded only here: the certificate library is larger than the rest of the fleet.
    const { TestCa } = await import("./testCa.ts")
    const rogue = await TestCa.make("Rogue CA")
    if (told.kind === "refuse_client") return this.make(identity, rogue.certificatePem)
    return this.make(await rogue.host(this.host.spec), ca)
  }

  private make(identity: Identity, ca: string, tls: "TLSv1.2" | "TLSv1.3" = "TLSv1.3"): https.Server {
    const { host } = this
    const { counts } = this.trust
    const server = https.createServer(
      {
        key: identity.private_key_pem,
        cert: identity.certificate_pem,
        ca,
        minVersion: tls,
        maxVersion: tls,
        requestCert: true,
        rejectUnauthorized: true,
        handshakeTimeout: 10_000,
        keepAliveTimeout: 15_000,
        sessionTimeout: 3_600,
        ALPNProtocols: ["http/1.1"]
      },
      (request, response) => {
        counts.calls += 1
        void serveCall(host, request, response).catch(() => request.socket.destroy())
      }
    )
    server.on("secureConnection", (socket: TLSSocket) => {
      counts.handshakes += 1
      if (socket.isSessionReused()) counts.resumed += 1
    })
    server.on("tlsClientError", (_error, socket) => {
      counts.failed += 1
      socket.destroy()
    })
    server.on("clientError", (_error, socket) => socket.destroy())
    server.on("upgrade", (request, socket, head) => {
      socket.on("error", () => socket.destroy())
      counts.calls += 1
      upgradeToJobSocket(host, request, socket, head)
    })
    return server
  }
}
