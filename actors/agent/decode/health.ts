/** `GET /health`, all profiles. */
import { normalAgentVersion } from "#core/agentAbilities.ts"
import { isObject, type JsonObject, numberOf, textOf, unwrap } from "./json.ts"

export interface AgentHealth {
  readonly health: "healthy" | "degraded"
  /** One sentence for a degraded agent. */
  readonly reason: string | null
  /** Since the machine booted, not since the agent started. */
  readonly uptime_seconds: number
  /** Without leading `v` and package revision. */
  readonly agent_version: string | null
  /** What the agent takes for the present, in epoch milliseconds; null where it does not say. */
  readonly told_at: number | null
  /** What the agent sent, as it stands in the host's health record. */
  readonly raw: JsonObject
}

const timeOf = (value: unknown): number | null => {
  const at = Date.parse(textOf(value, 64) ?? "")
  return Number.isNaN(at) ? null : at
}

const HEALTHY = new Set(["healthy", "ok", "up", "pass"])

const degradedReason = (data: JsonObject): string => {
  const crl = textOf(data["crl_status"])
  if (crl === "expired" || crl === "invalid") return `The agent's certificate revocation list is ${crl}.`
  const key = textOf(data["gpg_key_status"])
  if (key === "missing" || key === "expired" || key === "revoked")
    return `The agent's repository signing key is ${key}.`
  if (data["repo_config_synced"] === false)
    return "The agent could not fetch its repository configuration from the manager."
  const cache = textOf(data["cache_status"])
  if (cache === "failed") return "The agent could not refresh its package lists."
  const word = textOf(data["status"], 64)
  return word === "degraded"
    ? "The agent calls itself degraded and gives no reason; it may be updating itself or recovering."
    : `The agent calls itself "${word}".`
}

/** Undefined without a status or an uptime: then it is not a health answer. */
export const decodeHealth = (body: unknown): AgentHealth | undefined => {
  const data = unwrap(body)
  if (!isObject(data)) return undefined
  const status = textOf(data["status"], 64)
  const uptime_seconds = numberOf(data["uptime_seconds"])
  if (status === null || uptime_seconds === null || uptime_seconds < 0) return undefined
  const healthy = HEALTHY.has(status.toLowerCase())
  const version = textOf(data["version"], 64)
  return {
    health: healthy ? "healthy" : "degraded",
    reason: healthy ? null : degradedReason(data),
    uptime_seconds,
    agent_version: version === null ? null : normalAgentVersion(version),
    told_at: isObject(body) ? timeOf(body["timestamp"]) : null,
    raw: data
  }
}
