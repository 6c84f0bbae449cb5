import { describe } from "vitest"
import { faultRow } from "./row.ts"
import { f24, f25, f27, f33 } from "./rows/agentBytes.ts"

describe("manager and agent: answers that are none", () => {
  faultRow("F24", "garbage instead of an answer", {}, f24)
  faultRow("F25", "a stream of 10 GB and a gzip bomb", {}, f25)
  faultRow("F27", "every slot is hit by bad agents at once", {}, f27)
  faultRow("F33", "a half-open connection to the agent", {}, f33)
})
