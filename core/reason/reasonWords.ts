/** The sentences of reasons that several causes share. */
import type { WaitReason } from "../Dispatch.ts"
import { momentWords } from "../momentWords.ts"
import type { Reason, ReasonCode } from "../Reason.ts"
import type { EndedShare, OpenShare, ReasonHost } from "./ReasonFacts.ts"

export const stamp = (ms: number): string => new Date(ms).toISOString()
export const stampOrNull = (ms: number | null): string | null => (ms === null ? null : stamp(ms))

export const because = (code: ReasonCode, message: string, more: Partial<Reason> = {}): Reason => ({
  code,
  message,
  until: null,
  since: null,
  job: null,
  window_ids: [],
  hold_id: null,
  ...more
})

export const jobOf = ({ job_id, job_number }: OpenShare | EndedShare) => ({ id: job_id, number: job_number })

export const nameOfWindows = (host: ReasonHost, ids: ReadonlyArray<string>): string => {
  const names = [...host.windows.open, ...host.windows.blackouts]
    .filter((window) => ids.includes(window.id))
    .map((window) => `“${window.name}”`)
  return names.length === 0 ? "the next window" : names.join(" and ")
}

export const waiting = (host: ReasonHost, share: OpenShare, wait: WaitReason): Reason => {
  const job = jobOf(share)
  const by = `Job ${share.job_number}`
  switch (wait.code) {
    case "clock_skew":
      return because(
        "clock_skew",
        `${by} waits: the clocks of the database and of the worker differ by ${Math.abs(wait.skew_seconds)} s, so nothing is started. Set both clocks right.`,
        { job }
      )
    case "wave_not_reached":
      return because(
        "wave_not_reached",
        `${by} has this host in wave ${wait.wave} and is still at wave ${wait.current_wave}.`,
        { job }
      )
    case "paused":
      return because("paused", `${by} is paused by ${wait.by}. Resume it to go on.`, { job })
    case "scheduled":
      return because("scheduled", `${by} starts at ${momentWords(wait.at)}.`, { job, until: wait.at })
    case "waiting_for_window":
      return because(
        "waiting_for_window",
        `${by} waits for ${nameOfWindows(host, wait.window_ids)}, which opens at ${momentWords(wait.at)}.`,
        {
          job,
          until: wait.at,
          window_ids: wait.window_ids
        }
      )
    case "window_too_short":
      return because(
        "window_too_short",
        `${by} is expected to take ${wait.expected_seconds} s here, and the window closes at ${momentWords(wait.closes_at)}. ` +
          (wait.next_at === null ? "No window follows." : `It waits for the next one at ${momentWords(wait.next_at)}.`),
        { job, until: wait.next_at }
      )
    case "no_window":
      return because(
        "no_window",
        `${by} waits for a window, and no window covers this host. Give it one, or order an immediate job.`,
        { job }
      )
    case "blackout":
      return because(
        "blackout",
        `${by} waits until the blackout ${nameOfWindows(host, [wait.window_id])} ends at ${momentWords(wait.until)}.`,
        {
          job,
          until: wait.until,
          window_ids: [wait.window_id]
        }
      )
    case "blocked_by_job":
      return because("blocked_by_job", `${by} waits for job ${wait.job_number}, which has this host first.`, { job })
    case "needs_decision":
      return because(
        "needs_decision",
        `${by} waits: how an earlier run ended on this host is unknown. Open the host and settle it by hand.`,
        { job }
      )
    case "concurrency_limit":
      return because(
        "concurrency_limit",
        `${by} works on ${wait.max_concurrency} hosts at a time; this one is next in line.`,
        {
          job
        }
      )
  }
}

export const away = (host: ReasonHost): string =>
  `The agent has not answered${host.link_since === null ? "" : ` since ${momentWords(host.link_since)}`}${host.link_reason === null ? "" : ` (${host.link_reason.replace(/\.$/, "")})`}.`
