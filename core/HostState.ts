/** The words for where a host stands: two facts (link and work) and the one summary that lists and filters use. */
import { Schema } from "effect"

export const LinkState = Schema.Literals(["unknown", "healthy", "degraded", "unreachable", "retired"])
export type LinkState = typeof LinkState.Type

/** Leaves of the work region by their path in the machine. */
export const WorkState = Schema.Literals([
  "idle",
  "patching.preparing",
  "patching.dispatching",
  "patching.running",
  "patching.verifying",
  "rebooting.leaving",
  "rebooting.away",
  "rebooting.returning",
  "settling.quiet",
  "settling.asking",
  "settling.inspecting",
  "retrying",
  "failed",
  "unresolved",
  "retired"
])
export type WorkState = typeof WorkState.Type

export const HostSummary = Schema.Literals([
  "healthy",
  "degraded",
  "unreachable",
  "unknown",
  "patching",
  "rebooting",
  "checking",
  "retrying",
  "failed",
  "unresolved",
  "retired"
]).annotate({ identifier: "HostSummary" })
export type HostSummary = typeof HostSummary.Type

/** The first that holds: retired, unresolved, busy, failed, then the link. */
export const summarise = (link: LinkState, work: WorkState): HostSummary => {
  if (work === "retired" || link === "retired") return "retired"
  if (work === "unresolved") return "unresolved"
  if (work.startsWith("patching")) return "patching"
  if (work.startsWith("rebooting")) return "rebooting"
  if (work.startsWith("settling")) return "checking"
  if (work === "retrying") return "retrying"
  if (work === "failed") return "failed"
  return link
}
