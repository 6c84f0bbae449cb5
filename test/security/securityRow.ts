/**
 * One row of the security list as a test: `securityRow("S12", "20 parallel refreshes", async (row) => { … })`. Each clause is one
 * `row.assert` with its text as in the list; a row without assertions fails. What cannot be executed is named with
 * `row.missing`. A row may have several tests, in several files.
 */
import { it } from "vitest"
import type { RowResult } from "./matrix.ts"

declare module "vitest" {
  interface TaskMeta {
    security?: RowResult
  }
}

export interface SecurityRow {
  readonly id: string
  readonly assert: (clause: string, check: () => unknown) => Promise<void>
  readonly missing: (clause: string, why: string) => void
  /** Undone last first when the row is over. */
  readonly after: (undo: () => unknown) => void
}

export const securityRow = (
  id: string,
  title: string,
  body: (row: SecurityRow) => Promise<void>,
  timeout = 120_000
): void => {
  it(`${id} ${title}`, { timeout }, async ({ task }) => {
    const began = performance.now()
    const assertions: Array<{ text: string; ms: number }> = []
    const missing: Array<{ text: string; why: string }> = []
    const undos: Array<() => unknown> = []
    let ok = false
    try {
      await body({
        id,
        assert: async (text, check) => {
          const at = performance.now()
          try {
            await check()
          } catch (cause) {
            const why = cause instanceof Error ? cause.message : String(cause)
            throw new Error(`${id}: "${text}" does not hold: ${why}`, { cause })
          }
          assertions.push({ text, ms: Math.round(performance.now() - at) })
        },
        missing: (text, why) => void missing.push({ text, why }),
        after: (undo) => void undos.push(undo)
      })
      if (assertions.length === 0) throw new Error(`${id} asserts nothing.`)
      ok = true
    } finally {
      const seconds = Math.round((performance.now() - began) / 10) / 100
      task.meta.security = { row: id, title, assertions, missing, seconds, ok }
      for (const undo of undos.toReversed()) await undo()
    }
  })
}
