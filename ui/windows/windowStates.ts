/** States of windows and of their openings, as icon, tone and word. */
import type { WindowItem, WindowOutcome } from "#core/Window.ts"
import type { Shown } from "../format/states.ts"

const open: Readonly<Record<WindowItem["state"], Shown>> = {
  open: { tone: "run", icon: "clock", word: "Open" },
  closed: { tone: "plain", icon: "calendar", word: "Closed" },
  over: { tone: "idle", icon: "minus", word: "Over" },
  off: { tone: "idle", icon: "minus", word: "Switched off" }
}

const blackout: Readonly<Record<WindowItem["state"], Shown>> = {
  ...open,
  open: { tone: "warn", icon: "hold", word: "In force" },
  closed: { tone: "plain", icon: "calendar", word: "To come" }
}

export const windowState = (window: Pick<WindowItem, "kind" | "state">): Shown =>
  (window.kind === "open" ? open : blackout)[window.state]

export const runStates: Readonly<Record<WindowOutcome, Shown>> = {
  fired: { tone: "quiet", icon: "check", word: "Job made" },
  missed: { tone: "warn", icon: "warning", word: "Missed" },
  nothing: { tone: "idle", icon: "minus", word: "No host" },
  refused: { tone: "idle", icon: "hold", word: "Blackout" }
}
