/**
 * Keys with a due time, handed out when they fall due. One heap and one waiting fiber for any number of keys.
 * Waits use monotonic time, so a step of the wall clock neither fires nor delays anything.
 */
import { Clock, Effect, Latch } from "effect"

interface Entry<K> {
  readonly key: K
  readonly dueMillis: number
}

export interface DueQueue<K> {
  /** (Re)sets when the key falls due, counted from now. */
  readonly set: (key: K, delayMillis: number) => Effect.Effect<void>
  readonly remove: (key: K) => Effect.Effect<void>
  /** The next key that has fallen due; it is out of the queue then. For one consumer. */
  readonly take: Effect.Effect<K>
}

/** For waits and ages inside this process; means nothing elsewhere. */
export const monotonicMillis = Effect.map(Clock.Clock, (clock) => Number(clock.monotonicTimeNanosUnsafe()) / 1e6)

const swap = <K>(heap: Array<Entry<K>>, i: number, j: number) => {
  const held = heap[i]!
  heap[i] = heap[j]!
  heap[j] = held
}

const push = <K>(heap: Array<Entry<K>>, entry: Entry<K>) => {
  let i = heap.push(entry) - 1
  while (i > 0) {
    const parent = (i - 1) >> 1
    if (heap[parent]!.dueMillis <= heap[i]!.dueMillis) return
    swap(heap, i, parent)
    i = parent
  }
}

const pop = <K>(heap: Array<Entry<K>>) => {
  const last = heap.pop()
  if (last === undefined || heap.length === 0) return
  heap[0] = last
  let i = 0
  for (;;) {
    const left = 2 * i + 1
    if (left >= heap.length) return
    const right = left + 1
    const child = right < heap.length && heap[right]!.dueMillis < heap[left]!.dueMillis ? right : left
    if (heap[child]!.dueMillis >= heap[i]!.dueMillis) return
    swap(heap, i, child)
    i = child
  }
}

export const makeDueQueue = <K>(): Effect.Effect<DueQueue<K>> =>
  Effect.sync(() => {
    const heap: Array<Entry<K>> = []
    // The entry that counts for a key; older entries of the same key stay in the heap and are passed over.
    const current = new Map<K, Entry<K>>()
    const changed = Latch.makeUnsafe(false)

    const set = Effect.fnUntraced(function* (key: K, delayMillis: number) {
      const entry = { key, dueMillis: (yield* monotonicMillis) + delayMillis }
      current.set(key, entry)
      push(heap, entry)
      if (heap[0] === entry) changed.openUnsafe()
    })

    const take: Effect.Effect<K> = Effect.gen(function* () {
      for (;;) {
        const first = heap[0]
        if (first !== undefined && current.get(first.key) !== first) {
          pop(heap)
          continue
        }
        changed.closeUnsafe()
        if (first === undefined) {
          yield* changed.await
          continue
        }
        const wait = first.dueMillis - (yield* monotonicMillis)
        if (wait <= 0) {
          pop(heap)
          current.delete(first.key)
          return first.key
        }
        yield* Effect.race(Effect.sleep(wait), changed.await)
      }
    })

    return {
      set,
      take,
      remove: (key) => Effect.sync(() => void current.delete(key))
    }
  })
