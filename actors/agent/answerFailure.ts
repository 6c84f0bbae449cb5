/** What an answer other than 2xx means: handlers send an envelope, everything else of the agent sends plain text. */
import type { AgentFailureKind } from "#core/AgentFailure.ts"
import { agentFailure, type AgentFailure, type Delivery } from "./AgentFailure.ts"
import { type AgentTarget, describeTarget } from "./AgentTarget.ts"
import type { AgentAnswer } from "./call.ts"
import { booleanOf, isObject, parseJson, textOf } from "./decode/json.ts"

/** Conflicts that pass by themselves, as opposed to an order that can never be carried out. */
const BUSY = new Set([
  "REBOOT_BLOCKED",
  "SELF_UPDATE_IN_PROGRESS",
  "SELF_UPDATE_BLOCKED",
  "REPO_CONFIG_MISSING",
  "PACKAGE_DB_MUTATION_IN_PROGRESS",
  "ADMISSION_CLOSED",
  "QUEUE_FULL",
  "INSTALL_IN_PROGRESS"
])

/** Server errors by which the agent says that it made no job. */
const NOT_DONE = new Set(["JOB_CREATE_ERROR", "QUEUE_FULL", "ADMISSION_CLOSED"])

const MAX_RETRY_AFTER_MS = 24 * 3600_000

interface Said {
  readonly code: string | null
  readonly message: string | null
  readonly retryable: boolean | null
}

/** Control characters could forge log lines. */
const plain = (text: string | null): string | null => text?.replaceAll(/\p{Cc}+/gu, " ").trim() || null

const saidBy = (answer: AgentAnswer): Said => {
  const body = parseJson(answer.text)
  const error = isObject(body) && isObject(body["error"]) ? body["error"] : undefined
  if (error) {
    return {
      code: textOf(error["code"], 64),
      message: plain(textOf(error["message"], 300)),
      retryable: booleanOf(error["retryable"])
    }
  }
  const text = body === undefined && !answer.text.trimStart().startsWith("<") ? answer.text : ""
  return { code: null, message: plain(textOf(text, 300)), retryable: null }
}

const retryAfterMs = (header: string | null): number | null => {
  if (header === null) return null
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - Date.now()
  return Number.isFinite(ms) ? Math.min(Math.max(0, ms), MAX_RETRY_AFTER_MS) : null
}

const kindOf = (status: number, code: string | null): AgentFailureKind => {
  if (code !== null && BUSY.has(code)) return "busy"
  if (status === 429) return "rate_limited"
  if (status === 404) return "not_found"
  if (status === 409) return code === null ? "busy" : "rejected"
  if (status >= 500) return "agent_error"
  return status >= 400 ? "rejected" : "unreadable_answer"
}

const whatItSaid = (answer: AgentAnswer, kind: AgentFailureKind, said: Said, wait: number | null): string => {
  const words = [said.code, said.message].filter((word) => word !== null).join(": ")
  const quoted = words === "" ? "" : ` (${words})`
  if (kind === "rate_limited") {
    return `It asks for fewer calls${wait === null ? "" : `, the next one in ${Math.ceil(wait / 1000)} s`} (429). The manager waits that long.`
  }
  if (kind === "unreadable_answer") {
    return `It answered ${answer.status}, which no agent does; the manager follows no redirects. Check the port.`
  }
  if (answer.status === 401 || answer.status === 403) {
    return `It refused with ${answer.status}${quoted}. Add the manager's address to /etc/linux_patch_api/whitelist.yaml and restart the agent.`
  }
  if (kind === "busy") return `It is busy with other work${quoted}. The manager tries again later.`
  if (kind === "not_found") return `It does not know what it was asked about${quoted}.`
  if (kind === "agent_error")
    return `It reported an error of its own, ${answer.status}${quoted}. Look at the agent's log on the host.`
  return `It rejected the request with ${answer.status}${quoted}.`
}

/** Any 4xx is a no without effect. After a 5xx a job may exist, unless the agent says that it made none. */
const deliveryOf = (status: number, said: Said): Delivery => {
  if (status >= 400 && status < 500) return "refused"
  return said.code !== null && NOT_DONE.has(said.code) ? "refused" : "unclear"
}

export const answerFailure = (target: AgentTarget, answer: AgentAnswer): AgentFailure => {
  const said = saidBy(answer)
  const kind = kindOf(answer.status, said.code)
  const retry_after_ms = retryAfterMs(answer.retryAfter)
  return agentFailure(kind, {
    message: `${describeTarget(target)}: ${whatItSaid(answer, kind, said, retry_after_ms)}`,
    delivery: deliveryOf(answer.status, said),
    code: said.code,
    status: answer.status,
    retry_after_ms,
    ...(said.retryable === null ? {} : { retryable: said.retryable })
  })
}

/** Enough to recognise what answers there. */
const KEPT = 200

const beginning = ({ text }: AgentAnswer): string => {
  const kept = plain(text.slice(0, KEPT).toWellFormed().replaceAll("\u0000", " "))
  return kept === null ? "" : ` It begins: ${kept}`
}

/** A 2xx answer whose body is not what was asked for. */
export const unreadable = (target: AgentTarget, answer: AgentAnswer, expected: string): AgentFailure =>
  agentFailure("unreadable_answer", {
    message: `${describeTarget(target)}: Its answer (${answer.status}, ${answer.text.length} characters) is not ${expected}. Check the port and the agent's version.${beginning(answer)}`,
    delivery: "unclear",
    status: answer.status
  })
