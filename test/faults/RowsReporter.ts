/** Gathers the rows of a run over all test files and workers, writes rows.json, and fails a run that owes a row. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join, relative } from "node:path"
import type { Reporter, TestModule } from "vitest/node"
import { baseSeed, deferred, isChosen, owed, part, type RowResult } from "./matrix.ts"

const folder = import.meta.dirname
const name = (path: string): string => relative(folder, path)

/** In which test file a row stands, by its `faultRow("F03"` there. */
const rowsByFile = (): ReadonlyMap<string, string> => {
  const found = new Map<string, string>()
  for (const file of readdirSync(folder).filter((entry) => entry.endsWith(".test.ts"))) {
    for (const [, row] of readFileSync(join(folder, file), "utf8").matchAll(/faultRow\(\s*"(F\d\d)"/g)) {
      if (row !== undefined) found.set(row, file)
    }
  }
  return found
}

export interface Judgement {
  readonly rows: ReadonlyArray<RowResult>
  /** Rows that did not run and why, for the reader. */
  readonly absent: ReadonlyArray<{ readonly row: string; readonly why: string }>
  /** What makes the run fail beyond its red tests. */
  readonly faults: ReadonlyArray<string>
}

/** What a run has shown: `played` files ran whole, `places` says where each row stands, `chosen` which rows it was to play. */
export const judge = (
  rows: ReadonlyArray<RowResult>,
  played: ReadonlySet<string>,
  places: ReadonlyMap<string, string>,
  chosen: (row: string) => boolean = isChosen
): Judgement => {
  const ran = new Set(rows.map(({ row }) => row))
  const missing = owed.filter((row) => !ran.has(row))
  const elsewhere = (row: string): boolean => places.has(row) && !played.has(places.get(row) ?? "")
  const owing = missing.filter((row) => !places.has(row) || (chosen(row) && !elsewhere(row)))
  return {
    rows: rows.toSorted((a, b) => a.row.localeCompare(b.row) || a.title.localeCompare(b.title)),
    absent: missing.map((row) => ({
      row,
      why: elsewhere(row)
        ? `${places.get(row)} was not part of this run`
        : !places.has(row)
          ? "there is no test for it"
          : chosen(row)
            ? "its test did not run"
            : "it was another third's turn"
    })),
    faults: [
      ...(owing.length === 0 ? [] : [`The run owes ${owing.join(", ")}.`]),
      ...rows.filter(({ assertions }) => assertions.length === 0).map(({ row }) => `${row} asserts nothing.`)
    ]
  }
}

export default class RowsReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>): void {
    const rows: Array<RowResult> = []
    const played = new Set<string>()
    let narrowed = false
    for (const module of modules) {
      played.add(name(module.moduleId))
      for (const test of module.children.allTests()) {
        const { fault } = test.meta()
        if (fault !== undefined) rows.push(fault)
        // -t leaves tests out; then no row is owed.
        const row = /^F\d\d/.exec(test.name)?.[0]
        if (test.result().state === "skipped" && (row === undefined || isChosen(row))) narrowed = true
      }
    }
    const judgement = judge(rows, played, rowsByFile())
    const path = join(folder, "rows.json")
    writeFileSync(path, `${JSON.stringify(judgement.rows, null, 2)}\n`)
    const say = (line: string): void => void process.stdout.write(`${line}\n`)
    const green = judgement.rows.filter(({ ok }) => ok).length
    const assertions = judgement.rows.reduce((sum, row) => sum + row.assertions.length, 0)
    say(`\n Fault rows with FAULT_SEED=${baseSeed}, ${part === "all" ? "all of them" : "a third of them"}`)
    say(
      ` ${green} of ${judgement.rows.length} fault rows hold, ${assertions} assertions: ${relative(process.cwd(), path)}`
    )
    for (const row of judgement.rows) {
      for (const { text, why } of row.missing) say(` ${row.row} in part: "${text}" is missing: ${why}`)
    }
    for (const [why, absent] of Map.groupBy(judgement.absent, (one) => one.why)) {
      say(` Not executed, since ${why}: ${absent.map(({ row }) => row).join(", ")}`)
    }
    say(` Deferred: ${deferred.join(", ")}`)
    if (judgement.faults.length === 0 || narrowed) return
    for (const fault of judgement.faults) say(` ${fault}`)
    process.exitCode = 1
  }
}
