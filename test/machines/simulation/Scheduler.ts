/** Seeded chance and simulated time. One seed gives one life, event by event. */

export type Chance = () => number

/** mulberry32: small, fast and the same everywhere. */
export const chanceOf = (seed: number): Chance => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

export const seconds = (count: number): number => count * 1000
export const minutes = (count: number): number => count * 60_000
export const hours = (count: number): number => count * 3_600_000

interface Entry {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

/** Runs what is due in order of time; equal times in the order in which they were planned. */
export class Scheduler {
  now = 1_800_000_000_000
  private readonly heap: Array<Entry> = []
  private planned = 0

  after(delay: number, run: () => void): void {
    const entry = { at: this.now + Math.max(0, Math.round(delay)), order: this.planned++, run }
    this.heap.push(entry)
    let at = this.heap.length - 1
    while (at > 0) {
      const up = (at - 1) >> 1
      if (!this.before(at, up)) break
      this.swap(at, up)
      at = up
    }
  }

  /** False when nothing is planned any more. */
  next(): boolean {
    const [first] = this.heap
    const last = this.heap.pop()
    if (first === undefined || last === undefined) return false
    if (this.heap.length > 0) {
      this.heap[0] = last
      this.sink()
    }
    this.now = first.at
    first.run()
    return true
  }

  private before(left: number, right: number): boolean {
    const a = this.heap[left]
    const b = this.heap[right]
    return a !== undefined && b !== undefined && (a.at < b.at || (a.at === b.at && a.order < b.order))
  }

  private swap(left: number, right: number): void {
    const a = this.heap[left]
    const b = this.heap[right]
    if (a === undefined || b === undefined) return
    this.heap[left] = b
    this.heap[right] = a
  }

  private sink(): void {
    for (let at = 0; ;) {
      const left = 2 * at + 1
      const right = left + 1
      const down = right < this.heap.length && this.before(right, left) ? right : left
      if (down >= this.heap.length || !this.before(down, at)) return
      this.swap(down, at)
      at = down
    }
  }
}
