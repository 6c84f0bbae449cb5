/** What a request came back with when it did not succeed, in the words of the server where it spoke. */
import type { ErrorDetails } from "#core/Errors.ts"

interface Fields {
  /** HTTP status; 0 when no answer came at all. */
  readonly status: number
  readonly code: string
  readonly message: string
  readonly request_id: string | null
  readonly details: ErrorDetails
}

export class ApiError extends Error {
  readonly status: number
  readonly code: string
  readonly request_id: string | null
  readonly details: ErrorDetails

  constructor(fields: Fields) {
    super(fields.message)
    this.name = "ApiError"
    this.status = fields.status
    this.code = fields.code
    this.request_id = fields.request_id
    this.details = fields.details
  }

  /** What is wrong with one field of the form that was sent; bodies are named `payload` there. */
  field(path: string): string | undefined {
    return this.details.fields?.find((field) => field.path === path || field.path === `payload.${path}`)?.message
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null

/** Reads the error envelope; an answer without one (a proxy's page) still becomes a sentence. */
export const readApiError = async (response: Response): Promise<ApiError> => {
  const body: unknown = await response.json().catch(() => null)
  const error = isRecord(body) && isRecord(body["error"]) ? body["error"] : {}
  const { code, message, request_id, details } = error
  return new ApiError({
    status: response.status,
    code: typeof code === "string" ? code : `http_${response.status}`,
    message: typeof message === "string" ? message : `The manager answered with status ${response.status}.`,
    request_id: typeof request_id === "string" ? request_id : response.headers.get("x-request-id"),
    details: isRecord(details) ? (details as ErrorDetails) : {}
  })
}

/** No answer: the network, the manager or the deadline. */
export const noAnswer = (cause: unknown): ApiError =>
  new ApiError({
    status: 0,
    code: "no_answer",
    message:
      cause instanceof DOMException && cause.name === "TimeoutError"
        ? "The manager did not answer in time."
        : "The manager cannot be reached. Check the network, or whether it is running.",
    request_id: null,
    details: {}
  })
