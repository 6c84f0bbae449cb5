/**
 * How often one address or one account may call: a bucket of tokens each, refilled steadily. Kept in memory and bounded, so
 * that many addresses cost no more than it says; the longest unseen is forgotten first, which only ever gives a caller more.
 */
export interface RateLimit {
  readonly per_minute: number
  readonly burst: number
  /** Addresses remembered at most. */
  readonly capacity?: number
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number
}

interface Bucket {
  tokens: number
  at: number
}

/** IPv6 callers have a /64 to choose addresses from, so they share one bucket. */
export const bucketOf = (address: string): string => {
  if (!address.includes(":")) return address
  const [head = ""] = address.split("::")
  const groups = head === "" ? [] : head.split(":")
  return [...groups, "0", "0", "0", "0"].slice(0, 4).join(":")
}

/** Answers how many seconds to wait; 0 lets the call through and counts it. */
export const makeRateLimit = ({ per_minute, burst, capacity = 10_000, now = () => performance.now() }: RateLimit) => {
  const buckets = new Map<string, Bucket>()
  return (address: string): number => {
    const key = bucketOf(address)
    const at = now()
    const before = buckets.get(key)
    const tokens = before ? Math.min(burst, before.tokens + ((at - before.at) / 60_000) * per_minute) : burst
    // Taken out and put back: the map's order is that of the last call.
    buckets.delete(key)
    if (buckets.size >= capacity) {
      const [oldest] = buckets.keys()
      if (oldest !== undefined) buckets.delete(oldest)
    }
    buckets.set(key, { tokens: tokens < 1 ? tokens : tokens - 1, at })
    return tokens < 1 ? Math.max(1, Math.ceil(((1 - tokens) / per_minute) * 60)) : 0
  }
}
