/** Every call × everybody × objects in every place, against the table that people wrote. */
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { compareContract, runMatrix } from "./matrix/runMatrix.ts"
import { type MatrixWorld, startMatrixWorld } from "./matrix/world.ts"
import { securityRow } from "./securityRow.ts"

let world: MatrixWorld
beforeAll(async () => {
  world = await startMatrixWorld()
}, 60_000)
afterAll(() => world.web.stop())

describe("the contract and the table", () => {
  it("name the same calls with the same permissions", () => {
    expect(compareContract()).toEqual([])
  })
})

securityRow("S43", "the matrix", async (row) => {
  await row.assert("every call, every role, every place: what the table says, without exceptions", async () => {
    const { cells, faults } = await runMatrix(world)
    expect(faults).toEqual([])
    expect(cells).toBeGreaterThan(3000)
  })
}, 300_000)
