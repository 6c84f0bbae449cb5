/**
 * Whether a host's share of a job may start now, and if not, why. The dispatcher acts on it, the plan foretells with it and
 * "why is this host not patched" is answered by it, so that what is said and what is done cannot differ. Pure.
 */
import { Schema } from "effect"
import { SKEW_BLOCKS_MILLIS, SKEW_MEASURED_MILLIS } from "./ClockSkew.ts"
import type { LinkState } from "./HostState.ts"
import { Timestamp } from "./Timestamp.ts"

/** When a job may start; `at` has to lie inside a window of each host. */
export const When = Schema.Union([
  Schema.Struct({ kind: Schema.Literal("immediate") }),
  Schema.Struct({ kind: Schema.Literal("next_window") }),
  Schema.Struct({ kind: Schema.Literal("at"), at: Timestamp })
]).annotate({ identifier: "When" })
export type When = typeof When.Type

/** Why a host's share has not started yet. Times are RFC 3339. */
export const WaitReason = Schema.Union([
  /** The database's clock is ahead of the worker's by so much, or behind it. */
  Schema.Struct({ code: Schema.Literal("clock_skew"), skew_seconds: Schema.Int }),
  Schema.Struct({ code: Schema.Literal("wave_not_reached"), wave: Schema.Int, current_wave: Schema.Int }),
  Schema.Struct({ code: Schema.Literal("paused"), by: Schema.String }),
  Schema.Struct({ code: Schema.Literal("scheduled"), at: Timestamp }),
  Schema.Struct({
    code: Schema.Literal("waiting_for_window"),
    window_ids: Schema.Array(Schema.String),
    at: Timestamp
  }),
  /** The window is open, but what is left of it is shorter than the work is expected to take. */
  Schema.Struct({
    code: Schema.Literal("window_too_short"),
    closes_at: Timestamp,
    expected_seconds: Schema.Int,
    next_at: Schema.NullOr(Timestamp)
  }),
  Schema.Struct({ code: Schema.Literal("no_window") }),
  Schema.Struct({ code: Schema.Literal("blackout"), window_id: Schema.String, until: Timestamp }),
  Schema.Struct({ code: Schema.Literal("blocked_by_job"), job_number: Schema.Int }),
  Schema.Struct({ code: Schema.Literal("needs_decision") }),
  Schema.Struct({ code: Schema.Literal("concurrency_limit"), max_concurrency: Schema.Int })
]).annotate({ identifier: "WaitReason" })
export type WaitReason = typeof WaitReason.Type

/** A stretch of time in which the host may be worked on; epoch milliseconds. */
export interface OpenInterval {
  readonly opens_at: number
  readonly closes_at: number
  readonly window_ids: ReadonlyArray<string>
}

/** The host's windows as they stand at one moment. */
export interface WindowMoment {
  readonly open: OpenInterval | null
  readonly next: OpenInterval | null
  readonly blackout: { readonly window_id: string; readonly until: number } | null
}

export interface DispatchFacts {
  /** Database time, epoch milliseconds. */
  readonly at: number
  /** How far the database's clock is ahead of the worker's. */
  readonly skew_ms: number
  readonly job: {
    readonly when: { readonly kind: "immediate" | "next_window" } | { readonly kind: "at"; readonly at: number }
    readonly ignore_blackout: boolean
    readonly cancelled_by: string | null
    readonly paused_by: string | null
    /** Why nothing more is started: too many hosts failed. */
    readonly stopped_reason: string | null
    readonly expires_at: number | null
    /** The first wave that has a host which has not ended. */
    readonly current_wave: number
    readonly max_concurrency: number
    /** Hosts of the job at work or uncertain now. */
    readonly open: number
  }
  readonly order: { readonly wave: number; readonly expected_seconds: number }
  readonly host: {
    /** Removed or set aside: nobody will ever take the order. */
    readonly lost: boolean
    readonly leaving: boolean
    readonly link: LinkState
    /** The job that works on the host now. */
    readonly busy_with: number | null
    /** An earlier outcome is unknown and waits for a person. */
    readonly unresolved: boolean
  }
  readonly windows: WindowMoment
}

export type Decision =
  | { readonly kind: "start"; readonly closes_at: number | null }
  /** `until` is the earliest moment at which the answer can be another without anything else happening. */
  | { readonly kind: "wait"; readonly reason: WaitReason; readonly until: number | null }
  | {
      readonly kind: "end"
      readonly state: "failed" | "cancelled" | "deferred"
      readonly verdict: "unavailable" | "cancelled" | "stopped" | "deferred"
      readonly message: string
    }

const stamp = (ms: number): string => new Date(ms).toISOString()

const earliest = (...moments: ReadonlyArray<number | null>): number | null => {
  const known = moments.filter((moment) => moment !== null)
  return known.length === 0 ? null : Math.min(...known)
}

const wait = ({ job }: DispatchFacts, reason: WaitReason, until: number | null = null): Decision => ({
  kind: "wait",
  reason,
  until: earliest(until, job.expires_at)
})

const deferred = (message: string): Decision => ({ kind: "end", state: "deferred", verdict: "deferred", message })

/** A job for a certain time has one window on each host; the next one is not its own. */
const overFor = (facts: DispatchFacts): Decision =>
  deferred(
    facts.windows.open === null
      ? "The host's window for the time asked for is closed, so nothing was sent."
      : "What was left of the host's window was too short, so nothing was sent."
  )

/** Inside which interval the order would run, or why there is none now. */
const judgeWindow = (facts: DispatchFacts): Decision => {
  const { at, job, order, windows } = facts
  const { blackout, next, open } = windows
  const { when } = job
  const blackedOut = (): Decision | null =>
    blackout === null
      ? null
      : wait(facts, { code: "blackout", window_id: blackout.window_id, until: stamp(blackout.until) }, blackout.until)
  if (when.kind === "immediate")
    return (job.ignore_blackout ? null : blackedOut()) ?? { kind: "start", closes_at: null }
  if (when.kind === "at" && at < when.at) return wait(facts, { code: "scheduled", at: stamp(when.at) }, when.at)
  if (open === null) {
    const outside = blackedOut()
    if (outside !== null) return outside
    if (when.kind === "at") return overFor(facts)
    if (next === null) return wait(facts, { code: "no_window" })
    return wait(
      facts,
      { code: "waiting_for_window", window_ids: next.window_ids, at: stamp(next.opens_at) },
      next.opens_at
    )
  }
  if (when.kind === "at" && open.opens_at > when.at) return overFor({ ...facts, windows: { ...windows, open: null } })
  const closes_at = Math.min(open.closes_at, job.expires_at ?? Number.POSITIVE_INFINITY)
  if (at + order.expected_seconds * 1000 <= closes_at && at < closes_at) return { kind: "start", closes_at }
  if (when.kind === "at") return overFor(facts)
  return wait(
    facts,
    {
      code: "window_too_short",
      closes_at: stamp(closes_at),
      expected_seconds: order.expected_seconds,
      next_at: next === null ? null : stamp(next.opens_at)
    },
    // The opening itself ends before the next one begins, and then that is what it waits for.
    open.closes_at
  )
}

export const decide = (facts: DispatchFacts): Decision => {
  const { at, host, job, order } = facts
  if (host.lost)
    return {
      kind: "end",
      state: "failed",
      verdict: "unavailable",
      message: "The host was removed or is parked, so nothing was sent to it."
    }
  if (job.cancelled_by !== null || host.leaving)
    return {
      kind: "end",
      state: "cancelled",
      verdict: "cancelled",
      message: host.leaving
        ? "The host is being removed, so nothing was sent to it."
        : "Cancelled before anything was sent to the host."
    }
  if (job.stopped_reason !== null)
    return { kind: "end", state: "cancelled", verdict: "stopped", message: `Not started: ${job.stopped_reason}` }
  // Before anything that the clock decides.
  if (Math.abs(facts.skew_ms) >= SKEW_BLOCKS_MILLIS)
    return {
      kind: "wait",
      reason: { code: "clock_skew", skew_seconds: Math.round(facts.skew_ms / 1000) },
      until: at + SKEW_MEASURED_MILLIS
    }
  if (job.expires_at !== null && at >= job.expires_at)
    return deferred("No window of the host had room for it before the job expired.")
  if (order.wave > job.current_wave)
    return wait(facts, { code: "wave_not_reached", wave: order.wave, current_wave: job.current_wave })
  if (job.paused_by !== null) return wait(facts, { code: "paused", by: job.paused_by })
  const window = judgeWindow(facts)
  if (window.kind !== "start") return window
  // From then on what is left of the window is too short.
  const until = window.closes_at === null ? null : window.closes_at - order.expected_seconds * 1000 + 1
  if (host.busy_with !== null) return wait(facts, { code: "blocked_by_job", job_number: host.busy_with }, until)
  if (host.unresolved) return wait(facts, { code: "needs_decision" }, until)
  if (job.open >= job.max_concurrency)
    return wait(facts, { code: "concurrency_limit", max_concurrency: job.max_concurrency }, until)
  return window
}
