/** The words for where a job stands, and where one host stands within it. */
import { Schema } from "effect"
import type { WorkState } from "./HostState.ts"
import type { Verdict } from "./Order.ts"

export const JobState = Schema.Literals([
  "queued",
  "waiting",
  "running",
  "paused",
  "succeeded",
  "partially_failed",
  "failed",
  "cancelled"
]).annotate({ identifier: "JobState" })
export type JobState = typeof JobState.Type

export const JobHostState = Schema.Literals([
  "queued",
  "waiting",
  "dispatching",
  "running",
  "verifying",
  "rebooting",
  "uncertain",
  "succeeded",
  "failed",
  "deferred",
  "cancelled"
]).annotate({ identifier: "JobHostState" })
export type JobHostState = typeof JobHostState.Type

/** Open = from the first dispatch to the end; a host has at most one open row over all jobs. */
export const openJobHostStates: ReadonlyArray<JobHostState> = [
  "dispatching",
  "running",
  "verifying",
  "rebooting",
  "uncertain"
]

/** States of an order that has not started; `deferred` counts only while it has not ended. */
export const unstartedJobHostStates = ["queued", "waiting", "deferred"] as const satisfies ReadonlyArray<JobHostState>

/** What the host's work means for the order it carries, while the order has not ended. */
export const jobHostStateOf = (work: WorkState): JobHostState => {
  switch (work) {
    case "patching.preparing":
    case "patching.dispatching":
    case "retrying":
      return "dispatching"
    case "patching.running":
      return "running"
    case "patching.verifying":
      return "verifying"
    case "rebooting.leaving":
    case "rebooting.away":
    case "rebooting.returning":
      return "rebooting"
    default:
      return "uncertain"
  }
}

export const jobHostStateOfVerdict = (verdict: Verdict): JobHostState => {
  switch (verdict) {
    case "done":
    case "nothing_to_do":
      return "succeeded"
    case "deferred":
      return "deferred"
    case "cancelled":
    case "stopped":
      return "cancelled"
    case "unresolved":
      return "uncertain"
    default:
      return "failed"
  }
}
