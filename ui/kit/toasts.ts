/** Short news about what the user just did. Good news leaves by itself; failures stay until dismissed. */
import { createSignal } from "solid-js"
import { ApiError } from "../api/ApiError.ts"

export interface Toast {
  readonly id: number
  readonly tone: "ok" | "bad"
  readonly words: string
  readonly request_id: string | null
}

const STAYS_MS = 6_000

const [toasts, setToasts] = createSignal<ReadonlyArray<Toast>>([])
export { toasts }

let next = 1

export const dismissToast = (id: number): void => void setToasts((all) => all.filter((toast) => toast.id !== id))

const show = (toast: Omit<Toast, "id">): number => {
  const id = next++
  setToasts((all) => [...all.slice(-3), { ...toast, id }])
  return id
}

export const say = (words: string): void => {
  const id = show({ tone: "ok", words, request_id: null })
  setTimeout(() => dismissToast(id), STAYS_MS)
}

/** `what` is the act that did not succeed, such as "The host was not refreshed". */
export const sayFailed = (what: string, cause: unknown): void => {
  const reason = cause instanceof Error ? cause.message : String(cause)
  show({ tone: "bad", words: `${what}. ${reason}`, request_id: cause instanceof ApiError ? cause.request_id : null })
}
