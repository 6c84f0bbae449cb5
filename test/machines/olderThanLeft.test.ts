import { describe, expect, it } from "vitest"
import { OrderId } from "#core/Ids.ts"
import type { Outcome } from "#core/Order.ts"
import { type HostContext, initialHostContext } from "#machines/HostContext.ts"
import { olderThanLeft } from "#machines/olderThanLeft.ts"

const outcome: Outcome = {
  order_id: OrderId.make("01890000-0000-7000-8000-000000000001"),
  verdict: "done",
  message: "",
  ran: true,
  reboot_pending: false,
  rebooted: false,
  changes: [
    { name: "openssl", from: "3.0.13-1", to: "3.0.13-2" },
    { name: "curl", from: "8.5.0-1", to: "8.5.0-2" },
    { name: "telnet", from: "1.0", to: null, goal: "absent" }
  ],
  installed: { openssl: "3.0.13-2", curl: "8.5.0-3", telnet: null },
  error_code: null,
  failure: null
}
const context = { ...initialHostContext, outcome }
const older = (installed: Record<string, string>, change: Partial<HostContext> = {}, format: "deb" | "other" = "deb") =>
  olderThanLeft({ ...context, ...change }, new Map(Object.entries(installed)), format)

describe("packages that are older than the last order left them", () => {
  it("are named where they went back", () => {
    expect(older({ openssl: "3.0.13-1", curl: "8.5.0-3" })).toEqual(["openssl"])
    expect(older({ openssl: "3.0.12-9", curl: "8.5.0-2" })).toEqual(["openssl", "curl"])
  })

  it("are none where they stayed, went on or were removed", () => {
    expect(older({ openssl: "3.0.13-2", curl: "8.5.0-3" })).toEqual([])
    expect(older({ openssl: "3.0.14-1" })).toEqual([])
  })

  it("count only by their former version where versions cannot be compared", () => {
    expect(older({ openssl: "3.0.13-1" }, {}, "other")).toEqual(["openssl"])
    expect(older({ openssl: "3.0.12-9" }, {}, "other")).toEqual([])
  })

  it("are told once, and not after an order that did not succeed", () => {
    const reverted = { at: 1, order_id: outcome.order_id, packages: ["openssl"] }
    expect(older({ openssl: "3.0.13-1" }, { reverted })).toEqual([])
    expect(older({ openssl: "3.0.13-1" }, { outcome: { ...outcome, verdict: "failed" } })).toEqual([])
    expect(older({ openssl: "3.0.13-1" }, { outcome: null })).toEqual([])
  })
})
