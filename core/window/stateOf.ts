/** Where one window stands by itself, whatever other windows and blackouts say. */
import type { WindowCalendar } from "../Window.ts"
import { nextOccurrence, type Occurrence, occurrencesDuring } from "./occurrences.ts"

/** `over`: its rule has come to its end. `off`: switched off. */
export type WindowStanding = "open" | "closed" | "over" | "off"

export interface WindowNow {
  readonly state: WindowStanding
  readonly current: Occurrence | null
  readonly next: Occurrence | null
}

export const stateOf = (window: WindowCalendar & { readonly enabled: boolean }, at: number): WindowNow => {
  if (!window.enabled) return { state: "off", current: null, next: null }
  const current = occurrencesDuring(window, at, at + 1).at(-1) ?? null
  const next = nextOccurrence(window, at)
  return { state: current !== null ? "open" : next !== null ? "closed" : "over", current, next }
}
