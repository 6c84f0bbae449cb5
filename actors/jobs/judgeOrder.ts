/** What becomes of one order that has not started: the decision, and what is noted down about it. Pure. */
import { type Decision, decide, type DispatchFacts, type WaitReason, type WindowMoment } from "#core/Dispatch.ts"
import type { JobLook, StoredJob } from "#sql/JobSnapshotStore.ts"
import type { OrderEnd, OrderFacts, OrderWait } from "#sql/dispatchFacts.ts"

/** What of the job counts when one of its orders is judged. */
export interface JobStanding {
  readonly job: StoredJob
  readonly look: JobLook
  /** How far the database's clock is ahead of this machine's. */
  readonly skew_ms: number
  /** Decided by the job's machine. */
  readonly stopped_reason: string | null
  /** Hosts at work, uncertain, or just being handed their order. */
  readonly open: number
}

export const factsOf = (
  at: number,
  { job, look, skew_ms, stopped_reason, open }: JobStanding,
  order: OrderFacts,
  windows: WindowMoment
): DispatchFacts => ({
  at,
  skew_ms,
  job: {
    when: job.when.kind === "at" ? { kind: "at", at: Date.parse(job.when.at) } : job.when,
    ignore_blackout: job.ignore_blackout,
    cancelled_by: look.cancel_requested_by,
    paused_by: look.paused_by,
    stopped_reason,
    expires_at: job.expires_at,
    current_wave: look.wave ?? order.wave,
    max_concurrency: job.max_concurrency,
    open
  },
  order: { wave: order.wave, expected_seconds: order.expected_seconds },
  host: {
    lost: order.lost,
    leaving: order.leaving,
    link: order.link,
    busy_with: order.busy_with,
    unresolved: order.unresolved
  },
  windows
})

/** The window was open and the order stood in line for something else. */
const stoodInLine: ReadonlySet<WaitReason["code"]> = new Set(["blocked_by_job", "needs_decision", "concurrency_limit"])
const outside: ReadonlySet<WaitReason["code"]> = new Set([
  "waiting_for_window",
  "window_too_short",
  "no_window",
  "blackout"
])

/** A window went by without it: it closed while the order stood in line, or what was left of it had become too short. */
const missedItsWindow = (job: StoredJob, before: WaitReason | null, now: WaitReason): boolean =>
  job.when.kind !== "immediate" &&
  outside.has(now.code) &&
  ((before !== null && stoodInLine.has(before.code)) ||
    (now.code === "window_too_short" && before?.code !== "window_too_short"))

export type Judged =
  | { readonly kind: "start"; readonly closes_at: number | null }
  | { readonly kind: "wait"; readonly reason: WaitReason; readonly until: number | null; readonly noted: OrderWait }
  | { readonly kind: "end"; readonly end: OrderEnd }

const isNoted = (order: OrderFacts, noted: OrderWait): boolean =>
  order.state === noted.state &&
  order.deferrals === noted.deferrals &&
  JSON.stringify(order.waits_for, Object.keys(noted.waits_for).toSorted()) ===
    JSON.stringify(noted.waits_for, Object.keys(noted.waits_for).toSorted())

/** Whether the row says something else than what would be noted. */
export const differs = (order: OrderFacts, noted: OrderWait): boolean => !isNoted(order, noted)

export const judgeOrder = (at: number, standing: JobStanding, order: OrderFacts, windows: WindowMoment): Judged => {
  const { job } = standing
  const decision: Decision = decide(factsOf(at, standing, order, windows))
  if (decision.kind === "start") return decision
  if (decision.kind === "end") {
    const { state, verdict, message } = decision
    return { kind: "end", end: { order_id: order.order_id, state, verdict, message } }
  }
  const { reason, until } = decision
  const missed = missedItsWindow(job, order.waits_for, reason)
  if (missed && !job.carries_over)
    return {
      kind: "end",
      end: {
        order_id: order.order_id,
        state: "deferred",
        verdict: "deferred",
        message: "The maintenance window closed before it could start, so nothing was sent."
      }
    }
  const deferrals = order.deferrals + (missed ? 1 : 0)
  const state = deferrals > 0 && outside.has(reason.code) ? "deferred" : "waiting"
  return { kind: "wait", reason, until, noted: { order_id: order.order_id, state, deferrals, waits_for: reason } }
}
