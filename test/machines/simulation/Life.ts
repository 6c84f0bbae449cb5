/** One host's life by seed: orders, polls, crashes between any two steps, and an agent that cannot be trusted. */
import { isDeepStrictEqual } from "node:util"
import { Result } from "effect"
import { allowedTransitions } from "#machines/allowedTransitions.ts"
import { machineVersion } from "#machines/hostMachine.ts"
import { expectedTimers, type HostSnapshot, type HostStep, placeOf } from "#machines/step.ts"
import { type HostCall, isCall } from "#core/HostCommand.ts"
import type { HostEvent } from "#core/HostEvent.ts"
import { type JobId, OrderId } from "#core/Ids.ts"
import type { Order } from "#core/Order.ts"
import { Interpreter } from "./Interpreter.ts"
import { Ledger } from "./Ledger.ts"
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

const idOf = (seed: number, n: number): string =>
  `01900000-0000-7${n.toString(16).padStart(3, "0")}-8000-${seed.toString(16).padStart(12, "0")}`

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
  private readonly places = new Set<string>()
  private readonly taken = new Set<string>()
  private armed = 0
  private crashes = 0
  private events = 0
  private orders: Array<Order> = []
  private over = false

  constructor(options: LifeOptions) {
    this.options = options
    this.chance = chanceOf(options.seed)
    this.host = new SimulatedHost(this.time, this.chance, traitsOf(this.chance))
    this.snapshot = Result.getOrThrow(options.step.initialStep()).snapshot
    this.interpreter = new Interpreter(this, options.lateness_ms ?? seconds(25))
  }

  run(): LifeReport {
    this.poll()
    const count = 1 + Math.floor(this.chance() * 4)
    for (let n = 1; n <= count; n++) this.orders.push(this.makeOrder(n))
    this.nextOrder()
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
    if (event.type === "order") this.ledger.ordered(event.order.id, this.time.now)
    for (const id of timers.cancelled) this.timers.delete(id)
    for (const { id, delay_ms } of timers.set)
      this.arm(id, { due: this.time.now + delay_ms, armed: ++this.armed, postponed: false })
    for (const command of commands) this.ledger.committed(command, this.host, event.type === "settle.by_hand")
    this.check(before, event)
    this.carryOut(commands.filter(isCall))
    this.followUp()
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

  /** The supervisor's poll: after the third failure every half hour, else every five minutes. */
  private poll(again = true): void {
    if (this.over) return
    if (this.up) this.interpreter.poll()
    if (again) this.time.after(minutes(5) * (0.9 + this.chance() * 0.2), () => this.poll())
  }

  private makeOrder(n: number): Order {
    const { chance } = this
    const kind = chance() < 0.12 ? "reboot" : "patch_apply"
    const drawn = chance()
    return {
      id: OrderId.make(idOf(this.options.seed, n)),
      job_id: idOf(this.options.seed, 100 + n) as JobId,
      kind,
      selection: chance() < 0.6 ? { kind: "all" } : { kind: "packages", names: ["pkg-0", "pkg-2"] },
      reboot: drawn < 0.4 ? "never" : drawn < 0.8 ? "if_needed" : "always",
      reboot_delay_seconds: chance() < 0.2 ? 60 : 0,
      closes_at: chance() < 0.25 ? this.time.now + minutes(chance() * 240) : null
    }
  }

  /** People come when the host is at rest for a while: the next order, a decision, or the end of the life. */
  private nextOrder(): void {
    if (this.over) return
    const order = this.orders.shift()
    if (order === undefined) {
      this.time.after(hours(5), () => this.endWhenAtRest(hours(24 * 30)))
      return
    }
    this.time.after(minutes(1 + this.chance() * 90), () => {
      if (this.chance() < 0.8) this.host.publish()
      this.deliver({ type: "order", at: this.time.now, order, by: "operator" })
      if (this.chance() < 0.03)
        this.time.after(minutes(this.chance() * 20), () =>
          this.deliver({ type: "retire", at: this.time.now, force: this.chance() < 0.5, by: "operator" })
        )
      if (this.chance() < 0.15)
        this.time.after(this.chance() < 0.5 ? seconds(this.chance() * 10) : minutes(this.chance() * 10), () =>
          this.deliver({ type: "cancel", at: this.time.now, order_id: order.id, by: "operator" })
        )
      this.nextOrder()
    })
  }


  private followUp(): void {
    const { work } = placeOf(this.snapshot)
    if (work === "retired") this.over = true
    if (work === "retrying" && this.chance() < 0.1)
      this.time.after(seconds(20), () => this.deliver({ type: "retry.now", at: this.time.now, by: "operator" }))
    if (work === "failed" && this.chance() < 0.2)
      this.time.after(minutes(this.chance() * 60), () =>
        this.deliver({ type: "dismiss", at: this.time.now, by: "operator" })
      )
    if (work === "unresolved")
      this.time.after(hours(2), () => {
        const again = this.chance() < 0.4
        this.deliver(
          again
            ? { type: "retry.now", at: this.time.now, by: "operator" }
            : { type: "settle.by_hand", at: this.time.now, verdict: "not_effective", by: "operator" }
        )
      })
  }

  private endWhenAtRest(left: number): void {
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
    for (const outcomes of this.ledger.outcomes.values())
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
