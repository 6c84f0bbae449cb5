/** States of a scan and verdicts about an address, in words and icons. */
import type { DiscoveryScan, ScanState, Verdict } from "#core/Discovery.ts"
import type { Shown } from "../format/states.ts"

export const scanStates: Readonly<Record<ScanState, Shown>> = {
  queued: { tone: "idle", icon: "clock", word: "Queued" },
  running: { tone: "run", icon: "sync", word: "Scanning" },
  done: { tone: "quiet", icon: "check", word: "Done" },
  cancelled: { tone: "idle", icon: "minus", word: "Cancelled" },
  interrupted: { tone: "warn", icon: "warning", word: "Interrupted" },
  failed: { tone: "bad", icon: "failed", word: "Failed" }
}

export const verdicts: Readonly<Record<Verdict, Shown>> = {
  agent: { tone: "ok", icon: "check", word: "Agent with our certificate" },
  agent_other_certificate: { tone: "warn", icon: "unknown", word: "Agent with another certificate" },
  other_service: { tone: "idle", icon: "minus", word: "Another service" },
  closed: { tone: "none", icon: "minus", word: "Closed" },
  no_answer: { tone: "none", icon: "minus", word: "No answer" }
}

export const isOpen = (scan: DiscoveryScan | undefined): boolean =>
  scan?.state === "queued" || scan?.state === "running"
