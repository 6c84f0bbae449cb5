/**
 * Folds one event into a stored machine: the next snapshot, the commands to carry out and the timers to set or cancel.
 * XState's snapshots hold no pending timers, so timers leave as data.
 */
import { Data, Result, Schema } from "effect"
import type { AnyMachineSnapshot, EventObject } from "xstate"

/** The machine itself failed on this event or this stored snapshot; its actor is parked with the reason. */
export class StepDefect extends Data.TaggedError("StepDefect")<{
  readonly machine: string
  readonly event: string
  readonly reason: string
}> {
  override get message(): string {
    return `The ${this.machine} machine cannot handle ${this.event}: ${this.reason}. Restart the worker; if it happens again, report it with the host's timeline.`
  }
}

/** A stored snapshot does not fit this release's machine; its host or job is parked with the reason. */
export class UnreadableSnapshot extends Data.TaggedError("UnreadableSnapshot")<{
  readonly machine: string
  readonly version: number
  readonly reason: string
}> {
  override get message(): string {
    return `The stored ${this.machine} state of version ${this.version} cannot be read: ${this.reason}. Start the release that wrote it, or remove and register again.`
  }
}

export interface TimerSet {
  readonly id: string
  readonly delay_ms: number
}

export interface Step<Snapshot, Command> {
  readonly snapshot: Snapshot
  /** False where the event left no trace, so that nothing has to be written. */
  readonly changed: boolean
  /** False where the state knows no such event: a stale answer, a wish that came too late. */
  readonly handled: boolean
  readonly commands: ReadonlyArray<Command>
  readonly timers: { readonly set: ReadonlyArray<TimerSet>; readonly cancelled: ReadonlyArray<string> }
}

/** A snapshot as it is stored. */
export interface Stored<Value, Context> {
  readonly value: Value
  readonly context: Context
}

export interface StoredVersion {
  readonly machine_version: number
  readonly value: unknown
  readonly context: unknown
}

interface Emitted {
  readonly type: string
  readonly params?: unknown
}

const text = (value: unknown): string => (value instanceof Error ? value.message : String(value))

const timerId = /^xstate\.after\.[A-Za-z]+\.[A-Za-z]+$/

const raised = (params: unknown): TimerSet => {
  const { id, delay } = params as { readonly id?: unknown; readonly delay?: unknown }
  if (typeof id !== "string" || !timerId.test(id)) throw new Error(`a timer has the unusable name ${String(id)}`)
  if (typeof delay !== "number" || !Number.isFinite(delay) || delay < 0)
    throw new Error(`the timer ${id} has the unusable delay ${String(delay)}`)
  return { id, delay_ms: delay }
}

const fold = <Command>(actions: ReadonlyArray<Emitted>) => {
  const commands: Array<Command> = []
  const timers = new Map<string, number | null>()
  for (const { type, params } of actions) {
    if (type === "command") commands.push(params as Command)
    else if (type === "xstate.raise") {
      const { id, delay_ms } = raised(params)
      timers.set(id, delay_ms)
    } else if (type === "xstate.cancel") timers.set(String((params as { readonly sendId?: unknown }).sendId), null)
    else throw new Error(`the action ${type} cannot be carried out`)
  }
  return { commands, timers }
}

const timersOf = (timers: ReadonlyMap<string, number | null>) => ({
  set: [...timers].flatMap(([id, delay_ms]) => (delay_ms === null ? [] : [{ id, delay_ms }])),
  cancelled: [...timers].flatMap(([id, delay_ms]) => (delay_ms === null ? [id] : []))
})

/** The timers that must exist for a snapshot; compared with the stored ones after every commit. */
export const expectedTimers = (snapshot: AnyMachineSnapshot): ReadonlyArray<string> => [
  ...new Set(snapshot._nodes.flatMap((node) => node.after.map((delayed) => delayed.eventType)))
]

/** A machine's own functions, with its types. */
export interface Stepped<Snapshot extends AnyMachineSnapshot, Event extends EventObject, Value, Context, Command> {
  readonly name: string
  readonly readableVersions: ReadonlyArray<number>
  readonly value: Schema.Codec<Value, unknown>
  readonly context: Schema.Codec<Context, unknown>
  readonly initial: () => readonly [Snapshot, ReadonlyArray<Emitted>]
  readonly transition: (snapshot: Snapshot, event: Event) => readonly [Snapshot, ReadonlyArray<Emitted>]
  /** Transitions that the current state has for the event, taken or not. */
  readonly known: (snapshot: Snapshot, event: Event) => ReadonlyArray<unknown>
  readonly resolve: (stored: Stored<Value, Context>) => Snapshot
  readonly persist: (snapshot: Snapshot) => Stored<Value, Context>
  /** Calls of a state that was left within the same step are not made. */
  readonly isLive: (command: Command, snapshot: Snapshot) => boolean
}

export const makeStep = <Snapshot extends AnyMachineSnapshot, Event extends EventObject, Value, Context, Command>(
  stepped: Stepped<Snapshot, Event, Value, Context, Command>
) => {
  const { name } = stepped
  const decode = Schema.decodeUnknownResult(Schema.Struct({ value: stepped.value, context: stepped.context }))

  const attempt = <A>(event: string, body: () => A): Result.Result<A, StepDefect> =>
    Result.try({ try: body, catch: (error) => new StepDefect({ machine: name, event, reason: text(error) }) })

  const finish = (
    snapshot: Snapshot,
    actions: ReadonlyArray<Emitted>,
    trace: { readonly changed: boolean; readonly handled: boolean }
  ): Step<Snapshot, Command> => {
    const { commands, timers } = fold<Command>(actions)
    return {
      snapshot,
      ...trace,
      commands: commands.filter((command) => stepped.isLive(command, snapshot)),
      timers: timersOf(timers)
    }
  }

  return {
    initialStep: (): Result.Result<Step<Snapshot, Command>, StepDefect> =>
      attempt("its start", () => {
        const [snapshot, actions] = stepped.initial()
        return finish(snapshot, actions, { changed: true, handled: true })
      }),
    step: (snapshot: Snapshot, event: Event): Result.Result<Step<Snapshot, Command>, StepDefect> =>
      attempt(event.type, () => {
        const [next, actions] = stepped.transition(snapshot, event)
        const changed = next !== snapshot
        return finish(next, actions, { changed, handled: changed || stepped.known(snapshot, event).length > 0 })
      }),
    /** Whether the event would do anything now; far cheaper than a step. */
    canTake: (snapshot: Snapshot, event: Event): boolean => snapshot.can(event),
    persist: stepped.persist,
    /** A stored snapshot as the machine's own, or why it cannot be read. Timers are not part of it. */
    restore: (stored: StoredVersion): Result.Result<Snapshot, UnreadableSnapshot> => {
      const { machine_version } = stored
      const unreadable = (reason: string) => new UnreadableSnapshot({ machine: name, version: machine_version, reason })
      if (!stepped.readableVersions.includes(machine_version))
        return Result.fail(unreadable(`this release reads version ${stepped.readableVersions.join(" and ")}`))
      const read = decode({ value: stored.value, context: stored.context })
      if (Result.isFailure(read)) return Result.fail(unreadable(text(read.failure)))
      return Result.try({ try: () => stepped.resolve(read.success), catch: (error) => unreadable(text(error)) })
    }
  }
}
