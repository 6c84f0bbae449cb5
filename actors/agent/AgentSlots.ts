/**
 * How many agent calls may be under way: in the whole worker, among them polls, and one to a host.
 * Taking and giving back cost the same however many wait; among equals the first to ask is the first to go.
 */
import { Context, Effect, Layer } from "effect"

/** Polls leave slots free for what an operator waits for. */
export type Lane = "poll" | "command"

/** Which lane the calls of a fiber use. */
export const AgentLane = Context.Reference<Lane>("patch-manager/agent/AgentLane", { defaultValue: () => "poll" })

export interface SlotLimits {
  /** Calls under way in the worker. */
  total: number
  /** At most this many of them are polls. */
  polls: number
  /** One call at a time to a host; false takes the guard away in a test. */
  readonly perHost?: boolean
}

export const slotLimits = (total: number): SlotLimits => ({
  total,
  polls: Math.max(1, Math.floor((total * 3) / 4))
})

/** A place in the queue, later a slot; `release` ends either and may be called twice. */
export interface Ticket {
  readonly release: () => void
}

interface Entry extends Ticket {
  readonly lane: Lane
  readonly host: string
  readonly granted: () => void
  state: "queued" | "holding_host" | "running" | "released"
}

/** A queue whose released entries are skipped when their turn comes; it holds nothing of those whose turn has come. */
class Line {
  private entries: Array<Entry | undefined> = []
  private head = 0
  push(entry: Entry): void {
    this.entries.push(entry)
  }
  next(): Entry | undefined {
    while (this.head < this.entries.length) {
      const entry = this.entries[this.head]
      this.entries[this.head++] = undefined
      if (this.head > 1024 && this.head * 2 > this.entries.length) {
        this.entries = this.entries.slice(this.head)
        this.head = 0
      }
      if (entry && entry.state !== "released") return entry
    }
    this.entries = []
    this.head = 0
    return undefined
  }
}

/** The limiter itself, without Effect: `granted` is called once, at once or later, unless the ticket is released before. */
export const makeSlots = (limits: SlotLimits) => {
  const lanes = { poll: new Line(), command: new Line() }
  const hosts = new Map<string, Line>()
  const waiting = { poll: 0, command: 0 }
  let running = 0
  let polls = 0
  let draining = false

  const nextInLine = (): Entry | undefined => {
    if (running >= limits.total) return undefined
    if (waiting.command > 0) {
      const command = lanes.command.next()
      if (command) return command
    }
    return waiting.poll > 0 && polls < limits.polls ? lanes.poll.next() : undefined
  }

  const drain = (): void => {
    // A grant may release at once and come back here; the loop already running takes care of it.
    if (draining) return
    draining = true
    try {
      for (let entry = nextInLine(); entry; entry = nextInLine()) {
        waiting[entry.lane]--
        running++
        if (entry.lane === "poll") polls++
        entry.state = "running"
        entry.granted()
      }
    } finally {
      draining = false
    }
  }

  const enterLane = (entry: Entry): void => {
    entry.state = "holding_host"
    waiting[entry.lane]++
    lanes[entry.lane].push(entry)
  }

  const passHostOn = (host: string): void => {
    const next = hosts.get(host)?.next()
    if (next) enterLane(next)
    else hosts.delete(host)
  }

  const release = (entry: Entry): void => {
    const was = entry.state
    if (was === "released") return
    entry.state = "released"
    if (was === "running") {
      running--
      if (entry.lane === "poll") polls--
    } else if (was === "holding_host") waiting[entry.lane]--
    if (was !== "queued") passHostOn(entry.host)
    drain()
  }

  const take = (lane: Lane, host: string, granted: () => void): Ticket => {
    const entry: Entry = { lane, host, granted, state: "queued", release: () => release(entry) }
    const line = limits.perHost === false ? undefined : hosts.get(host)
    if (line) line.push(entry)
    else {
      hosts.set(host, new Line())
      enterLane(entry)
      drain()
    }
    return entry
  }

  return {
    limits,
    /** More go at once; fewer as calls end. A quarter stays free of polls, for what an operator waits for. */
    resize: (total: number) => {
      Object.assign(limits, slotLimits(total))
      drain()
    },
    take,
    /** Waits for a slot, interruptibly, runs the effect with it and gives it back however that ends. */
    within:
      (lane: Lane, host: string) =>
      <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
        Effect.suspend(() => {
          let ticket: Ticket | undefined
          const wait = Effect.callback<void>((resume) => {
            ticket = take(lane, host, () => resume(Effect.void))
          })
          return wait.pipe(Effect.andThen(effect), Effect.ensuring(Effect.sync(() => ticket?.release())))
        }),
    running: () => running,
    waiting: () => waiting.poll + waiting.command
  }
}

export class AgentSlots extends Context.Service<AgentSlots, ReturnType<typeof makeSlots>>()(
  "patch-manager/agent/AgentSlots"
) {
  static readonly layer = (limits: SlotLimits = { total: 64, polls: 48 }): Layer.Layer<AgentSlots> =>
    Layer.sync(AgentSlots, () => makeSlots(limits))
}
