import { describe } from "vitest"
import { faultRow } from "./row.ts"
import { outsideWindows, registeredAnew } from "./rows/sessions.ts"

describe("what rests on one guard alone", () => {
  faultRow("F30", "a host is registered anew while a session can be resumed", {}, registeredAnew)
  faultRow("F67", "a job for a window that is not open", {}, outsideWindows)
})
