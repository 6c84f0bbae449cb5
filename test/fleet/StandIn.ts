import { randomUUID } from "node:crypto"
import type { Socket } from "node:net"
import { AptBackend } from "./AptBackend.ts"
import type { Backend, CommandFailure, Outcome, Pending } from "./Backend.ts"
import type { Job } from "./JobBook.ts"
import { isActive, JobBook } from "./JobBook.ts"
import type { Ledger, LedgerEntry } from "./Ledger.ts"
import { Script } from "./Misbehaviour.ts"
import type { Profile } from "./Profile.ts"
import { RateLimit } from "./RateLimit.ts"
import type { Seeded } from "./Seeded.ts"
import { seeded } from "./Seeded.ts"
import { SimulatedBackend } from "./SimulatedBackend.ts"
import type { Distro } from "./Universe.ts"
import { distroFacts, needsReboot } from "./Universe.ts"
import { timestamp } from "./Wire.ts"

type Range = readonly [low: number, high: number]

/** How long things take on a stand-in; all in milliseconds. */
export interface Timing {
  /** From running to finished, for a package job. */
  readonly jobMs: Range
  /** Off the network during a reboot. */
  readonly rebootMs: Range
  /** From the word to reboot until the network is gone. */
  readonly shutdownMs: number
  /** Off the network while the agent alone restarts. */
  readonly restartMs: number
  /** How long a minute of a reboot delay lasts. */
  readonly minuteMs: number
  /** WebSocket ping interval; a silent client is dropped after two. */
  readonly pingMs: number
}

/** What a host saw of its callers, beside its ledger. */
export interface Seen {
  /** The last calls, oldest first; `at` in monotonic milliseconds. */
  readonly journal: ReadonlyArray<{ readonly at: number; readonly call: string }>
  /** The most connections open at the same time since the counters were reset. */
  readonly peakConnections: number
  readonly openConnections: number
  readonly lastFlood: { readonly bytes: number; readonly ms: number } | undefined
  readonly floodedEvents: number
}

/** What makes one stand-in different from the next. */
export interface StandInSpec {
  readonly address: string
  readonly fqdn: string
  readonly profile: Profile
  readonly distro: Distro
  readonly seed: number
  /** Given for the real apt; otherwise the packages are simulated. */
  readonly apt?: { readonly root: string; readonly repo: string }
}

const staleCacheMs = 900_000

const lockedOut =
  "apt-get failed (exit 100): E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 4711 (unattended-upgr)"

const isCompleted = (job: Job): boolean => job.status === "completed"

/** Hosts of this process whose packages are being changed now, and the most at once. */
export const changing = { now: 0, peak: 0 }

/** One agent and the machine under it: packages, jobs, boot. The HTTP side is in `routes.ts`. */
export class StandIn {
  readonly spec: StandInSpec
  readonly profile: Profile
  readonly script = new Script()
  timing: Timing
  readonly jobs: JobBook
  readonly rateLimit: RateLimit | undefined
  /** Calls that reached the agent, by method and path. */
  readonly calls = new Map<string, number>()
  /** The last calls in their order; monotonic milliseconds. */
  readonly journal: Array<{ readonly at: number; readonly call: string }> = []
  readonly sockets = new Set<Socket>()
  peakSockets = 0
  /** Events sent while told to flood. */
  floodedEvents = 0
  /** What the last oversized answer got rid of before it was cut, and how long that took. */
  lastFlood: { readonly bytes: number; readonly ms: number } | undefined
  bootId: string = randomUUID()
  bootedAt: number
  /** Off the network since a reboot or an agent restart began. */
  up = true
  /** A reboot was accepted: no new jobs until it is over. */
  rebootReserved = false
  mutating = false
  /** Units that are down though their host is up. */
  readonly stoppedServices = new Set<string>()
  lastCacheUpdate: number | null
  private readonly ledger: Ledger
  private readonly random: Seeded
  private readonly replayed: ReadonlyArray<LedgerEntry>
  private made: Backend | undefined
  private life = new AbortController()
  private turn: Promise<void> = Promise.resolve()

  constructor(
    spec: StandInSpec,
    options: {
      readonly timing: Timing
      readonly rateLimit: boolean
      readonly ledger: Ledger
      readonly bornAt: number
      readonly history: ReadonlyArray<LedgerEntry>
    }
  ) {
    this.spec = spec
    this.profile = spec.profile
    this.timing = options.timing
    this.ledger = options.ledger
    this.random = seeded(spec.seed ^ 0x51ed270b)
    this.jobs = new JobBook(spec.profile)
    this.rateLimit = options.rateLimit && spec.profile.rateLimit ? new RateLimit() : undefined
    this.replayed = options.history
    const lastBoot = options.history.findLast((entry) => entry.operation === "reboot")
    this.bootedAt =
      lastBoot === undefined ? options.bornAt - this.random.int(1, 90 * 86_400) * 1000 : Date.parse(lastBoot.at)
    if (lastBoot !== undefined) this.bootId = lastBoot.boot_id
    this.lastCacheUpdate = Date.now() - this.random.int(0, 1_200) * 1000
  }

  /** Made on first use, so that a host nobody asks costs nothing. */
  get backend(): Backend {
    if (this.made !== undefined) return this.made
    if (this.spec.apt !== undefined) {
      this.made = new AptBackend(this.spec.apt.root)
      return this.made
    }
    const simulated = new SimulatedBackend(this.spec.distro, this.spec.seed)
    for (const entry of this.replayed) {
      if (entry.operation === "reboot") simulated.clearRebootRequired()
      else simulated.replay(entry.packages)
    }
    this.made = simulated
    return simulated
  }

  get facts() {
    return distroFacts(this.spec.distro)
  }

  get uptimeSeconds(): number {
    return Math.max(0, Math.floor((Date.now() - this.bootedAt) / 1000))
  }

  /** The cache is refreshed, or found fresh; says whether it was stale. */
  touchCache(): boolean {
    const stale = this.lastCacheUpdate === null || Date.now() - this.lastCacheUpdate > staleCacheMs
    if (stale) this.lastCacheUpdate = Date.now()
    return stale
  }

  /** A new update appears on a simulated host. */
  publish(name?: string, version?: string): Pending | undefined {
    const backend = this.backend
    return backend instanceof SimulatedBackend ? backend.publish(() => this.random.next(), name, version) : undefined
  }

  private pick([low, high]: Range): number {
    return this.random.int(low, high)
  }

  get seen(): Seen {
    const { journal, peakSockets, sockets, lastFlood, floodedEvents } = this
    return { journal, peakConnections: peakSockets, openConnections: sockets.size, lastFlood, floodedEvents }
  }

  /** Resolves true after the time, or false as soon as this life of the agent is over. */
  private wait(ms: number, life: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      if (life.aborted) return resolve(false)
      const end = (alive: boolean) => {
        clearTimeout(timer)
        life.removeEventListener("abort", stop)
        resolve(alive)
      }
      const stop = () => end(false)
      const timer = setTimeout(() => end(true), ms)
      life.addEventListener("abort", stop)
    })
  }

  private async record(operation: string, job: Job | undefined, packages: LedgerEntry["packages"]): Promise<void> {
    await this.ledger.append({
      at: timestamp(),
      host: this.spec.address,
      operation,
      job_id: job?.id ?? null,
      packages,
      boot_id: this.bootId
    })
  }

  /** Runs a package job in the background, in its turn where the generation takes turns. */
  start(job: Job, opening: string, work: (signal: AbortSignal) => Promise<Outcome>, after?: () => Promise<void>): void {
    const life = this.life.signal
    const run = async () => {
      if (life.aborted || job.status !== "pending") return
      this.mutating = true
      changing.peak = Math.max(changing.peak, ++changing.now)
      try {
        await this.mutate(job, opening, work, life)
      } catch (cause) {
        this.fail(job, { errorCode: "UNKNOWN_ERROR", message: String(cause), exitCode: 1, stdout: "", stderr: "" })
      } finally {
        changing.now--
        if (!life.aborted) this.mutating = false
      }
      if (!life.aborted && isCompleted(job)) await after?.()
    }
    if (this.profile.serialMutations) this.turn = this.turn.then(run)
    else void run()
  }

  private async mutate(
    job: Job,
    opening: string,
    work: (signal: AbortSignal) => Promise<Outcome>,
    life: AbortSignal
  ): Promise<void> {
    const total = this.pick(this.timing.jobMs)
    this.jobs.log(job, opening)
    this.jobs.update(job, { status: "running", progress: 0, message: opening })
    const unreadable = await this.backend.refresh()
    if (!(await this.wait(total * 0.3, life))) return
    if (unreadable !== undefined) return this.fail(job, { ...unreadable, errorCode: "CACHE_REFRESH_ERROR" })
    this.lastCacheUpdate = Date.now()
    this.jobs.log(job, "Package cache refreshed")
    if (!this.profile.serialMutations && job.operation === "patchapply") {
      this.jobs.update(job, { progress: 10, message: "Cache refreshed, applying patches..." })
    }
    if (!(await this.wait(total * 0.7, life))) return
    const told = this.script.take(["fail_job"])
    if (told !== undefined) return this.failAsTold(job, told)
    const locked = this.script.take(["package_lock"])
    if (locked?.how === "fails") return this.failAsTold(job, { error_code: "PKG_MANAGER_ERROR", message: lockedOut })
    if (locked !== undefined) {
      this.released = false
      while (!this.released) if (!(await this.wait(10, life))) return
    }
    if (await this.interrupt("before_change", life)) return
    const outcome = this.script.take(["liar"]) === undefined ? await work(life) : { changes: [] }
    job.changes = outcome.changes
    if (outcome.changes.length > 0) await this.record(job.operation, job, outcome.changes)
    if (outcome.changes.length > 0) this.breakServices(life)
    if (life.aborted || (await this.interrupt("after_change", life))) return
    for (const change of outcome.changes) {
      this.jobs.log(job, `${change.name}: ${change.from ?? "not installed"} -> ${change.to ?? "removed"}`)
    }
    if (outcome.failure !== undefined) return this.fail(job, outcome.failure)
    this.jobs.update(job, { status: "completed", progress: 100 })
  }

  /** Services that do not survive the change, some of them for a while only. */
  private breakServices(life: AbortSignal): void {
    for (
      let told = this.script.take(["break_service"]);
      told !== undefined;
      told = this.script.take(["break_service"])
    ) {
      const { unit, for_ms } = told
      this.stoppedServices.add(unit)
      if (for_ms !== undefined) void this.wait(for_ms, life).then(() => this.stoppedServices.delete(unit))
    }
  }

  private fail(job: Job, failure: CommandFailure): void {
    this.jobs.log(job, failure.message)
    this.jobs.update(job, { status: "failed", error: failure.message, failure })
  }

  private failAsTold(
    job: Job,
    told: {
      readonly error_code?: string
      readonly message?: string
      readonly status?: "failed" | "timedout" | "cancelled"
    }
  ): void {
    const error = told.message ?? "apt-get failed (exit 100): E: Unable to fetch some archives"
    this.jobs.log(job, error)
    this.jobs.update(job, {
      status: told.status ?? "failed",
      error,
      failure: { errorCode: told.error_code ?? "NETWORK_ERROR", exitCode: 100, stdout: "", stderr: `${error}\n` }
    })
  }

  /** Does what the script has for this point of a job; says whether the job is over because of it. */
  private async interrupt(at: "before_change" | "after_change", life: AbortSignal): Promise<boolean> {
    const held = this.script.peek("hold")
    if (held?.at === at) {
      this.script.take(["hold"])
      this.released = false
      while (!this.released) if (!(await this.wait(10, life))) return true
    }
    if (this.script.peek("forget_jobs")?.at === at) {
      this.script.take(["forget_jobs"])
      this.restartAgent()
      return true
    }
    if (this.script.peek("reboot_mid_run")?.at === at) {
      this.script.take(["reboot_mid_run"])
      this.goDown(undefined)
      return true
    }
    return life.aborted
  }

  private released = true

  /** Whether a job stands still because it was told to hold. */
  get holding(): boolean {
    return !this.released
  }

  /** Lets a held job go on. */
  release(): void {
    this.released = true
  }

  /** A reboot that was accepted; the delay has been rounded to whole minutes already. */
  scheduleReboot(job: Job, delayMinutes: number): void {
    const life = this.life.signal
    const rebooting = this.profile.rebootingStatus
    if (this.profile.rebootTiers === "tiers") {
      this.rebootReserved = true
      this.jobs.cancelPending("Cancelled: the host is about to reboot")
    }
    this.jobs.log(job, delayMinutes === 0 ? "Reboot initiated" : `Reboot scheduled in ${delayMinutes} minute(s)`)
    this.jobs.update(job, { status: rebooting ? "rebooting" : "running", message: "Reboot initiated" })
    if (!rebooting) this.jobs.update(job, { status: "completed", progress: 100 })
    void this.wait(this.timing.shutdownMs + delayMinutes * this.timing.minuteMs, life).then((alive) => {
      if (!alive) return
      if (this.script.take(["ignore_reboot"]) !== undefined) this.rebootReserved = false
      else this.goDown(job)
    })
  }

  /** After an apply that was given the reboot flag. */
  rebootAfterApply(named: ReadonlyArray<string> | undefined, delayMinutes: number, job: Job): void {
    const wanted =
      this.profile.rebootFlag === "always" ||
      this.backend.rebootRequired() ||
      (named ?? []).some((name) => needsReboot(name))
    if (!wanted) return
    if (this.profile.rebootingStatus) this.jobs.update(job, { status: "rebooting", completedAt: null })
    const life = this.life.signal
    this.rebootReserved = this.profile.rebootTiers === "tiers"
    void this.wait(this.timing.shutdownMs + delayMinutes * this.timing.minuteMs, life).then((alive) => {
      if (alive) this.goDown(job)
    })
  }

  private leave(): void {
    this.life.abort()
    this.life = new AbortController()
    this.turn = Promise.resolve()
    this.mutating = false
    this.up = false
    for (const socket of this.sockets) socket.destroy()
  }

  /** The machine drops off the network and, unless told otherwise, comes back with a new boot. */
  goDown(job: Job | undefined, uptimeSeconds = 0): void {
    this.leave()
    this.bootId = randomUUID()
    this.bootedAt = Date.now()
    void this.record("reboot", job, [])
    if (this.script.take(["never_return"]) !== undefined) return
    const late = this.script.take(["return_late"])
    void this.wait(late?.delay_ms ?? this.pick(this.timing.rebootMs), this.life.signal).then((alive) => {
      if (!alive) return
      this.boot()
      this.bootedAt -= uptimeSeconds * 1000
    })
  }

  /** The machine is back; also what an operator does who presses the power button of a host that never returned. */
  boot(): void {
    if (this.up) return
    this.life.abort()
    this.life = new AbortController()
    this.bootedAt = Date.now()
    this.backend.clearRebootRequired()
    this.stoppedServices.clear()
    this.rebootReserved = false
    this.jobs.restart(true)
    this.up = true
  }

  /** Keeps what a snapshot of the virtual machine keeps; the function returned brings the machine back to it. */
  snapshot(): () => Promise<void> {
    const { backend } = this
    if (!(backend instanceof SimulatedBackend)) throw new Error("Only simulated packages can be rolled back")
    const kept = backend.remember()
    const uptime = Date.now() - this.bootedAt
    return async () => {
      this.leave()
      const changes = await backend.goBackTo(kept)
      this.boot()
      this.bootedAt = Date.now() - uptime
      await this.record("snapshot_rollback", undefined, changes)
    }
  }

  /** The agent process restarts; its machine stays up. */
  restartAgent(): void {
    this.leave()
    void this.wait(this.timing.restartMs, this.life.signal).then((alive) => {
      if (!alive) return
      this.rebootReserved = false
      this.jobs.restart(false)
      this.up = true
    })
  }

  /** Stops every timer and socket of the host for good. */
  stop(): void {
    this.leave()
    this.life.abort()
  }

  /** The agent is replacing itself. */
  get selfUpdating(): boolean {
    return (
      this.profile.selfUpdate && this.jobs.newestFirst().some((job) => job.operation === "selfupdate" && isActive(job))
    )
  }

  /** Jobs that hold off a reboot in this generation. */
  activeJobs(): number {
    return this.profile.rebootTiers === "old"
      ? this.jobs.countOf("running")
      : this.jobs.newestFirst().filter(isActive).length
  }
}
