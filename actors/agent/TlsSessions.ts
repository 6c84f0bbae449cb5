/**
 * TLS sessions of agents, so that a poll costs half a handshake.
 * Node checks nothing when it resumes one: what a full handshake verified is all that is known, so a session is found only under
 * the very registration it was made for, for at most an hour from that handshake, and is dropped on the first error.
 */
import type { AgentGuard } from "./AgentGuard.ts"
import type { AgentTarget } from "./AgentTarget.ts"

interface Kept {
  readonly session: Buffer
  /** Monotonic milliseconds of the full handshake, not of the latest ticket. */
  readonly verifiedAt: number
}

export interface SessionLimits {
  readonly maxAgeMs: number
  readonly maxCount: number
}

const registration = (target: AgentTarget): string =>
  `${target.address}|${target.port}|${target.name ?? ""}|${target.host_id}|${target.trust_generation}|${target.bound_fingerprint ?? ""}`

const endpoint = (target: AgentTarget): string => `${target.address}|${target.port}`

export const makeTlsSessions = (
  limits: SessionLimits = { maxAgeMs: 3600_000, maxCount: 20_000 },
  guardsOff: ReadonlySet<AgentGuard> = new Set()
) => {
  const kept = new Map<string, Kept>()
  return {
    keyOf: guardsOff.has("resumption_key") ? endpoint : registration,
    find: (key: string): Kept | undefined => {
      const found = kept.get(key)
      if (found && performance.now() - found.verifiedAt > limits.maxAgeMs) {
        kept.delete(key)
        return undefined
      }
      return found
    },
    keep: (key: string, session: Buffer, verifiedAt: number): void => {
      kept.delete(key)
      kept.set(key, { session, verifiedAt })
      if (kept.size > limits.maxCount) {
        const oldest = kept.keys().next()
        if (!oldest.done) kept.delete(oldest.value)
      }
    },
    drop: (key: string): void => void kept.delete(key),
    clear: (): void => kept.clear(),
    size: (): number => kept.size
  }
}
export type TlsSessions = ReturnType<typeof makeTlsSessions>
