/** The deadlines of all hosts, kept beside their rows. A deadline that is re-armed or cancelled meanwhile is never delivered. */
import { Effect, Queue } from "effect"
import { makeDueQueue } from "./DueQueue.ts"
import type { ArmedTimer, HostHandle, Mail } from "./HostHandle.ts"

export interface HostTimers {
  readonly set: (host: HostHandle, id: string, delayMillis: number, version: number) => Effect.Effect<void>
  readonly cancel: (host: HostHandle, id: string) => Effect.Effect<void>
  readonly cancelAll: (host: HostHandle) => Effect.Effect<void>
  /** Whether this arming is still the one that counts. */
  readonly isCurrent: (timer: ArmedTimer) => boolean
}

/** `now` is database time in epoch milliseconds. */
export const makeHostTimers = Effect.fnUntraced(function* (now: Effect.Effect<number>) {
  const due = yield* makeDueQueue<string>()
  const byHost = new Map<HostHandle, Map<string, ArmedTimer>>()
  const keyed = new Map<string, ArmedTimer>()
  const keyOf = (host: HostHandle, id: string) => `${host.id} ${id}`

  const cancel: HostTimers["cancel"] = (host, id) => {
    byHost.get(host)?.delete(id)
    // A host that was loaded anew holds the same key; its deadline stays.
    if (keyed.get(keyOf(host, id))?.host !== host) return Effect.void
    keyed.delete(keyOf(host, id))
    return due.remove(keyOf(host, id))
  }

  yield* Effect.gen(function* () {
    const timer = keyed.get(yield* due.take)
    if (timer === undefined) return
    const mail: Mail = { event: { type: timer.id as `xstate.after.${string}`, at: yield* now }, armed: timer }
    Queue.offerUnsafe(timer.host.mailbox, mail)
  }).pipe(Effect.forever, Effect.forkScoped)

  const timers: HostTimers = {
    set: (host, id, delayMillis, version) => {
      const timer = { host, id, version }
      const own = byHost.get(host) ?? new Map<string, ArmedTimer>()
      byHost.set(host, own.set(id, timer))
      keyed.set(keyOf(host, id), timer)
      return due.set(keyOf(host, id), delayMillis)
    },
    cancel,
    cancelAll: (host) =>
      Effect.andThen(
        Effect.forEach([...(byHost.get(host)?.keys() ?? [])], (id) => cancel(host, id), { discard: true }),
        Effect.sync(() => void byHost.delete(host))
      ),
    isCurrent: (timer) => byHost.get(timer.host)?.get(timer.id) === timer
  }
  return timers
})
