/** Jobs of the agent: list, one job, the answer that accepts one, and WebSocket events. */
import type { AgentJob, AgentJobEntry, AgentJobStatus } from "#core/AgentJob.ts"
import { AgentJobId } from "#core/Ids.ts"
import { foldWord, isObject, type JsonObject, listOf, numberOf, textOf, unwrap } from "./json.ts"

export const LOG_LINES = 2000
export const LOG_CHARACTERS = 256 * 1024

const STATUSES: Readonly<Record<string, AgentJobStatus>> = {
  pending: "pending",
  queued: "pending",
  running: "running",
  rebooting: "rebooting",
  completed: "completed",
  succeeded: "completed",
  failed: "failed",
  cancelled: "cancelled",
  canceled: "cancelled",
  timedout: "timed_out",
  timeout: "timed_out"
}

/** error_code values after which the same order may succeed; AGENT_RESTARTED and AGENT_REBOOTED leave the outcome open. */
const RETRYABLE = new Set(["PKG_MANAGER_ERROR", "CACHE_REFRESH_ERROR", "NETWORK_ERROR", "REBOOT_ERROR", "TIMEOUT"])

/** Housekeeping of the agent itself: its single package reads `__health_refresh__` or the like. */
const INTERNAL = /^__.+__$/

export const foldStatus = (value: unknown): AgentJobStatus => STATUSES[foldWord(value)] ?? "unknown"

const jobIdOf = (value: unknown): AgentJobId | null => {
  const id = typeof value === "string" && value.length <= 200 && value.length > 0 ? value : null
  return id === null ? null : AgentJobId.make(id)
}

const isInternal = (entry: JsonObject): boolean => {
  const packages = listOf(entry["packages"])
  return packages.length > 0 && packages.every((name) => typeof name === "string" && INTERNAL.test(name))
}

const decodeEntry = (entry: JsonObject): AgentJobEntry | undefined => {
  const id = jobIdOf(entry["job_id"] ?? entry["id"])
  if (id === null) return undefined
  return {
    id,
    operation: foldWord(entry["operation"]),
    status: foldStatus(entry["status"]),
    created_at: textOf(entry["created_at"], 64)
  }
}

/** The agent's list without its housekeeping. Undefined when there is no list. */
export const decodeJobs = (body: unknown): ReadonlyArray<AgentJobEntry> | undefined => {
  const data = unwrap(body)
  const list = Array.isArray(data) ? data : isObject(data) ? data["jobs"] : undefined
  if (!Array.isArray(list)) return undefined
  const jobs: Array<AgentJobEntry> = []
  for (const entry of list) {
    if (!isObject(entry) || isInternal(entry)) continue
    const job = decodeEntry(entry)
    if (job) jobs.push(job)
  }
  return jobs
}

/** The end of the log: what went wrong stands there. */
const boundLogs = (all: ReadonlyArray<unknown>): Array<string> => {
  const lines: Array<string> = []
  let left = LOG_CHARACTERS
  for (let i = all.length - 1; i >= 0 && lines.length < LOG_LINES && left > 0; i--) {
    const line = all[i]
    if (typeof line !== "string") continue
    const kept = line.length > left ? line.slice(line.length - left).toWellFormed() : line
    lines.push(kept)
    left -= kept.length + 1
  }
  return lines.reverse()
}

/** Since 2.0 a failed job brings what the command printed beside its log. */
const printed = (value: unknown): Array<string> =>
  typeof value === "string" && value.trim() !== "" ? value.trimEnd().split("\n") : []

const percent = (entry: JsonObject): number =>
  Math.max(0, Math.min(100, Math.round(numberOf(entry["progress"] ?? entry["progress_percent"]) ?? 0)))

/** Undefined when it has no id. A failure without a code of its own is not retryable. */
export const decodeJob = (body: unknown): AgentJob | undefined => {
  const data = unwrap(body)
  const job = isObject(data) && isObject(data["job"]) ? data["job"] : data
  if (!isObject(job)) return undefined
  const entry = decodeEntry(job)
  if (!entry) return undefined
  const error_code = textOf(job["error_code"], 64)
  return {
    ...entry,
    progress_percent: percent(job),
    message: textOf(job["message"], 2000) ?? "",
    logs: boundLogs([...listOf(job["logs"]), ...printed(job["command_stdout"]), ...printed(job["command_stderr"])]),
    error: textOf(job["error"], 4000),
    error_code,
    retryable: entry.status === "timed_out" || (error_code !== null && RETRYABLE.has(error_code))
  }
}

/** The answer to an order: the agent has a job for it. */
export interface AcceptedJob {
  readonly job_id: AgentJobId
}

export const decodeAccepted = (body: unknown): AcceptedJob | undefined => {
  const data = unwrap(body)
  if (!isObject(data)) return undefined
  const job_id = jobIdOf(data["job_id"] ?? (isObject(data["job"]) ? data["job"]["job_id"] : undefined))
  return job_id === null ? undefined : { job_id }
}

/** A WebSocket event about one job, in the real and in the documented shape; undefined for every other message. */
export const decodeJobEvent = (
  body: unknown
): { readonly job_id: AgentJobId; readonly status: AgentJobStatus } | undefined => {
  if (!isObject(body)) return undefined
  const event = body["event"] ?? body["type"]
  if (event !== "job_status" && event !== "job_complete" && event !== "job_completed") return undefined
  const inner = isObject(body["payload"]) ? body["payload"] : body
  const job_id = jobIdOf(inner["job_id"])
  return job_id === null ? undefined : { job_id, status: foldStatus(inner["status"]) }
}
