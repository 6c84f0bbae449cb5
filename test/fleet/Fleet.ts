import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import https from "node:https"
import net from "node:net"
import { join } from "node:path"
import type { TLSSocket } from "node:tls"
import type { Installed, Pending } from "./Backend.ts"
import type { ProfileMix } from "./hostNames.ts"
import { addressOf, defaultMix, distroOf, fqdnOf, profileSequence } from "./hostNames.ts"
import { upgradeToJobSocket } from "./jobSocket.ts"
import type { LedgerEntry } from "./Ledger.ts"
import { Ledger, readLedger } from "./Ledger.ts"
import type { Identity, Misbehaviour } from "./Misbehaviour.ts"
import type { ProfileName } from "./Profile.ts"
import { profiles } from "./Profile.ts"
import { mixSeed } from "./Seeded.ts"
import { serveCall } from "./serveCall.ts"
import type { Timing } from "./StandIn.ts"
import { StandIn } from "./StandIn.ts"
import type { Distro } from "./Universe.ts"

/** A host as the caller describes it; what is left out is chosen by its place and the seed. */
export interface HostSpec {
  readonly address?: string
  readonly fqdn?: string
  readonly profile?: ProfileName
  readonly distro?: Distro
  readonly apt?: { readonly root: string; readonly repo: string }
}

export interface FleetOptions {
  /** The fleet's own folder: CA, identities, ledger. */
  readonly dir: string
  /** How many hosts to invent; ignored when `hosts` is given. */
  readonly count?: number
  readonly hosts?: ReadonlyArray<HostSpec>
  readonly port?: number
  readonly seed?: number
  readonly profileMix?: ProfileMix
  readonly timing?: Partial<Timing>
  /** The documented limits of generations 1.2 and later; on unless switched off. */
  readonly rateLimit?: boolean
}

/** What the fleet shows of a host. */
export interface HostView {
  readonly address: string
  readonly fqdn: string
  readonly port: number
  readonly profile: ProfileName
  readonly version: string
  readonly os: string
  readonly os_version: string
  readonly backend: "simulated" | "apt"
  readonly has_identity: boolean
  readonly up: boolean
  readonly holding: boolean
  readonly boot_id: string
  readonly calls: Readonly<Record<string, number>>
}

export interface FleetStats {
  readonly hosts: number
  readonly open_connections: number
  readonly peak_connections: number
  readonly handshakes: number
  readonly resumed: number
  readonly failed_handshakes: number
  readonly calls: number
}

/** Quick enough for tests. */
export const testTiming: Timing = { jobMs: [60, 120], rebootMs: [150, 300], restartMs: 50, minuteMs: 200, pingMs: 5_000 }

/** Slow enough to be watched. */
export const watchedTiming: Timing = {
  jobMs: [3_000, 8_000],
  rebootMs: [6_000, 12_000],
  restartMs: 1_500,
  minuteMs: 60_000,
  pingMs: 5_000
}

interface Seat {
  readonly host: StandIn
  identity: Identity | undefined
  server: https.Server | undefined
  /** Servers for misbehaviour in the handshake, by what they show. */
  strange: Map<string, https.Server> | undefined
}

/** N stand-in agents behind one listener, each on its own loopback address. */
export class Fleet {
  readonly dir: string
  readonly ledger: Ledger
  port = 0
  private readonly seats = new Map<string, Seat>()
  private readonly listener: net.Server
  private readonly rawSockets = new Set<net.Socket>()
  private readonly options: FleetOptions
  private readonly timing: Timing
  private readonly bornAt: number
  private readonly seed: number
  private ca: string | undefined
  private peak = 0
  private handshakes = 0
  private resumed = 0
  private failedHandshakes = 0
  private calls = 0

  constructor(options: FleetOptions) {
    this.options = options
    this.dir = options.dir
    mkdirSync(join(this.dir, "hosts"), { recursive: true })
    this.seed = options.seed ?? 1
    this.timing = { ...testTiming, ...options.timing }
    this.bornAt = this.readBirth()
    const caPath = join(this.dir, "ca.pem")
    this.ca = existsSync(caPath) ? readFileSync(caPath, "utf8") : undefined
    this.ledger = new Ledger(join(this.dir, "ledger.jsonl"))
    const history = Map.groupBy(readLedger(this.ledger.path), (entry) => entry.host)
    const specs = options.hosts ?? Array.from({ length: options.count ?? 25 }, () => ({}))
    specs.forEach((spec, index) => this.seat(spec, index, history))
    this.listener = net.createServer((socket) => this.accept(socket))
  }

  /** When this fleet first ran, so that its hosts keep their boot times over restarts of the process. */
  private readBirth(): number {
    const path = join(this.dir, "born-at")
    if (existsSync(path)) return Number(readFileSync(path, "utf8"))
    const now = Date.now()
    writeFileSync(path, String(now))
    return now
  }

  private sequence: ReadonlyArray<ProfileName> | undefined

  private seat(spec: HostSpec, index: number, history: Map<string, Array<LedgerEntry>>): StandIn {
    this.sequence ??= profileSequence(this.options.profileMix ?? defaultMix)
    const address = spec.address ?? addressOf(index)
    if (!address.startsWith("127.")) throw new Error(`${address} is not a loopback address; stand-ins live on 127.0.0.0/8`)
    const profile = spec.profile ?? this.sequence[index % this.sequence.length] ?? "2.7"
    const host = new StandIn(
      {
        address,
        fqdn: spec.fqdn ?? fqdnOf(index),
        profile: profiles[profile],
        distro: spec.distro ?? (spec.apt === undefined ? distroOf(index) : "debian-12"),
        seed: mixSeed(this.seed, index),
        ...(spec.apt === undefined ? {} : { apt: spec.apt })
      },
      {
        timing: this.timing,
        rateLimit: this.options.rateLimit ?? true,
        ledger: this.ledger,
        bornAt: this.bornAt,
        history: history.get(address) ?? []
      }
    )
    this.seats.set(address, { host, identity: undefined, server: undefined, strange: undefined })
    return host
  }

  /** Adds a host to a running fleet. */
  addHost(spec: HostSpec): HostView {
    const host = this.seat(spec, this.seats.size, Map.groupBy(this.ledger.read(), (entry) => entry.host))
    return this.view(host.spec.address)
  }

  private find(address: string): Seat {
    const seat = this.seats.get(address)
    if (seat === undefined) throw new Error(`The fleet has no host ${address}`)
    return seat
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.listener.once("error", reject)
      this.listener.listen({ port: this.options.port ?? 12_443, host: "0.0.0.0", backlog: 4_096 }, () => {
        this.listener.off("error", reject)
        this.port = (this.listener.address() as net.AddressInfo).port
        resolve()
      })
    })
  }

  private accept(raw: net.Socket): void {
    raw.on("error", () => raw.destroy())
    const seat = this.seats.get(raw.localAddress ?? "")
    // The listener has to be on every address, since a range cannot be bound; only loopback is served.
    if (seat === undefined || !(raw.localAddress ?? "").startsWith("127.")) {
      raw.resetAndDestroy()
      return
    }
    const { host } = seat
    this.rawSockets.add(raw)
    host.sockets.add(raw)
    this.peak = Math.max(this.peak, this.rawSockets.size)
    raw.on("close", () => {
      this.rawSockets.delete(raw)
      host.sockets.delete(raw)
    })
    if (!host.up) {
      raw.resetAndDestroy()
      return
    }
    const told = host.script.take(["refuse", "close", "hang_connect", "not_tls"])
    switch (told?.kind) {
      case "refuse":
        raw.resetAndDestroy()
        return
      case "close":
        raw.destroy()
        return
      case "hang_connect":
        raw.resume()
        return
      case "not_tls":
        raw.resume()
        raw.end(told.text ?? "SSH-2.0-OpenSSH_9.6p1 Ubuntu-3ubuntu13.4\r\n")
        return
      case undefined:
        void this.serverFor(seat)
          .then((server) => (server === undefined ? raw.destroy() : server.emit("connection", raw)))
          .catch(() => raw.destroy())
    }
  }

  private identityOf(seat: Seat): Identity | undefined {
    if (seat.identity !== undefined) return seat.identity
    const folder = join(this.dir, "hosts", seat.host.spec.address)
    if (!existsSync(join(folder, "server.pem")) || !existsSync(join(folder, "server.key.pem"))) return undefined
    seat.identity = {
      certificate_pem: readFileSync(join(folder, "server.pem"), "utf8"),
      private_key_pem: readFileSync(join(folder, "server.key.pem"), "utf8")
    }
    return seat.identity
  }

  private async serverFor(seat: Seat): Promise<https.Server | undefined> {
    if (this.ca === undefined) {
      const path = join(this.dir, "ca.pem")
      if (!existsSync(path)) return undefined
      this.ca = readFileSync(path, "utf8")
    }
    const told = seat.host.script.take(["wrong_ca", "certificate", "certificate_of", "refuse_client", "tls12"])
    if (told !== undefined) return this.strangeServer(seat, told)
    const identity = this.identityOf(seat)
    if (identity === undefined) return undefined
    seat.server ??= this.makeServer(seat.host, identity, this.ca, "TLSv1.3")
    return seat.server
  }

  private async strangeServer(
    seat: Seat,
    told: Extract<Misbehaviour, { kind: "wrong_ca" | "certificate" | "certificate_of" | "refuse_client" | "tls12" }>
  ): Promise<https.Server | undefined> {
    const key = told.kind === "certificate" ? told.identity.certificate_pem : JSON.stringify([told.kind, "address" in told ? told.address : ""])
    const known = seat.strange?.get(key)
    if (known !== undefined) return known
    const ca = this.ca ?? ""
    const own = this.identityOf(seat)
    const make = async (): Promise<https.Server | undefined> => {
      if (told.kind === "certificate") return this.makeServer(seat.host, told.identity, ca, "TLSv1.3")
      if (told.kind === "certificate_of") {
        const other = this.identityOf(this.find(told.address))
        return other === undefined ? undefined : this.makeServer(seat.host, other, ca, "TLSv1.3")
      }
      if (told.kind === "tls12") return own === undefined ? undefined : this.makeServer(seat.host, own, ca, "TLSv1.2")
      // Loaded only here: the certificate library is larger than the rest of the fleet.
      const { TestCa } = await import("./testCa.ts")
      const rogue = await TestCa.make("Rogue CA")
      if (told.kind === "refuse_client") {
        return own === undefined ? undefined : this.makeServer(seat.host, own, rogue.certificatePem, "TLSv1.3")
      }
      const { address, fqdn } = seat.host.spec
      return this.makeServer(seat.host, await rogue.host({ address, fqdn }), ca, "TLSv1.3")
    }
    const server = await make()
    if (server !== undefined) (seat.strange ??= new Map()).set(key, server)
    return server
  }

  private makeServer(host: StandIn, identity: Identity, ca: string, tls: "TLSv1.2" | "TLSv1.3"): https.Server {
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
        this.calls += 1
        void serveCall(host, request, response).catch(() => request.socket.destroy())
      }
    )
    server.on("secureConnection", (socket: TLSSocket) => {
      this.handshakes += 1
      if (socket.isSessionReused()) this.resumed += 1
    })
    server.on("tlsClientError", (_error, socket) => {
      this.failedHandshakes += 1
      socket.destroy()
    })
    server.on("clientError", (_error, socket) => socket.destroy())
    server.on("upgrade", (request, socket, head) => {
      socket.on("error", () => socket.destroy())
      this.calls += 1
      upgradeToJobSocket(host, request, socket, head)
    })
    return server
  }

  /** The CA whose client certificates the agents accept; every host takes it up at once. */
  setCa(caPem: string): void {
    if (caPem === this.ca) return
    writeWhole(join(this.dir, "ca.pem"), caPem, 0o644)
    this.ca = caPem
    for (const seat of this.seats.values()) this.dropServers(seat)
  }

  /** Gives a host its certificate; connections that are open live on with the old one. */
  setIdentity(address: string, identity: Identity, options: { readonly persist?: boolean } = {}): void {
    const seat = this.find(address)
    if (options.persist ?? true) {
      const folder = join(this.dir, "hosts", address)
      mkdirSync(folder, { recursive: true })
      writeWhole(join(folder, "server.key.pem"), identity.private_key_pem, 0o600)
      writeWhole(join(folder, "server.pem"), identity.certificate_pem, 0o644)
    }
    seat.identity = { certificate_pem: identity.certificate_pem, private_key_pem: identity.private_key_pem }
    this.dropServers(seat)
  }

  private dropServers(seat: Seat): void {
    seat.server = undefined
    seat.strange = undefined
  }

  /** Replaces what a host does wrong; an empty list makes it behave. */
  misbehave(address: string, ...list: ReadonlyArray<Misbehaviour>): void {
    this.find(address).host.script.set(list)
  }

  misbehaviours(address: string): ReadonlyArray<Misbehaviour> {
    return this.find(address).host.script.list()
  }

  /** A new update appears on a simulated host. */
  publish(address: string, name?: string, version?: string): Pending | undefined {
    return this.find(address).host.publish(name, version)
  }

  restartAgent(address: string): void {
    this.find(address).host.restartAgent()
  }

  /** The machine reboots by itself. */
  reboot(address: string): void {
    this.find(address).host.goDown(undefined)
  }

  /** Switches on a host that never came back from its reboot. */
  boot(address: string): void {
    this.find(address).host.boot()
  }

  /** Lets a job go on that was told to hold. */
  release(address: string): void {
    this.find(address).host.release()
  }

  /** What is really installed and pending, whatever the agent says. */
  async truth(
    address: string
  ): Promise<{ readonly installed: ReadonlyArray<Installed>; readonly pending: ReadonlyArray<Pending> }> {
    const { backend } = this.find(address).host
    return { installed: await backend.installed(), pending: await backend.pending() }
  }

  view(address: string): HostView {
    const seat = this.find(address)
    const { host } = seat
    return {
      address,
      fqdn: host.spec.fqdn,
      port: this.port,
      profile: host.profile.name,
      version: host.profile.version,
      os: host.facts.os,
      os_version: host.facts.osVersion,
      backend: host.spec.apt === undefined ? "simulated" : "apt",
      has_identity: this.identityOf(seat) !== undefined,
      up: host.up,
      holding: host.holding,
      boot_id: host.bootId,
      calls: Object.fromEntries(host.calls)
    }
  }

  hosts(): ReadonlyArray<HostView> {
    return [...this.seats.keys()].map((address) => this.view(address))
  }

  /** The ledger as it is on disk. */
  readLedger(address?: string): ReadonlyArray<LedgerEntry> {
    const all = this.ledger.read()
    return address === undefined ? all : all.filter((entry) => entry.host === address)
  }

  stats(): FleetStats {
    return {
      hosts: this.seats.size,
      open_connections: this.rawSockets.size,
      peak_connections: this.peak,
      handshakes: this.handshakes,
      resumed: this.resumed,
      failed_handshakes: this.failedHandshakes,
      calls: this.calls
    }
  }

  /** Counts anew; the peak starts from what is open now. */
  resetStats(): void {
    this.peak = this.rawSockets.size
    this.handshakes = 0
    this.resumed = 0
    this.failedHandshakes = 0
    this.calls = 0
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.listener.close(() => resolve()))
    for (const seat of this.seats.values()) seat.host.stop()
    for (const raw of this.rawSockets) raw.destroy()
    await closed
    await this.ledger.close()
  }
}

/** Renames into place, so that nobody reads half a file. */
const writeWhole = (path: string, text: string, mode: number): void => {
  const temporary = `${path}.new`
  writeFileSync(temporary, text, { mode })
  renameSync(temporary, path)
}

/** Starts a fleet; the port is bound when this resolves. Port 0 takes a free one. */
export const startFleet = async (options: FleetOptions): Promise<Fleet> => {
  const fleet = new Fleet(options)
  await fleet.listen()
  return fleet
}
