/** The link region: whether the host answers, and what its answers tell about the machine. Only polls move it. */
import { alarm, hostSetup, linkAlarms, note, when } from "./hostSetup.ts"

const toHealthy = {
  guard: when("isHealthy"),
  target: "#healthy",
  actions: [linkAlarms, note("pollSeen", "linkChanged")],
  description: "healthy answer"
} as const

const toDegraded = {
  guard: when("isDegraded"),
  target: "#degraded",
  actions: [linkAlarms, note("pollSeen", "linkChanged")],
  description: "degraded answer"
} as const

const misses = [
  {
    guard: when("thirdMiss", "rebootExpected"),
    target: "#unreachable",
    actions: [linkAlarms, note("missCounted", "failureSeen", "linkChanged")],
    description: "3rd poll failed"
  },
  {
    guard: when("thirdMiss"),
    target: "#unreachable",
    actions: [linkAlarms, note("missCounted", "failureSeen", "linkChanged"), alarm("unreachable")],
    description: "3rd poll failed"
  },
  { actions: [linkAlarms, note("missCounted")] }
] as const

const sameNews = { guard: when("pollTellsNews"), actions: [linkAlarms, note("pollSeen")] } as const

export const link = hostSetup.createStateConfig({
  id: "link",
  initial: "unknown",
  on: {
    "inventory.older": { guard: when("revertNotNoted"), actions: [note("noteReverted"), alarm("rolledBack")] }
  },
  states: {
    unknown: {
      id: "unknown",
      tags: ["rest"],
      meta: { words: "Not contacted yet" },
      on: {
        "poll.ok": [toHealthy, toDegraded],
        "poll.failed": misses
      }
    },
    healthy: {
      id: "healthy",
      tags: ["rest"],
      meta: { words: "Answers, all well" },
      on: {
        "poll.ok": [toDegraded, sameNews],
        "poll.failed": misses
      }
    },
    degraded: {
      id: "degraded",
      tags: ["rest"],
      meta: { words: "Answers, not all well" },
      on: {
        "poll.ok": [toHealthy, sameNews],
        "poll.failed": misses
      }
    },
    unreachable: {
      id: "unreachable",
      tags: ["rest"],
      meta: { words: "3 polls failed" },
      on: {
        "poll.ok": [toHealthy, toDegraded],
        "poll.failed": { guard: when("failureTellsNews"), actions: [linkAlarms, note("failureSeen")] }
      }
    }
  }
})
