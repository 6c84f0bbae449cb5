/** When an order will start, by asking the dispatcher's own question at now and at each moment it names. Pure. */
import { decide, type Decision, type DispatchFacts, type WaitReason, type WindowMoment } from "../Dispatch.ts"

export interface Foretold {
  /** Epoch milliseconds; null where it cannot be said, with `waits_for`. */
  readonly starts_at: number | null
  /** Why not at once. */
  readonly waits_for: WaitReason | null
  /** It would end without being sent. */
  readonly ends: Extract<Decision, { readonly kind: "end" }> | null
}

/** Openings that are all too short, or under blackouts, are followed this far. */
const LOOKS = 60

/** These end by the calendar alone. */
const calendar: ReadonlySet<WaitReason["code"]> = new Set([
  "scheduled",
  "waiting_for_window",
  "window_too_short",
  "blackout"
])

/** What another job does on the host counts for now alone: nobody can say how long it takes. */
export const foretellStart = (
  facts: Omit<DispatchFacts, "windows">,
  windowsAt: (at: number) => WindowMoment
): Foretold => {
  let at = facts.at
  let first: WaitReason | null = null
  for (let look = 0; look < LOOKS; look++) {
    const host = at === facts.at ? facts.host : { ...facts.host, busy_with: null }
    const decision = decide({ ...facts, host, at, windows: windowsAt(at) })
    if (decision.kind === "start") return { starts_at: at, waits_for: first, ends: null }
    if (decision.kind === "end") return { starts_at: null, waits_for: first, ends: decision }
    first ??= decision.reason
    const { reason, until } = decision
    if (until === null || !calendar.has(reason.code)) return { starts_at: null, waits_for: reason, ends: null }
    at = until
  }
  return { starts_at: null, waits_for: first, ends: null }
}
