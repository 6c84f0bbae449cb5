interface Bucket {
  tokens: number
  at: number
}

const limits = {
  read: { burst: 30, perSecond: 2 },
  write: { burst: 10, perSecond: 20 / 60 }
} as const

/** The agents' token buckets: per caller address, 120 reads (burst 30) and 20 writes (burst 10) a minute. */
export class RateLimit {
  private readonly buckets = new Map<string, Bucket>()

  /** Undefined when the call may pass, otherwise the whole seconds after which it may be repeated. */
  hit(peer: string, method: string, path: string, now = Date.now()): number | undefined {
    if (path === "/health" || path === "/api/v1/system/info") return undefined
    const name = method === "GET" || method === "HEAD" ? "read" : "write"
    const { burst, perSecond } = limits[name]
    const key = `${name} ${peer}`
    const bucket = this.buckets.get(key) ?? { tokens: burst, at: now }
    const tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1000) * perSecond)
    const allowed = tokens >= 1
    this.buckets.set(key, { tokens: allowed ? tokens - 1 : tokens, at: now })
    return allowed ? undefined : Math.max(1, Math.ceil((1 - tokens) / perSecond))
  }
}
