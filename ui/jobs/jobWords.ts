/** What a job is called and how it ended, in words. Pure. */
import type { JobDetail, JobItem } from "#core/Job.ts"
import type { JobKind, Outcome } from "#core/Order.ts"
import { count, plural } from "../format/numbers.ts"
import { verdictWords } from "../format/states.ts"
import { formatMoment, type Zone } from "../format/time.ts"
import { finishedHosts, groupCounts } from "./groupCounts.ts"

/** The operator's own words where there are any. */
export const jobTitle = (job: Pick<JobItem, "kind" | "notes" | "hosts_total">): string => {
  const first = job.notes.split("\n")[0]?.trim() ?? ""
  if (first !== "") return first
  return `${kindWords[job.kind]} ${plural(job.hosts_total, "host")}`
}

const kindWords: Readonly<Record<JobKind, string>> = {
  patch_apply: "Patch",
  package_install: "Install packages on",
  package_update: "Update a package on",
  package_remove: "Remove a package from",
  reboot: "Restart",
  rollback: "Roll back"
}

export const whenWords = (job: Pick<JobItem, "when">, zone: Zone): string => {
  switch (job.when.kind) {
    case "immediate":
      return "At once"
    case "next_window":
      return "Each host in its next window"
    case "at":
      return formatMoment(job.when.at, zone)
  }
}

const named = (names: ReadonlyArray<string>): string =>
  names.length <= 3 ? names.join(", ") : plural(names.length, "chosen package")

export const selectionWords = (job: Pick<JobDetail, "kind" | "selection" | "packages" | "method">): string => {
  if (job.kind === "reboot") return "Restart only"
  if (job.kind === "rollback") return job.method === "agent" ? "The agent's own rollback" : "The versions from before"
  if (job.kind !== "patch_apply")
    return named(job.packages.map(({ name, version }) => (version === null ? name : `${name} ${version}`)))
  switch (job.selection.kind) {
    case "all":
      return "All pending updates"
    case "security":
      return "Security only"
    case "packages":
      return named(job.selection.names)
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
  if (job.state === "queued" || job.state === "waiting") {
    const { waiting } = groupCounts(job.counts)
    return waiting === job.hosts_total
      ? `${plural(waiting, "host")} waiting`
      : `${count(waiting)} of ${plural(job.hosts_total, "host")} waiting`
  }
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
