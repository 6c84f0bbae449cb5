import { randomUUID } from "node:crypto"
import type { ServerResponse } from "node:http"

/** An agent's refusal inside its envelope. */
export interface AgentError {
  readonly status: number
  readonly code: string
  readonly message: string
  readonly details?: Readonly<Record<string, unknown>>
  readonly retryable?: boolean
  readonly retryAfter?: number
}

/** An answer inside the agents' envelope. */
export type Enveloped =
  /** `told_at`: what the agent takes for the present, in epoch milliseconds. */
  | { readonly kind: "data"; readonly status: number; readonly data: unknown; readonly told_at?: number }
  | { readonly kind: "error"; readonly error: AgentError }

/** An answer to one call: enveloped, or bare text as the web framework sends it. */
export type Answer =
  | Enveloped
  | {
      readonly kind: "plain"
      readonly status: number
      readonly text: string
      readonly headers?: Readonly<Record<string, string>>
    }

export const ok = (data: unknown, status = 200): Enveloped => ({ kind: "data", status, data })

export const refuse = (
  status: number,
  code: string,
  message: string,
  extra: Omit<AgentError, "status" | "code" | "message"> = {}
): Enveloped => ({ kind: "error", error: { status, code, message, ...extra } })

export const plain = (status: number, text: string, headers?: Readonly<Record<string, string>>): Answer =>
  headers === undefined ? { kind: "plain", status, text } : { kind: "plain", status, text, headers }

/** RFC 3339 with an offset and nanoseconds, as the agents write it. */
export const timestamp = (ms: number = Date.now()): string => new Date(ms).toISOString().replace("Z", "000000+00:00")

export const envelope = (answer: Enveloped): string =>
  JSON.stringify({
    success: answer.kind === "data",
    request_id: randomUUID(),
    timestamp: timestamp(answer.kind === "data" ? answer.told_at : undefined),
    data: answer.kind === "data" ? answer.data : null,
    error:
      answer.kind === "data"
        ? null
        : {
            code: answer.error.code,
            message: answer.error.message,
            details: answer.error.details ?? null,
            retryable: answer.error.retryable ?? false
          }
  })

/** An answer's body as it stands on the wire. */
export const bodyOf = (answer: Answer): string => (answer.kind === "plain" ? answer.text : envelope(answer))

/** Writes an answer as the agent's web framework would. */
export const send = (response: ServerResponse, answer: Answer): void => {
  if (answer.kind === "plain") {
    response.writeHead(answer.status, {
      ...(answer.text === "" ? {} : { "content-type": "text/plain; charset=utf-8" }),
      "content-length": Buffer.byteLength(answer.text),
      ...answer.headers
    })
    response.end(answer.text)
    return
  }
  const body = envelope(answer)
  const status = answer.kind === "data" ? answer.status : answer.error.status
  const retryAfter = answer.kind === "error" ? answer.error.retryAfter : undefined
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    ...(retryAfter === undefined ? {} : { "retry-after": String(retryAfter) })
  })
  response.end(body)
}
