/**
 * A host with its agent, much worse than a real one, and its ledger of what was really done.
 * It knows nothing of the machine: the ledger is the independent side of every check.
 */
import { type Chance, hours, minutes, type Scheduler, seconds } from "./Scheduler.ts"

/** How often this host's agent misbehaves, drawn once for each life. */
export interface Traits {
  /** Its job list is lost with every restart. */
  readonly forgetful: boolean
  /** It can tell whether a reboot is needed and whether the package database is clean. */
  readonly informed: boolean
  readonly refuses: number
  readonly fails: number
  readonly lies: number
  readonly hangs: number
  readonly restarts: number
  readonly rebootsByItself: number
  readonly ignoresReboot: number
  readonly neverReturns: number
  /** Installs older versions, too. */
  readonly downgrades: boolean
  /** Carries out rollbacks; the others leave them pending for ever. */
  readonly rollsBack: boolean
  readonly stopsService: number
}

export const traitsOf = (chance: Chance): Traits => {
  const often = chance() < 0.35 ? 3 : 1
  return {
    forgetful: chance() < 0.5,
    informed: chance() < 0.6,
    refuses: 0.06 * often,
    fails: 0.08 * often,
    lies: 0.05 * often,
    hangs: 0.01 * often,
    restarts: 0.06 * often,
    rebootsByItself: 0.03 * often,
    ignoresReboot: 0.03 * often,
    neverReturns: 0.02 * often,
    downgrades: chance() < 0.5,
    rollsBack: chance() < 0.5,
    stopsService: 0.08 * often
  }
}

interface Package {
  /** 0 is not installed. */
  installed: number
  available: number
  readonly kernel: boolean
}

/** What a mutating call asks of the packages. */
export type Work =
  | { readonly kind: "apply"; readonly names: ReadonlyArray<string> }
  | {
      readonly kind: "install"
      readonly packages: ReadonlyArray<{ readonly name: string; readonly version: string | null }>
    }
  | { readonly kind: "update" | "remove"; readonly name: string }
  | { readonly kind: "rollback"; readonly jobId: string }

const operations = {
  apply: "patchapply",
  install: "install",
  update: "update",
  remove: "remove",
  rollback: "rollback"
} as const

/** A package and the version it is to get; 0 removes it. */
type Aim = readonly [name: string, to: number]

export interface SimulatedJob {
  readonly id: string
  readonly operation: (typeof operations)[Work["kind"]] | "reboot"
  /** Versions that it replaced. */
  readonly before: Array<Aim>
  status: "pending" | "running" | "completed" | "failed"
  retryable: boolean
  errorCode: string | null
}

/** One mutating request that the agent took. */
export interface Start {
  readonly intent: string
  readonly action: Work["kind"] | "reboot"
  readonly at: number
  effective: boolean
  alive: boolean
  /** What it is to bring about, for the case that it is killed half way. */
  aims: ReadonlyArray<Aim>
}

export type Reply =
  | { readonly kind: "accepted"; readonly jobId: string }
  | { readonly kind: "refused"; readonly retryable: boolean; readonly retryAfterMs: number | null }

const isOpen = ({ status }: SimulatedJob): boolean => status === "pending" || status === "running"

const waits = ({ operation, status }: SimulatedJob): boolean => operation === "rollback" && status === "pending"

export class SimulatedHost {
  readonly packages = new Map<string, Package>()
  readonly ledger: {
    readonly starts: Array<Start>
    readonly boots: Array<{ readonly at: number; readonly intent: string | null }>
  } = {
    starts: [],
    boots: []
  }
  readonly broken: Array<string> = []
  jobs: Array<SimulatedJob> = []
  private outages = 0
  private hostUp = true
  private agentUp = true
  private bootedAt: number
  private dirtyUntil = 0
  private rebootNeeded = false
  private serviceDownUntil = 0
  private jobNumber = 0
  /** Grows when the agent's process dies; what an earlier one had begun is dead. */
  private life = 0

  private readonly time: Scheduler
  private readonly chance: Chance
  private readonly traits: Traits

  constructor(time: Scheduler, chance: Chance, traits: Traits) {
    this.time = time
    this.chance = chance
    this.traits = traits
    this.bootedAt = time.now - (chance() < 0.3 ? minutes(chance() * 10) : hours(1 + chance() * 2000))
    for (let n = 0; n < 4; n++)
      this.packages.set(`pkg-${n}`, { installed: 1, available: chance() < 0.7 ? 2 : 1, kernel: n === 0 })
    this.packages.set("extra", { installed: 0, available: 1, kernel: false })
    if (chance() < 0.05) this.foreignJob()
    while (chance() < 0.5) this.outage(hours(chance() * 8), minutes(chance() < 0.5 ? 1 + chance() * 10 : chance() * 90))
  }

  get reachable(): boolean {
    return this.hostUp && this.agentUp && this.outages === 0
  }

  get uptimeSeconds(): number {
    return Math.floor((this.time.now - this.bootedAt) / 1000)
  }

  /** A rollback that waits for ever is at work for nobody but a restart. */
  get activeJob(): SimulatedJob | undefined {
    return this.jobs.find((job) => isOpen(job) && (this.traits.rollsBack || !waits(job)))
  }

  get service(): "up" | "down" | "unknown" {
    if (!this.traits.informed) return "unknown"
    return this.time.now < this.serviceDownUntil ? "down" : "up"
  }

  get databaseClean(): boolean | null {
    return this.traits.informed ? this.time.now >= this.dirtyUntil : null
  }

  get rebootIsNeeded(): boolean | null {
    return this.traits.informed ? this.rebootNeeded : null
  }

  versions(): Record<string, string> {
    return Object.fromEntries(
      [...this.packages].flatMap(([name, { installed }]) => (installed === 0 ? [] : [[name, String(installed)]]))
    )
  }

  /** New versions appear in the repository. */
  publish(): void {
    for (const entry of this.packages.values()) if (this.chance() < 0.6) entry.available++
  }

  change(intent: string, work: Work): Reply {
    if (this.activeJob !== undefined) return { kind: "refused", retryable: true, retryAfterMs: seconds(60) }
    if (this.chance() < this.traits.refuses)
      return { kind: "refused", retryable: this.chance() < 0.6, retryAfterMs: this.chance() < 0.5 ? seconds(60) : null }
    const undone = work.kind === "rollback" ? this.jobs.find(({ id }) => id === work.jobId) : undefined
    if (work.kind === "rollback" && (undone === undefined || isOpen(undone)))
      return { kind: "refused", retryable: false, retryAfterMs: null }
    this.watchForRepetition(intent, work)
    const start: Start = { intent, action: work.kind, at: this.time.now, effective: false, alive: true, aims: [] }
    this.ledger.starts.push(start)
    const job = this.newJob(operations[work.kind])
    const { life } = this
    if (work.kind === "rollback" && !this.traits.rollsBack) {
      start.alive = false
      return { kind: "accepted", jobId: job.id }
    }
    const hangs = this.chance() < this.traits.hangs
    const length = hangs
      ? hours(100)
      : this.chance() < 0.1
        ? minutes(20 + this.chance() * 40)
        : seconds(5 + this.chance() * 300)
    this.time.after(seconds(this.chance() * 3), () => {
      if (this.life === life) job.status = "running"
    })
    start.aims = this.aims(work)
    this.plan(length, life, start, () => this.finish(job, start))
    if (this.chance() < this.traits.restarts) this.time.after(length * this.chance() * 1.2, () => this.restartAgent())
    else if (this.chance() < this.traits.rebootsByItself)
      this.time.after(length * this.chance() * 1.2, () => this.boot(null))
    return { kind: "accepted", jobId: job.id }
  }

  reboot(intent: string, delaySeconds: number): Reply {
    if (this.jobs.some(isOpen)) return { kind: "refused", retryable: false, retryAfterMs: null }
    if (this.chance() < this.traits.refuses)
      return { kind: "refused", retryable: this.chance() < 0.5, retryAfterMs: null }
    const start: Start = { intent, action: "reboot", at: this.time.now, effective: false, alive: true, aims: [] }
    this.ledger.starts.push(start)
    const job = this.newJob("reboot")
    if (this.chance() < this.traits.ignoresReboot) {
      job.status = this.chance() < 0.8 ? "completed" : "running"
      start.alive = false
      return { kind: "accepted", jobId: job.id }
    }
    job.status = "running"
    const { life } = this
    this.plan(Math.ceil(delaySeconds / 60) * 60_000 + seconds(1 + this.chance() * 90), life, start, () => {
      job.status = "completed"
      start.effective = true
      start.alive = false
      this.boot(intent)
    })
    return { kind: "accepted", jobId: job.id }
  }

  /** Runs later unless the process that took the request has died. */
  private plan(delay: number, life: number, start: Start, run: () => void): void {
    this.time.after(delay, () => {
      if (this.life === life) run()
      else start.alive = false
    })
  }

  private watchForRepetition(intent: string, work: Work): void {
    const order = intent.split("/")[0]
    if (work.kind !== "rollback" && this.aims(work).length === 0)
      this.broken.push(`${intent} asks again for what is there already`)
    for (const start of this.ledger.starts)
      if (start.action !== "reboot" && start.alive && start.intent.split("/")[0] === order)
        this.broken.push(`${intent} starts while ${start.intent} is at work`)
  }

  /** What the package manager would change now. */
  private aims(work: Work): ReadonlyArray<Aim> {
    const entryOf = (name: string) => this.packages.get(name) ?? { installed: 0, available: 0 }
    const differing = (aims: ReadonlyArray<Aim>) => aims.filter(([name, to]) => entryOf(name).installed !== to)
    switch (work.kind) {
      case "apply":
        return differing(work.names.map((name) => [name, entryOf(name).available]))
      case "update":
        return differing([[work.name, entryOf(work.name).available]])
      case "remove":
        return differing([[work.name, 0]])
      case "install":
        return differing(
          work.packages.map(({ name, version }) => [name, version === null ? entryOf(name).available : Number(version)])
        )
      case "rollback":
        return differing(this.jobs.find(({ id }) => id === work.jobId)?.before ?? [])
    }
  }

  private put(aims: ReadonlyArray<Aim>, share: number, job: SimulatedJob | undefined): boolean {
    const taken = aims.slice(0, Math.ceil(aims.length * share))
    for (const [name, to] of taken) {
      const entry = this.packages.get(name)
      if (entry === undefined) continue
      job?.before.push([name, entry.installed])
      entry.installed = to
      if (entry.kernel) this.rebootNeeded = true
    }
    if (taken.length > 0 && this.chance() < this.traits.stopsService)
      this.serviceDownUntil = this.time.now + (this.chance() < 0.5 ? seconds(this.chance() * 60) : hours(1000))
    return taken.length > 0
  }

  /** Older than what is there, on an agent that is not told to go back. */
  private isRefusedByTheTool(job: SimulatedJob, aims: ReadonlyArray<Aim>): boolean {
    return (
      job.operation === "install" &&
      !this.traits.downgrades &&
      aims.some(([name, to]) => to < (this.packages.get(name)?.installed ?? 0))
    )
  }

  private finish(job: SimulatedJob, start: Start): void {
    const { aims } = start
    start.alive = false
    const refused = this.isRefusedByTheTool(job, aims)
    if (refused || this.chance() < this.traits.fails) {
      job.status = "failed"
      job.retryable = this.chance() < 0.6
      job.errorCode = "PKG_MANAGER_ERROR"
      if (!refused && this.chance() < 0.3) start.effective = this.put(aims, this.chance() < 0.3 ? 1 : 0.5, job)
    } else if (this.chance() < this.traits.lies) {
      job.status = "completed"
      if (this.chance() < 0.3) start.effective = this.put(aims, 0.5, job)
    } else {
      start.effective = this.put(aims, 1, job)
      job.status = "completed"
    }
    if (this.chance() < 0.1) this.time.after(minutes(this.chance() * 5), () => this.restartAgent())
  }

  /** Whatever was at work dies; some of it may have been installed, and the database may be half way for a while. */
  private kill(): void {
    this.life++
    const [atWork] = this.ledger.starts.filter((start) => start.alive && start.action !== "reboot")
    for (const start of this.ledger.starts) start.alive = false
    if (atWork !== undefined && this.chance() < 0.4) {
      atWork.effective = this.put(atWork.aims, this.chance(), undefined)
      if (this.chance() < 0.3) this.dirtyUntil = this.time.now + minutes(this.chance() * 60)
    }
    if (this.traits.forgetful) this.jobs = []
    else
      for (const job of this.jobs)
        if (isOpen(job) && !(waits(job) && !this.traits.rollsBack)) {
          job.status = "failed"
          job.errorCode = "AGENT_RESTARTED"
        }
  }

  private restartAgent(): void {
    if (!this.hostUp || !this.agentUp) return
    this.kill()
    this.agentUp = false
    this.time.after(seconds(1 + this.chance() * 60), () => {
      this.agentUp = true
    })
  }

  private boot(intent: string | null): void {
    if (!this.hostUp) return
    this.kill()
    this.hostUp = false
    const away =
      this.chance() < this.traits.neverReturns
        ? hours(this.chance() < 0.5 ? 3 : 10_000)
        : this.chance() < 0.1
          ? minutes(5 + this.chance() * 14)
          : seconds(15 + this.chance() * 120)
    this.ledger.boots.push({ at: this.time.now, intent })
    this.time.after(away, () => {
      this.hostUp = true
      this.agentUp = true
      this.bootedAt = this.time.now - seconds(5)
      this.rebootNeeded = false
      this.serviceDownUntil = 0
    })
  }

  private newJob(operation: SimulatedJob["operation"]): SimulatedJob {
    const job: SimulatedJob = {
      id: `J${++this.jobNumber}`,
      operation,
      before: [],
      status: "pending",
      retryable: false,
      errorCode: null
    }
    this.jobs.unshift(job)
    return job
  }

  /** The network between is broken; the host itself goes on. */
  private outage(begins: number, lasts: number): void {
    this.time.after(begins, () => {
      this.outages++
      this.time.after(lasts, () => {
        this.outages--
      })
    })
  }

  /** Somebody else works on the host. */
  private foreignJob(): void {
    const job = this.newJob("install")
    job.status = "running"
    this.time.after(minutes(this.chance() * 90), () => {
      if (job.status === "running") job.status = "completed"
    })
  }
}
