/** A small seeded generator (mulberry32): the same seed gives the same fleet on every machine. */
export interface Seeded {
  /** In [0, 1). */
  readonly next: () => number
  /** An integer in [low, high]. */
  readonly int: (low: number, high: number) => number
}

export const seeded = (seed: number): Seeded => {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  return { next, int: (low, high) => low + Math.floor(next() * (high - low + 1)) }
}

/** Mixes a seed with a number into another seed. */
export const mixSeed = (seed: number, salt: number): number =>
  (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(salt + 1, 0xc2b2ae35)) >>> 0
