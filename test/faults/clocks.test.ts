import { describe } from "vitest"
import { agentClock } from "./rows/agentClock.ts"
import { databaseAhead, databaseBehind, workerClock } from "./rows/clocks.ts"
import { faultRow } from "./row.ts"

describe("clocks that are wrong", () => {
  faultRow("F59", "clock of the worker +1 h, −1 h, stepping", {}, workerClock)
  faultRow("F60", "clock of the database +1 h", {}, databaseAhead)
  faultRow("F61", "clock of the database −2 h", {}, databaseBehind)
  faultRow("F62", "agent clock wrong by a year", {}, agentClock)
})
