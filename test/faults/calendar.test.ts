import { describe } from "vitest"
import { faultRow } from "./row.ts"
import { autumnOverlap, farFuture, oddZones, springGap } from "./rows/calendar.ts"

describe("the calendar", () => {
  faultRow("F63", "DST gap: window 02:30 to 03:30 on the spring day", {}, springGap)
  faultRow("F64", "DST overlap: 01:30 happens twice", {}, autumnOverlap)
  faultRow("F65", "half-hour zone change, zone abolished, 29 February, Monday-of-month rules", {}, oddZones)
  faultRow("F66", "leap second or smear; year 2038", {}, farFuture)
})
