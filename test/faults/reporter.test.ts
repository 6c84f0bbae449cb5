/** A run that leaves a row out is not taken for a whole one. */
import { expect, it } from "vitest"
import { owed, type RowResult } from "./matrix.ts"
import { judge } from "./RowsReporter.ts"

const result = (row: string, assertions = 1): RowResult => ({
  row,
  title: "",
  seed: 1,
  assertions: Array.from({ length: assertions }, () => ({ text: "holds", ms: 1 })),
  missing: [],
  seconds: 1,
  ok: true
})
const all = owed.map((row) => result(row))
const places = new Map(owed.map((row) => [row, row < "F40" ? "a.test.ts" : "b.test.ts"]))
const both = new Set(["a.test.ts", "b.test.ts"])
const always = () => true

it("owes F01 to F38 and F51 to F75 without the two deferred ones", () => {
  expect(owed).toHaveLength(38 + 25 - 2)
  expect(judge(all, both, places, always)).toMatchObject({ absent: [], faults: [] })
})

it("fails a run without one of them, in a shard that should have played it, and where nobody has written it", () => {
  const without = all.filter(({ row }) => row !== "F03")
  expect(judge(without, both, places, always).faults).toEqual(["The run owes F03."])
  expect(judge(without, new Set(["a.test.ts"]), places, always).faults).toEqual(["The run owes F03."])
  const unwritten = new Map([...places].filter(([row]) => row !== "F03"))
  expect(judge(without, new Set(["b.test.ts"]), unwritten, always).faults).toEqual(["The run owes F03."])
})

it("lists what another shard plays and what another third plays, and does not fail for it", () => {
  const half = all.filter(({ row }) => row < "F40")
  const shard = judge(half, new Set(["a.test.ts"]), places, always)
  expect(shard.faults).toEqual([])
  expect(shard.absent).toContainEqual({ row: "F51", why: "b.test.ts was not part of this run" })
  const third = judge(half, both, places, (row) => row < "F40")
  expect(third.faults).toEqual([])
  expect(third.absent).toContainEqual({ row: "F51", why: "it was another third's turn" })
})

it("fails a row without an assertion", () => {
  expect(judge([...all, result("F03", 0)], both, places, always).faults).toEqual(["F03 asserts nothing."])
})
