/** Every limit of the web process in one table: what is enforced, what docs/limits.md says, and what the tests try. */

/** What kind of work a request is, as far as limits go. */
export type RouteClass = "sign_in" | "enrolment_request" | "enrolment_status" | "pki" | "read" | "change" | "expensive"

export interface Rate {
  readonly per_minute: number
  /** Saved up at most. */
  readonly burst: number
}

export interface ClassRates {
  /** Everybody behind one address, or one /64 of IPv6, together. */
  readonly address: Rate
  /** One account, with all its sessions and API tokens; null where nobody is signed in. */
  readonly account: Rate | null
}

export type RateLimits = Readonly<Record<RouteClass, ClassRates>>

export const rateLimits: RateLimits = {
  sign_in: { address: { per_minute: 60, burst: 120 }, account: null },
  // Many agents may share an address behind a gateway, so a whole rack can ask at once and poll each minute.
  enrolment_request: { address: { per_minute: 20, burst: 40 }, account: null },
  enrolment_status: { address: { per_minute: 1_200, burst: 200 }, account: null },
  pki: { address: { per_minute: 600, burst: 100 }, account: null },
  read: { address: { per_minute: 12_000, burst: 6_000 }, account: { per_minute: 6_000, burst: 3_000 } },
  change: { address: { per_minute: 4_000, burst: 2_000 }, account: { per_minute: 2_000, burst: 1_000 } },
  expensive: { address: { per_minute: 1_200, burst: 300 }, account: { per_minute: 240, burst: 120 } }
}

export const limits = {
  /** Addresses or accounts that a rate limit remembers; the longest unseen is forgotten first. */
  remembered: 10_000,
  /** Expensive requests of one account that are worked on at once, and that wait; one more is answered 429. */
  expensive_running: 2,
  expensive_waiting: 2,
  connections: 2_000,
  /** A declared proxy has as many as there are. */
  connections_per_address: 500,
  tls_handshake_seconds: 10,
  headers_seconds: 10,
  request_seconds: 30,
  keep_alive_seconds: 65,
  header_bytes: 16_384,
  body_bytes: 65_536,
  /** For the addresses that take a list of hosts. */
  hosts_body_bytes: 524_288,
  json_depth: 32,
  socket_message_bytes: 65_536
} as const

/** A rate with more room, for installations where many people share one address. */
export const widened = (rates: RateLimits, factor: number): RateLimits => {
  const wider = ({ per_minute, burst }: Rate): Rate => ({ per_minute: per_minute * factor, burst: burst * factor })
  const of = ({ address, account }: ClassRates): ClassRates => ({
    address: wider(address),
    account: account === null ? null : wider(account)
  })
  return {
    sign_in: of(rates.sign_in),
    enrolment_request: of(rates.enrolment_request),
    enrolment_status: of(rates.enrolment_status),
    pki: of(rates.pki),
    read: of(rates.read),
    change: of(rates.change),
    expensive: of(rates.expensive)
  }
}

const expensive = /\/(plan|simulate|export|verify)$/
/** Below `/api/v1/auth`: given without an access token, or about the session that is signed in. */
const session = /^\/api\/v1\/auth\/(refresh|logout|password|factors(\/.*)?)$/

/** `path` is the path as routed: decoded, without query. */
export const routeClass = (method: string, path: string): RouteClass => {
  if (path.startsWith("/api/v1/pki/")) return "pki"
  if (path.startsWith("/api/v1/enroll/")) return "enrolment_status"
  const reads = method === "GET" || method === "HEAD"
  if (expensive.test(path)) return "expensive"
  if (reads) return path.startsWith("/api/v1/auth/sso/") ? "sign_in" : "read"
  if (path === "/api/v1/enroll") return "enrolment_request"
  if (path.startsWith("/api/v1/auth/") && !session.test(path)) return "sign_in"
  return "change"
}
