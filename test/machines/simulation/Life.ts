/** One host's life by seed: orders, polls, crashes between any two steps, and an agent that cannot be trusted. */
import { isDeepStrictEqual } from "node:util"
import { Result } from "effect"
import { allowedTransitions } from "#machines/allowedTransitions.ts"
import { machineVersion } from "#machines/hostMachine.ts"
import { expectedTimers, type HostSnapshot, type HostStep, placeOf } from "#machines/step.ts"
import { type HostCall, isCall } from "#core/HostCommand.ts"
import type { HostEvent } from "#core/HostEvent.ts"
import { Interpreter } from "./Interpreter.ts"
import { Ledger } from "./Ledger.ts"
import { People } from "./People.ts"
import { type Chance, chanceOf, hours, minutes, Scheduler, seconds } from "./Scheduler.ts"
import { SimulatedHost, traitsOf } from "./SimulatedHost.ts"

export interface LifeOptions {
  readonly seed: number
  readonly step: HostStep
  /** Tell the machine after each restart; without it deadlines alone must be enough. */
  readonly resumed?: boolean
  /** How long after our side gave up a request may still start on the agent. */
  readonly lateness_ms?: number
}

export interface LifeReport {
  readonly seed: number
  readonly events: number
  readonly crashes: number
  readonly sends: number
  readonly starts: number
  readonly places: ReadonlySet<string>
  readonly taken: ReadonlySet<string>
  readonly endings: Readonly<Record<string, number>>
  readonly broken: ReadonlyArray<string>
}

const allowed: ReadonlySet<string> = new Set(
  allowedTransitions()
    .filter(({ machine }) => machine === "host")
    .map(({ region, from, event, to }) => `${region} ${from} ${event} ${to}`)
)

const fromPeople: ReadonlySet<string> = new Set(["order", "cancel", "retire", "retry.now", "dismiss", "settle.by_hand"])

/** At each of three points of a step: before the commit, after it, and after each call. */
const crashShare = 0.03

interface TimerRow {
  due: number
  armed: number
  postponed: boolean
}

export class Life {
  readonly options: LifeOptions
  readonly time = new Scheduler()
  readonly chance: Chance
  readonly host: SimulatedHost
  readonly ledger = new Ledger()
  snapshot: HostSnapshot
  /** Grows with each crash; what an earlier process waited for is lost. */
  process = 1
  private up = true
  private readonly timers = new Map<string, TimerRow>()
  private readonly log: Array<HostEvent> = []
  private readonly waiting: Array<HostEvent> = []
  private readonly interpreter: Interpreter
  private readonly people: People
  private readonly places = new Set<string>()
  private readonly taken = new Set<string>()
  private armed = 0
  private crashes = 0
  private events = 0
  private over = false

  constructor(options: LifeOptions) {
    this.options = options
    this.chance = chanceOf(options.seed)
    this.host = new SimulatedHost(this.time, this.chance, traitsOf(this.chance))
    this.snapshot = Result.getOrThrow(options.step.initialStep()).snapshot
    this.people = new People(this)
    this.interpreter = new Interpreter(this, options.lateness_ms ?? seconds(25))
  }

  run(): LifeReport {
    this.poll()
    this.people.nextOrder()
    while (!this.over && this.time.next()) {
      if (this.events > 5000) {
        this.broken("goes on and on")
        break
      }
    }
    const place = placeOf(this.snapshot)
    this.ledger.finish(this.host, this.snapshot.hasTag("rest") && place.work !== "retired")
    this.checkReplay()
    return this.report()
  }

  /** Answers and deadlines come in here; what is addressed to a dead process is lost, except from people. */
  deliver(event: HostEvent): void {
    if (this.over) return
    if (!this.up) {
      if (fromPeople.has(event.type)) this.waiting.push(event)
      return
    }
    if (fromPeople.has(event.type) && !this.options.step.canTake(this.snapshot, event)) {
      if (event.type === "order") this.time.after(minutes(10), () => this.deliver({ ...event, at: this.time.now }))
      return
    }
    if (!this.options.step.canTake(this.snapshot, event) && event.type !== "resumed") return
    if (this.chance() < crashShare) {
      if (fromPeople.has(event.type)) this.waiting.push(event)
      this.crash()
      return
    }
    this.commit(event)
  }

  broken(what: string): void {
    this.ledger.broken.push(what)
  }

  private commit(event: HostEvent): void {
    const before = placeOf(this.snapshot)
    const stepped = this.options.step.step(this.snapshot, event)
    if (Result.isFailure(stepped)) {
      this.broken(stepped.failure.message)
      this.over = true
      return
    }
    const { snapshot, changed, commands, timers } = stepped.success
    if (!changed) return
    this.events++
    this.log.push(event)
    this.snapshot = snapshot
    if (event.type === "order") this.ledger.ordered(event.order, this.time.now)
    if (event.type === "baseline") this.ledger.looked(event.baseline)
    if (event.type === "evidence") this.ledger.proved(event.evidence)
    for (const id of timers.cancelled) this.timers.delete(id)
    for (const { id, delay_ms } of timers.set)
      this.arm(id, { due: this.time.now + delay_ms, armed: ++this.armed, postponed: false })
    for (const command of commands) this.ledger.committed(command, this.host, event.type === "settle.by_hand")
    this.check(before, event)
    this.carryOut(commands.filter(isCall))
    const { work } = placeOf(this.snapshot)
    if (work === "retired") this.over = true
    this.people.lookAt(work)
  }

  private carryOut(calls: ReadonlyArray<HostCall>): void {
    this.interpreter.interruptOthers(this.snapshot.context.seq)
    if (this.chance() < crashShare) return this.crash()
    for (const call of calls) {
      this.interpreter.run(call)
      if (this.chance() < crashShare) return this.crash()
    }
  }

  private check(before: ReturnType<typeof placeOf>, event: HostEvent): void {
    const after = placeOf(this.snapshot)
    this.places.add(`${after.link} ${after.work}`)
    for (const region of ["link", "work"] as const) {
      const taken = `${region} ${before[region]} ${event.type} ${after[region]}`
      if (before[region] === after[region]) continue
      this.taken.add(taken)
      if (!allowed.has(taken)) this.broken(`not allowed: ${taken}`)
    }
    const expected = expectedTimers(this.snapshot)
    const stored = [...this.timers.keys()]
    if (expected.length !== stored.length || expected.some((id) => !this.timers.has(id)))
      this.broken(`timers ${stored.join()} instead of ${expected.join()} after ${event.type}`)
    const resting = after.work === "retired" || this.snapshot.hasTag("rest")
    if (!resting || this.snapshot.hasTag("busy"))
      if (after.work !== "retired" && expected.length === 0) this.broken(`no deadline in ${after.work}`)
  }

  private arm(id: string, row: TimerRow): void {
    this.timers.set(id, row)
    this.time.after(row.due - this.time.now, () => {
      if (this.up && this.timers.get(id)?.armed === row.armed && !this.over)
        this.deliver({ type: id as `xstate.after.${string}`, at: this.time.now })
    })
  }

  private crash(): void {
    this.crashes++
    this.process++
    this.up = false
    const stored: unknown = JSON.parse(JSON.stringify(this.options.step.persist(this.snapshot)))
    const away = this.chance() < 0.1 ? hours(this.chance() * 6) : seconds(1 + this.chance() * 120)
    this.time.after(away, () => this.restart(stored as { readonly value: unknown; readonly context: unknown }))
  }

  private restart(stored: { readonly value: unknown; readonly context: unknown }): void {
    const restored = this.options.step.restore({ machine_version: machineVersion, ...stored })
    if (Result.isFailure(restored)) {
      this.broken(restored.failure.message)
      this.over = true
      return
    }
    this.snapshot = restored.success
    this.up = true
    if (this.options.resumed !== false) this.deliver({ type: "resumed", at: this.time.now })
    for (const [id, row] of this.timers) {
      const due = row.postponed ? Math.max(row.due, this.time.now) : Math.max(row.due, this.time.now + minutes(1))
      this.arm(id, { due, armed: row.armed, postponed: row.postponed || row.due < this.time.now })
    }
    for (const event of this.waiting.splice(0)) this.deliver({ ...event, at: this.time.now })
    this.poll(false)
  }

  /** The supervisor's poll, every five minutes or so. */
  private poll(again = true): void {
    if (this.over) return
    if (this.up) this.interpreter.poll()
    if (again) this.time.after(minutes(5) * (0.9 + this.chance() * 0.2), () => this.poll())
  }

  /** Fails when the machine is still busy after this long. */
  endWhenAtRest(left: number): void {
    const { work } = placeOf(this.snapshot)
    if (this.up && (work === "idle" || work === "failed" || work === "unresolved" || work === "retired"))
      this.over = true
    else if (left <= 0) {
      this.broken(`stuck in ${work}`)
      this.over = true
    } else this.time.after(hours(1), () => this.endWhenAtRest(left - hours(1)))
  }

  private checkReplay(): void {
    const { step } = this.options
    let snapshot = Result.getOrThrow(step.initialStep()).snapshot
    for (const event of this.log) {
      const next = step.step(snapshot, event)
      if (Result.isSuccess(next)) snapshot = next.success.snapshot
    }
    if (!isDeepStrictEqual(step.persist(snapshot), step.persist(this.snapshot)))
      this.broken("the replay gives another snapshot")
  }

  private report(): LifeReport {
    const endings: Record<string, number> = {}
    for (const { outcomes } of this.ledger.orders.values())
      for (const { verdict } of outcomes) endings[verdict] = (endings[verdict] ?? 0) + 1
    return {
      seed: this.options.seed,
      events: this.events,
      crashes: this.crashes,
      sends: this.ledger.sent.size,
      starts: this.host.ledger.starts.length,
      places: this.places,
      taken: this.taken,
      endings,
      broken: this.ledger.broken
    }
  }
}
