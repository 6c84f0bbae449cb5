/** With a guard switched off, the row that rests on it turns red, and for that reason. */
import { describe, expect, it } from "vitest"
import { type Guard, guards } from "#test/harness/guards.ts"
import { isChosen } from "./matrix.ts"
import { playRow, type RowBody } from "./row.ts"
import { f25, f27, f33 } from "./rows/agentBytes.ts"
import { f29 } from "./rows/agentIdentity.ts"
import { notifyLost } from "./rows/notifications.ts"
import { outsideWindows, registeredAnew } from "./rows/sessions.ts"
import { clonedWorker, frozenWorker, twoWorkers } from "./rows/workerDoubled.ts"
import { killedAfterAcceptance } from "./rows/workerKilled.ts"

const cases: ReadonlyArray<readonly [guard: Guard, row: string, body: RowBody, words: RegExp]> = [
  ["intent", "F03", killedAfterAcceptance, /finds the intent without a job id|ledger 1|sent a second time|I2/],
  ["ask_first", "F03", killedAfterAcceptance, /ledger 1|sent a second time|asks the job list|I2/],
  ["epoch", "F04", frozenWorker, /drops its work and ends|sends nothing more|its writes affect 0 rows/],
  ["unique_index", "F07", twoWorkers, /refuses a second open job|I1/],
  ["compare_and_set", "F08", clonedWorker, /computed from an older state/],
  ["size_limit", "F25", f25, /./],
  ["per_host_limit", "F27", f27, /Per-host limit 1/],
  ["deadline", "F33", f33, /./],
  ["identity", "F29", f29, /Refused: identity/],
  ["resumption_key", "F30", registeredAnew, /only for the registration it was made for|crosses over/],
  ["window_check", "F67", outsideWindows, /no start outside a window/],
  ["catch_up_read", "F51", notifyLost, /nothing is missed/]
]

describe("without its guard", () => {
  it.each(cases.filter(([, row]) => isChosen(row)))(
    "%s: %s turns red",
    { timeout: 240_000 },
    async (guard, row, body, words) => {
      const { result, error } = await playRow(row, `without ${guard}`, Number(row.slice(1)), body, [guard])
      expect(result.ok).toBe(false)
      expect(String(error)).toMatch(words)
    }
  )

  it("each of the twelve has its row", () => {
    expect(new Set(cases.map(([guard]) => guard))).toEqual(new Set(guards))
  })
})
