import { createHash } from "node:crypto"
import type { AnyStateMachine } from "xstate"
import { chartOf } from "#machines/chart.ts"
import { drawingOf } from "./drawingOf.ts"
import type { Layout } from "./ChartLayout.ts"
import { phonePlacement } from "./phonePlacement.ts"
import { widePlacement } from "./widePlacement.ts"

/** Computes both drawings of a machine; throws where a state has no place. */
export const layoutOf = (machine: AnyStateMachine): Layout => {
  const chart = chartOf(machine)
  return {
    definition: createHash("sha256").update(JSON.stringify(chart)).digest("hex"),
    wide: drawingOf(chart, widePlacement),
    phone: drawingOf(chartOf(machine, ["rebooting", "settling"]), phonePlacement)
  }
}
