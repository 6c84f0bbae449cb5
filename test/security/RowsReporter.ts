/** Gathers the rows of a run over all test files and workers, writes rows.json, and fails a run that owes a row. */
import { readdirSync, writeFileSync } from "node:fs"
import { join, relative } from "node:path"
import type { Reporter, TestModule } from "vitest/node"
import { absent, owed, type RowResult } from "./matrix.ts"

const folder = import.meta.dirname

export interface Judgement {
  readonly rows: ReadonlyArray<RowResult>
  /** Rows without a result. */
  readonly missing: ReadonlyArray<string>
  /** What makes a whole run fail beyond its red tests. */
  readonly faults: ReadonlyArray<string>
}

export const judge = (rows: ReadonlyArray<RowResult>): Judgement => {
  const ran = new Set(rows.map(({ row }) => row))
  const missing = owed.filter((row) => !ran.has(row))
  return {
    rows: rows.toSorted((a, b) => a.row.localeCompare(b.row) || a.title.localeCompare(b.title)),
    missing,
    faults: [
      ...(missing.length === 0 ? [] : [`The run owes ${missing.join(", ")}.`]),
      ...rows.filter(({ assertions }) => assertions.length === 0).map(({ row }) => `${row} asserts nothing.`)
    ]
  }
}

export default class RowsReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>): void {
    const rows: Array<RowResult> = []
    let narrowed = false
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { security } = test.meta()
        if (security !== undefined) rows.push(security)
        if (test.result().state === "skipped") narrowed = true
      }
    }
    const files = readdirSync(folder).filter((entry) => entry.endsWith(".test.ts"))
    if (modules.length < files.length) narrowed = true
    const judgement = judge(rows)
    const path = join(folder, "rows.json")
    writeFileSync(path, `${JSON.stringify(judgement.rows, null, 2)}\n`)
    const say = (line: string): void => void process.stdout.write(`${line}\n`)
    const numbers = new Set(judgement.rows.map(({ row }) => row))
    const red = new Set(judgement.rows.filter(({ ok }) => !ok).map(({ row }) => row))
    const assertions = judgement.rows.reduce((sum, row) => sum + row.assertions.length, 0)
    say(
      `\n ${numbers.size - red.size} of ${numbers.size} security rows hold, ${assertions} assertions: ${relative(process.cwd(), path)}`
    )
    for (const row of judgement.rows) {
      for (const { text, why } of row.missing) say(` ${row.row} in part: "${text}" is missing: ${why}`)
    }
    if (judgement.missing.length > 0) say(` Not executed: ${judgement.missing.join(", ")}`)
    say(` May be absent: ${absent.join(", ")}`)
    if (judgement.faults.length === 0 || narrowed) return
    for (const fault of judgement.faults) say(` ${fault}`)
    process.exitCode = 1
  }
}
