/** When somebody last did something on this page, as against what the page does by itself. */

const events = ["pointerdown", "keydown", "wheel", "touchstart"] as const

/** Opening the page counts. */
let acted = true
let watching = false

/**
 * Marks a request once for everything done since the last one that was marked: only that keeps a session from idling out
 * (`ACTIVITY_HEADER` in http/api/Auth.ts).
 */
export const activityHeaders = (): Readonly<Record<string, string>> => {
  if (!acted) return {}
  acted = false
  return { "x-user-activity": "1" }
}

/** The marked request was not taken: the next one carries the mark. */
export const markAgain = (): void => void (acted = true)

/** Calls at each act, whichever page is shown. */
export const watchActivity = (onAct: () => void): void => {
  if (watching || typeof addEventListener !== "function") return
  watching = true
  for (const name of events) {
    addEventListener(
      name,
      () => {
        acted = true
        onAct()
      },
      { capture: true, passive: true }
    )
  }
}
