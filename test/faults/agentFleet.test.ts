import { afterAll, beforeAll, describe } from "vitest"
import { makeWorld, type World } from "#test/harness/World.ts"
import { faultRow, type RowBody } from "./row.ts"
import { countAsRead, f26, f34, f35 } from "./rows/agentFleet.ts"

/** A tenth of the hosts would do for the logic; this many make queues and limits real, and fit into a run on two cores. */
const HOSTS = 600

describe("manager and agent: many hosts at once", () => {
  let world: World
  beforeAll(async () => {
    world = await makeWorld({ count: HOSTS, seed: 26, profileMix: { "2.7": 1 } })
    await countAsRead(world)
  })
  afterAll(() => world.stop())
  const on =
    (body: (world: World) => RowBody): RowBody =>
    (row) =>
      body(world)(row)

  faultRow("F26", "answers that drip, headers and handshakes that never end", { timeout: 300_000 }, on(f26))
  faultRow("F34", "2,500 hosts fail at once", { timeout: 300_000 }, on(f34))
  faultRow("F35", "2,500 hosts finish in the same second", { timeout: 600_000 }, on(f35))
})
