/** What a schema cannot say about a job that is asked for: the first fault by its path, or null. Pure. */
import type { NewJob } from "../Job.ts"

export interface JobFault {
  readonly path: string
  readonly message: string
}

const fault = (path: string, message: string): JobFault => ({
  path: path === "" ? "payload" : `payload.${path}`,
  message
})

const targetFault = ({ host_ids, group_id, filter }: NewJob): JobFault | null => {
  const given = [host_ids, group_id, filter].filter((one) => one !== undefined).length
  if (given === 1) return null
  return fault(
    given === 0 ? "host_ids" : "",
    given === 0
      ? "Say which hosts: host_ids, group_id or filter."
      : "Say which hosts in one way: host_ids, group_id or filter, and not several of them."
  )
}

const contentFault = (job: NewJob): JobFault | null => {
  const { kind, selection, packages = [] } = job
  if (kind === "patch_apply" && selection === undefined) {
    return fault("selection", "Say which patches to apply: all, security, or packages by name.")
  }
  if (kind !== "patch_apply" && selection !== undefined) {
    return fault("selection", "A selection is for patch_apply. Leave it out.")
  }
  const named = kind === "package_install" || kind === "package_update" || kind === "package_remove"
  if (!named && packages.length > 0)
    return fault("packages", `A job of the kind ${kind} names no packages. Leave them out.`)
  if (named && packages.length === 0) return fault("packages", "Name the package.")
  if (kind === "package_update" || kind === "package_remove") {
    if (packages.length !== 1) return fault("packages", "Agents take one package at a time for this. Name exactly one.")
    if (packages[0]?.version !== null) {
      return fault(
        "packages.0.version",
        kind === "package_update"
          ? "Agents update to the newest version only. To install a certain version make a job of the kind package_install."
          : "A package is removed whatever its version. Leave the version null."
      )
    }
  }
  const names = packages.map(({ name }) => name)
  const twice = names.findIndex((name, index) => names.indexOf(name) !== index)
  if (twice >= 0) return fault(`packages.${twice}.name`, "This package is named twice.")
  if (job.pin_versions === true && kind !== "patch_apply") {
    return fault("pin_versions", "Pinning is for patch_apply; other kinds say themselves which version they install.")
  }
  return null
}

/** `now` is database time in epoch milliseconds. */
export const timeFault = (job: Pick<NewJob, "when" | "ignore_blackout">, now: number): JobFault | null => {
  const { when } = job
  if (job.ignore_blackout === true && when?.kind !== "immediate") {
    return fault("ignore_blackout", "Only an immediate job can run although a blackout is on.")
  }
  if (when?.kind !== "at") return null
  const at = Date.parse(when.at)
  if (Number.isNaN(at)) return fault("when.at", "Give a moment such as 2026-11-03T02:00:00Z.")
  return at <= now ? fault("when.at", "This moment has passed.") : null
}

export const faultOfJob = (job: NewJob, now: number): JobFault | null =>
  targetFault(job) ?? contentFault(job) ?? timeFault(job, now)
