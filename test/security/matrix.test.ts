/** Every call × everybody × objects in every place, against the table that people wrote. */
import { readdirSync, readFileSync } from "node:fs"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { calls } from "./matrix/contract.ts"
import { compareContract, runMatrix } from "./matrix/runMatrix.ts"
import { type MatrixWorld, startMatrixWorld } from "./matrix/world.ts"
import { securityRow } from "./securityRow.ts"

/** None carries a command: each says where to look, and what is found there was checked when it was written. */
const workerHints = [
  "audit_verification",
  "discovery_enqueued",
  "host_changed",
  "host_registered",
  "host_requested",
  "job_enqueued",
  "policy_changed",
  "settings_changed",
  "window_changed"
]

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

securityRow("S41", "the inventory", async (row) => {
  await row.assert("each route, procedure and socket is listed with its permission and the session it wants", () => {
    expect(calls().length).toBeGreaterThan(120)
    expect(compareContract()).toEqual([])
  })
  await row.assert(
    "nothing answers beside the inventory: the server's own routes are the console, the documents and these",
    async () => {
      const { web } = world
      for (const path of [
        "/api",
        "/api/v1",
        "/api/v2/hosts",
        "/rpc/other",
        "/admin",
        "/metrics",
        "/debug",
        "/api/v1/ws/other",
        "/.env"
      ]) {
        for (const method of ["GET", "POST", "PUT", "DELETE"]) {
          const { status, text } = await web.call(method, path, { token: world.actors.admin })
          // The console answers every other address with its page, which asks for nothing.
          const page = status === 200 && text.includes("<title>console</title>")
          expect([method, path, page || [404, 405].includes(status)]).toEqual([method, path, true])
        }
      }
    }
  )
  await row.assert("every kind of hint to the worker is one of the list", () => {
    const sources = readdirSync("sql").filter((file) => file.endsWith(".ts"))
    const hints = sources.flatMap((file) =>
      [...readFileSync(`sql/${file}`, "utf8").matchAll(/pg_notify\('worker', (?:'(\w+)'|\$\{`(\w+))/g)].map(
        (hint) => hint[1] ?? hint[2] ?? ""
      )
    )
    expect([...new Set(hints)].toSorted()).toEqual(workerHints)
  })
})

securityRow(
  "S43",
  "the matrix",
  async (row) => {
    await row.assert("every call, every role, every place: what the table says, without exceptions", async () => {
      const { cells, faults } = await runMatrix(world)
      expect(faults).toEqual([])
      expect(cells).toBeGreaterThan(3000)
    })
  },
  300_000
)
