import { describe } from "vitest"
import { faultRow } from "./row.ts"
import { comesBackLate, neverReads, webKilled } from "./rows/browsers.ts"
import { foreignNotifies, listenerHalfOpen, notifyLost, oneNotifyPerBatch, queueFills } from "./rows/notifications.ts"

describe("notifications", () => {
  faultRow("F51", "NOTIFY lost", {}, notifyLost)
  faultRow("F52", "listener half-open", {}, listenerHalfOpen)
  faultRow("F53", "duplicate, merged, forged or 100,000 NOTIFYs", {}, foreignNotifies)
  faultRow("F54", "the notification queue fills", {}, queueFills)
  faultRow("F55", "NOTIFY takes a database-wide lock at commit", {}, oneNotifyPerBatch)
})

describe("the live view", () => {
  faultRow("F56", "a WebSocket client that never reads", {}, neverReads)
  faultRow("F57", "a client reconnects after ten minutes", {}, comesBackLate)
  faultRow("F58", "web process killed with 500 sockets open", {}, webKilled)
})
