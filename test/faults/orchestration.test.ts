import { describe } from "vitest"
import { faultRow } from "./row.ts"
import { cancelMidFlight, cancelThenDeath } from "./rows/cancel.ts"
import { doubleClick, movedMidJob, twoOperators } from "./rows/operators.ts"
import { canaryStops, missedWindows } from "./rows/waves.ts"
import { windowCloses } from "./rows/windowCloses.ts"

describe("windows, waves and schedules", () => {
  faultRow("F67", "window closes while jobs run", {}, windowCloses)
  faultRow("F74", "canary wave passes the error limit", {}, canaryStops)
  faultRow("F75", "scheduler missed 3 windows (manager was off)", {}, missedWindows)
})

describe("people who change their minds, or act at the same time", () => {
  faultRow("F68", "operator cancels mid-flight", {}, cancelMidFlight)
  faultRow("F69", "cancel, then the worker dies", {}, cancelThenDeath)
  faultRow("F70", "two operators act on one host at once (patch and reboot)", {}, twoOperators)
  faultRow("F71", "double click, or a retried POST", {}, doubleClick)
  faultRow("F73", "host deleted, or moved to another group, mid-job", {}, movedMidJob)
})
