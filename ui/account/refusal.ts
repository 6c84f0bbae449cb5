/** What a step of the sign-in or a proof came back with: its words, and how long to wait before the next try. */
import { createSignal, onCleanup, type Accessor } from "solid-js"
import { ApiError } from "../api/ApiError.ts"
import { problemWords } from "../kit/problemWords.ts"

export interface Refusal {
  readonly words: Accessor<string | null>
  /** Whole seconds left; 0 when it may be tried again. */
  readonly waits: Accessor<number>
  readonly say: (cause: unknown) => void
  readonly clear: () => void
}

const inWords = (cause: unknown): string => {
  if (cause instanceof ApiError) return problemWords(cause)
  return cause instanceof Error ? cause.message : String(cause)
}

export const createRefusal = (): Refusal => {
  const [words, setWords] = createSignal<string | null>(null)
  const [waits, setWaits] = createSignal(0)
  let until = 0
  const timer = setInterval(() => setWaits(Math.max(0, Math.ceil((until - performance.now()) / 1000))), 250)
  onCleanup(() => clearInterval(timer))
  return {
    words,
    waits,
    say: (cause) => {
      const seconds = cause instanceof ApiError ? (cause.details.retry_after_seconds ?? 0) : 0
      until = performance.now() + seconds * 1000
      setWaits(seconds)
      setWords(inWords(cause))
    },
    clear: () => setWords(null)
  }
}

/** "45 s", "4 min 10 s". */
export const leftWords = (seconds: number): string =>
  seconds < 60
    ? `${seconds} s`
    : `${Math.floor(seconds / 60)} min${seconds % 60 === 0 || seconds >= 600 ? "" : ` ${seconds % 60} s`}`
