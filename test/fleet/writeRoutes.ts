import type { IncomingMessage } from "node:http"
import { restore } from "./Backend.ts"
import type { Job } from "./JobBook.ts"
import { isActive } from "./JobBook.ts"
import { findJob, validName } from "./readRoutes.ts"
import { parseApply, parseInstall, parseReboot, readJson } from "./requestBody.ts"
import type { StandIn } from "./StandIn.ts"
import type { Answer } from "./Wire.ts"
import { ok, refuse, timestamp } from "./Wire.ts"

const packageVersion = /^[a-zA-Z0-9][a-zA-Z0-9+.:~_-]*$/
const queueDepth = 100

/** DELETE /api/v1/jobs/{id}: only what is over. */
export const deleteJob = (host: StandIn, id: string): Answer => {
  const found = findJob(host, id)
  if ("refusal" in found) return found.refusal
  const { job } = found
  if (isActive(job)) {
    return refuse(409, "DELETE_NOT_ALLOWED", "Only completed, failed, cancelled or timed out jobs can be deleted", {
      details: { job_id: id, status: job.status }
    })
  }
  host.jobs.delete(id)
  return ok({ deleted: true, job_id: id })
}

/** Why no job can be created right now, if so. */
const admission = (host: StandIn, queueStatus = 429): Answer | undefined => {
  if (host.selfUpdating) {
    return refuse(409, "SELF_UPDATE_IN_PROGRESS", "A self-update is in progress", {
      retryable: queueStatus === 429,
      retryAfter: 60
    })
  }
  if (host.rebootReserved) return refuse(409, "ADMISSION_CLOSED", "The agent is shutting down or recovering")
  if (host.profile.queueCap && host.jobs.countOf("pending", "running") >= queueDepth) {
    return refuse(queueStatus, "QUEUE_FULL", "Job queue is full", { retryable: true, retryAfter: 60 })
  }
  return undefined
}

/** POST /api/v1/jobs/{id}/rollback. */
export const rollback = (host: StandIn, id: string): Answer => {
  const found = findJob(host, id)
  if ("refusal" in found && !found.wellFormed) return found.refusal
  const original = "job" in found ? found.job : undefined
  if (original === undefined || (original.status !== "completed" && original.status !== "failed")) {
    return refuse(400, "ROLLBACK_NOT_ALLOWED", "Only completed or failed jobs can be rolled back", {
      details: { job_id: id }
    })
  }
  const closed = admission(host)
  if (closed !== undefined) return closed
  const job = host.jobs.create("rollback", original.packages, original.id)
  // Nothing in the agents of today takes such a job up: it stays pending.
  if (host.profile.runsRollback)
    host.start(job, "Starting rollback...", (signal) => restore(host.backend, original.changes, signal))
  return ok(
    { job_id: job.id, status: "pending", operation: "rollback", original_job_id: original.id, exclusive_mode: true },
    202
  )
}

const accepted = (job: Job, operation: string, names: ReadonlyArray<string> | null, name: string | null): Answer =>
  ok({ job_id: job.id, status: "pending", operation, packages: names, package: name }, 202)

const invalidName = (host: StandIn, names: ReadonlyArray<string>): Answer | undefined => {
  const bad = host.profile.validatesNames ? names.find((name) => !validName(name)) : undefined
  return bad === undefined ? undefined : refuse(400, "VALIDATION_ERROR", `Invalid package name '${bad}'`)
}

/** POST /api/v1/patches/apply. */
export const apply = async (host: StandIn, request: IncomingMessage): Promise<Answer> => {
  const body = await readJson(request, (value) => parseApply(value, host.profile.rebootFlag === "if_needed"))
  if ("answer" in body) return body.answer
  const { packages: names, reboot, delaySeconds } = body.value
  const closed = invalidName(host, names ?? []) ?? admission(host)
  if (closed !== undefined) return closed
  const listed = names ?? (await host.backend.pending()).map((one) => one.name)
  const job = host.jobs.create("patchapply", listed)
  host.start(
    job,
    "Starting patch application...",
    (signal) => host.backend.upgrade(names, signal),
    async () => {
      if (reboot) host.rebootAfterApply(names, Math.ceil(delaySeconds / 60), job)
    }
  )
  return accepted(job, "patch_apply", [`${listed.length} packages`], null)
}

/** POST /api/v1/packages. */
export const install = async (host: StandIn, request: IncomingMessage): Promise<Answer> => {
  const body = await readJson(request, parseInstall)
  if ("answer" in body) return body.answer
  const { wanted, noRecommends } = body.value
  const names = wanted.map((one) => one.name)
  const badVersion = host.profile.validatesNames
    ? wanted.find((one) => one.version !== null && !packageVersion.test(one.version))
    : undefined
  if (badVersion !== undefined) {
    return refuse(400, "VALIDATION_ERROR", `Invalid version '${badVersion.version}' of package '${badVersion.name}'`)
  }
  const closed = invalidName(host, names) ?? admission(host)
  if (closed !== undefined) return closed
  const job = host.jobs.create("install", names)
  const options = { noRecommends, allowDowngrades: host.profile.allowsDowngrade }
  host.start(job, "Starting package installation...", (signal) => host.backend.install(wanted, options, signal))
  return accepted(job, "install", names, null)
}

const selfUpdate = (host: StandIn): Answer => {
  if (host.activeJobs() > 0) {
    return refuse(409, "SELF_UPDATE_BLOCKED", "Self-update is blocked by running jobs", {
      details: { running_jobs: host.activeJobs() },
      retryable: true,
      retryAfter: 60
    })
  }
  if (!host.profile.repoHealth) {
    return refuse(409, "REPO_CONFIG_MISSING", "The manager repository is not provisioned on this host", {
      retryable: true,
      retryAfter: 60
    })
  }
  const job = host.jobs.create("selfupdate", ["linux-patch-api"])
  host.start(
    job,
    "Self-update started",
    async () => ({ changes: [] }),
    async () => host.restartAgent()
  )
  return accepted(job, "selfupdate", null, "linux-patch-api")
}

/** PUT and DELETE /api/v1/packages/{name}. */
export const changeOne = (host: StandIn, method: string, name: string): Answer => {
  const closed = invalidName(host, [name]) ?? admission(host)
  if (closed !== undefined) return closed
  if (method === "PUT" && name === "linux-patch-api" && host.profile.selfUpdate) return selfUpdate(host)
  const operation = method === "PUT" ? "update" : "remove"
  const job = host.jobs.create(operation, [name])
  const opening = operation === "update" ? "Starting package update..." : "Starting package removal..."
  host.start(job, opening, (signal) =>
    operation === "update" ? host.backend.upgrade([name], signal) : host.backend.remove(name, signal)
  )
  return accepted(job, operation, null, name)
}

const rebootRefusal = (host: StandIn, force: boolean, acknowledged: boolean): Answer | undefined => {
  const active = host.activeJobs()
  if (host.profile.rebootTiers === "old") {
    return active > 0 && !force
      ? refuse(409, "REBOOT_BLOCKED", "Cannot reboot while jobs are running", { details: { running_jobs: active } })
      : undefined
  }
  if (force && acknowledged && host.profile.realRebootNeed) return undefined
  if (force && host.mutating) {
    return refuse(409, "PACKAGE_DB_MUTATION_IN_PROGRESS", "A package operation is in progress")
  }
  if (!force && active > 0) {
    return refuse(409, "REBOOT_BLOCKED", "Cannot reboot while jobs are active", { details: { active_jobs: active } })
  }
  return undefined
}

/** POST /api/v1/system/reboot. */
export const reboot = async (host: StandIn, request: IncomingMessage): Promise<Answer> => {
  const body = await readJson(request, parseReboot)
  if ("answer" in body) return body.answer
  const { delaySeconds, force, acknowledged } = body.value
  const closed = rebootRefusal(host, force, acknowledged) ?? admission(host, 409)
  if (closed !== undefined) return closed
  const minutes = Math.ceil(delaySeconds / 60)
  const job = host.jobs.create("reboot", [])
  host.scheduleReboot(job, minutes)
  return ok(
    {
      job_id: job.id,
      status: "pending",
      operation: "reboot",
      scheduled_at: timestamp(Date.now() + minutes * host.timing.minuteMs),
      delay_seconds: delaySeconds,
      force
    },
    202
  )
}
