import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import net from "node:net"
import { join } from "node:path"
import type { Installed, Pending } from "./Backend.ts"
import type { ProfileMix } from "./hostNames.ts"
import { addressOf, defaultMix, distroOf, fqdnOf, profileSequence } from "./hostNames.ts"
import type { FleetStats } from "./FleetStats.ts"
import type { FleetTrust } from "./HostTls.ts"
import { HostTls } from "./HostTls.ts"
import type { LedgerEntry } from "./Ledger.ts"
import { Ledger, readLedger } from "./Ledger.ts"
import type { Identity, Misbehaviour } from "./Misbehaviour.ts"
import type { ProfileName } from "./Profile.ts"
import { profiles } from "./Profile.ts"
import { mixSeed } from "./Seeded.ts"
import type { Seen, Timing } from "./StandIn.ts"
import { changing, StandIn } from "./StandIn.ts"
import { dripHandshake } from "./strangeAnswers.ts"
import type { Distro } from "./Universe.ts"
import { writeWhole } from "./writeWhole.ts"

/** A host as the caller describes it; what is left out is chosen by its place and the seed. */
export interface HostSpec {
  readonly address?: string
  readonly fqdn?: string
  readonly profile?: ProfileName
  readonly distro?: Distro
  readonly apt?: { readonly root: string; readonly repo: string }
  readonly timing?: Partial<Timing>
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

export type { FleetStats } from "./FleetStats.ts"

/** Quick enough for tests. */
export const testTiming: Timing = {
  jobMs: [60, 120],
  rebootMs: [150, 300],
  shutdownMs: 80,
  restartMs: 50,
  minuteMs: 200,
  pingMs: 5_000
}

/** Slow enough to be watched. */
export const watchedTiming: Timing = {
  jobMs: [3_000, 8_000],
  rebootMs: [6_000, 12_000],
  shutdownMs: 800,
  restartMs: 1_500,
  minuteMs: 60_000,
  pingMs: 5_000
}

interface Seat {
  readonly host: StandIn
  readonly tls: HostTls
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
  private readonly trust: FleetTrust
  private peak = 0

  constructor(options: FleetOptions) {
    this.options = options
    this.dir = options.dir
    mkdirSync(join(this.dir, "hosts"), { recursive: true })
    this.seed = options.seed ?? 1
    this.timing = { ...testTiming, ...options.timing }
    this.bornAt = this.readBirth()
    const caPath = join(this.dir, "ca.pem")
    this.trust = {
      dir: this.dir,
      ca: existsSync(caPath) ? readFileSync(caPath, "utf8") : undefined,
      counts: { handshakes: 0, resumed: 0, failed: 0, calls: 0 },
      identityOf: (address) => this.find(address).tls.identity()
    }
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
    if (!address.startsWith("127."))
      throw new Error(`${address} is not a loopback address; stand-ins live on 127.0.0.0/8`)
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
        timing: { ...this.timing, ...spec.timing },
        rateLimit: this.options.rateLimit ?? true,
        ledger: this.ledger,
        bornAt: this.bornAt,
        history: history.get(address) ?? []
      }
    )
    this.seats.set(address, { host, tls: new HostTls(host, this.trust) })
    return host
  }

  /** Adds a host to a running fleet. */
  addHost(spec: HostSpec): HostView {
    const host = this.seat(
      spec,
      this.seats.size,
      Map.groupBy(this.ledger.read(), (entry) => entry.host)
    )
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
    host.peakSockets = Math.max(host.peakSockets, host.sockets.size)
    this.peak = Math.max(this.peak, this.rawSockets.size)
    raw.on("close", () => {
      this.rawSockets.delete(raw)
      host.sockets.delete(raw)
    })
    if (!host.up) {
      raw.resetAndDestroy()
      return
    }
    const told = host.script.take(["refuse", "close", "hang_connect", "not_tls", "slow_handshake"])
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
      case "slow_handshake":
        raw.resume()
        dripHandshake(raw, told.interval_ms ?? 500)
        return
      case "not_tls":
        raw.resume()
        raw.end(told.text ?? "SSH-2.0-OpenSSH_9.6p1 Ubuntu-3ubuntu13.4\r\n")
        return
      case undefined:
        void seat.tls
          .server()
          .then((server) => (server === undefined ? raw.destroy() : server.emit("connection", raw)))
          .catch(() => raw.destroy())
    }
  }

  /** The CA whose client certificates the agents accept; every host takes it up at once. */
  setCa(caPem: string): void {
    if (caPem === this.trust.ca) return
    writeWhole(join(this.dir, "ca.pem"), caPem, 0o644)
    this.trust.ca = caPem
    for (const seat of this.seats.values()) seat.tls.forgetServers()
  }

  /** Gives a host its certificate; connections that are open live on with the old one. */
  setIdentity(address: string, identity: Identity, options: { readonly persist?: boolean } = {}): void {
    const { tls } = this.find(address)
    if (options.persist ?? true) {
      const folder = join(this.dir, "hosts", address)
      mkdirSync(folder, { recursive: true })
      writeWhole(join(folder, "server.key.pem"), identity.private_key_pem, 0o600)
      writeWhole(join(folder, "server.pem"), identity.certificate_pem, 0o644)
    }
    tls.setIdentity(identity)
  }

  /** Replaces what a host does wrong; an empty list makes it behave. */
  misbehave(address: string, ...list: ReadonlyArray<Misbehaviour>): void {
    this.find(address).host.script.set(list)
  }

  /** Makes every host do the same wrong. */
  misbehaveAll(...list: ReadonlyArray<Misbehaviour>): void {
    for (const { host } of this.seats.values()) host.script.set(list)
  }

  /** Changes how long things take on one host, from the next job or reboot on. */
  setTiming(address: string, timing: Partial<Timing>): void {
    const { host } = this.find(address)
    host.timing = { ...host.timing, ...timing }
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

  /** The machine reboots by itself; back, it says that it has been up for so long already. */
  reboot(address: string, uptimeSeconds = 0): void {
    this.find(address).host.goDown(undefined, uptimeSeconds)
  }

  /** Switches on a host that never came back from its reboot. */
  boot(address: string): void {
    this.find(address).host.boot()
  }

  /** Two machines change places on the network, each with its certificate and its packages; the ledger keeps their old names. */
  swapAddresses(one: string, other: string): void {
    const [here, there] = [this.find(one), this.find(other)]
    this.seats.set(one, there)
    this.seats.set(other, here)
    for (const { host } of [here, there]) for (const socket of host.sockets) socket.destroy()
  }

  /** Takes a snapshot of the virtual machine; the function returned rolls it back. */
  snapshot(address: string): () => Promise<void> {
    return this.find(address).host.snapshot()
  }

  /** What a host saw of its callers, beside its ledger. */
  seenBy(address: string): Seen {
    return this.find(address).host.seen
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
    const { host, tls } = this.find(address)
    return {
      address,
      fqdn: host.spec.fqdn,
      port: this.port,
      profile: host.profile.name,
      version: host.profile.version,
      os: host.facts.os,
      os_version: host.facts.osVersion,
      backend: host.spec.apt === undefined ? "simulated" : "apt",
      has_identity: tls.identity() !== undefined,
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
    const { counts } = this.trust
    return {
      hosts: this.seats.size,
      open_connections: this.rawSockets.size,
      peak_connections: this.peak,
      peak_changing: changing.peak,
      handshakes: counts.handshakes,
      resumed: counts.resumed,
      failed_handshakes: counts.failed,
      calls: counts.calls
    }
  }

  /** Counts anew; the peak starts from what is open now. */
  resetStats(): void {
    this.peak = this.rawSockets.size
    changing.peak = changing.now
    for (const { host } of this.seats.values()) host.peakSockets = host.sockets.size
    Object.assign(this.trust.counts, { handshakes: 0, resumed: 0, failed: 0, calls: 0 })
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.listener.close(() => resolve()))
    for (const seat of this.seats.values()) seat.host.stop()
    for (const raw of this.rawSockets) raw.destroy()
    await closed
    await this.ledger.close()
  }
}

/** Starts a fleet; the port is bound when this resolves. Port 0 takes a free one. */
export const startFleet = async (options: FleetOptions): Promise<Fleet> => {
  const fleet = new Fleet(options)
  await fleet.listen()
  return fleet
}
