/** What a job is called and how it ended, in words. Pure. */
import type { JobDetail, JobItem } from "#core/Job.ts"
import type { Outcome } from "#core/Order.ts"
import { count, plural } from "../format/numbers.ts"
import { verdictWords } from "../format/states.ts"
import { finishedHosts, groupCounts } from "./groupCounts.ts"

/** The operator's own words where there are any. */
export const jobTitle = (job: Pick<JobItem, "kind" | "notes" | "hosts_total">): string => {
  const first = job.notes.split("\n")[0]?.trim() ?? ""
  if (first !== "") return first
  return `${job.kind === "reboot" ? "Restart" : "Patch"} ${plural(job.hosts_total, "host")}`
}

export const selectionWords = (job: Pick<JobDetail, "kind" | "selection">): string => {
  if (job.kind === "reboot") return "Restart only"
  switch (job.selection.kind) {
    case "all":
      return "All pending updates"
    case "security":
      return "Security only"
    case "packages":
      return job.selection.names.length <= 3
        ? job.selection.names.join(", ")
        : plural(job.selection.names.length, "chosen package")
  }
}

export const rebootWords = (job: Pick<JobDetail, "reboot" | "reboot_delay_seconds">): string => {
  const delay =
    job.reboot_delay_seconds > 0 && job.reboot !== "never"
      ? `, ${plural(Math.round(job.reboot_delay_seconds / 60), "minute")} later`
      : ""
  return { never: "Never", if_needed: "If needed", always: "Always" }[job.reboot] + delay
}

/** One sentence on where the whole job stands. */
export const progressWords = (job: JobItem): string => {
  const finished = finishedHosts(job)
  if (job.state === "queued" || job.state === "waiting") return `${plural(job.hosts_total, "host")} waiting`
  if (job.finished_at === null) return `${count(finished)} of ${plural(job.hosts_total, "host")} finished`
  const { done, failed, uncertain } = groupCounts(job.counts)
  if (job.state === "succeeded") return `${count(done)} of ${plural(job.hosts_total, "host")} done`
  if (job.state === "cancelled") return `Cancelled, ${count(done)} of ${plural(job.hosts_total, "host")} done`
  const parts = [`${count(done)} done`, `${count(failed)} failed`]
  if (uncertain > 0) parts.push(`${count(uncertain)} uncertain`)
  return `${parts.join(", ")} of ${plural(job.hosts_total, "host")}`
}

export const outcomeWords = (outcome: Outcome): string =>
  outcome.message === "" ? verdictWords[outcome.verdict] : outcome.message
