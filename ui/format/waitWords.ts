/** Why a host waits, as the dispatcher says it, in the operator's words. Pure. */
import type { WaitReason } from "#core/Dispatch.ts"
import { plural } from "./numbers.ts"
import { formatMoment, type Zone } from "./time.ts"

export const waitWords = (reason: WaitReason, zone: Zone): string => {
  switch (reason.code) {
    case "clock_skew":
      return `The clocks of database and worker differ by ${plural(Math.abs(reason.skew_seconds), "second")}: nothing is started until they agree`
    case "wave_not_reached":
      return `Wave ${reason.wave}: starts when wave ${reason.current_wave} has ended`
    case "paused":
      return `Paused by ${reason.by}`
    case "scheduled":
      return `Scheduled for ${formatMoment(reason.at, zone)}`
    case "waiting_for_window":
      return `Waits for its window at ${formatMoment(reason.at, zone)}`
    case "window_too_short":
      return `Its window closes at ${formatMoment(reason.closes_at, zone)}, before the expected ${plural(Math.ceil(reason.expected_seconds / 60), "minute")} are over${reason.next_at === null ? "; no later window" : `; next window ${formatMoment(reason.next_at, zone)}`}`
    case "no_window":
      return "No maintenance window covers it"
    case "blackout":
      return `Blackout until ${formatMoment(reason.until, zone)}`
    case "blocked_by_job":
      return `Waits for job #${reason.job_number}, which works on it`
    case "needs_decision":
      return "An earlier outcome is unknown and needs a decision first"
    case "concurrency_limit":
      return `Waits for a place: at most ${plural(reason.max_concurrency, "host")} at once`
  }
}
