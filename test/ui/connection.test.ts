/** The live connection's states, its pauses, and what is laid over fetched rows. */
import { describe, expect, it } from "vitest"
import type { HostItem } from "#core/Host.ts"
import type { LiveHost } from "#core/Live.ts"
import { createConnection, partingOf, pauseAfter } from "#ui/live/connection.ts"
import { forgetHosts, hasMoved, hearHosts, hearRemoved, overlay } from "#ui/live/liveHosts.ts"

describe("the connection", () => {
  it("takes up from the highest number it saw and says until when it was whole", () => {
    const connection = createConnection()
    const now = () => connection.getSnapshot().context
    connection.trigger.opening()
    expect(now().phase).toBe("connecting")
    connection.trigger.heard({ seq: 41, at: 1000 })
    connection.trigger.heard({ seq: 40, at: 1100 })
    expect(now()).toMatchObject({ phase: "live", seq: 41 })
    connection.trigger.lost({ at: 2000 })
    connection.trigger.opening()
    connection.trigger.lost({ at: 9000 })
    expect(now()).toMatchObject({ phase: "reconnecting", seq: 41, failures: 2, whole_until: 2000 })
    connection.trigger.opening()
    connection.trigger.heard({ seq: 42, at: 9500 })
    expect(now()).toMatchObject({ phase: "live", failures: 0 })
  })

  it("pauses longer with each failure, never without chance, never beyond twenty seconds", () => {
    expect(pauseAfter(1, 0)).toBe(250)
    expect(pauseAfter(1, 1)).toBe(500)
    expect(pauseAfter(4, 1)).toBe(4000)
    expect(pauseAfter(50, 1)).toBe(20_000)
    expect(pauseAfter(50, 0)).toBe(10_000)
  })
})

describe("a closed socket", () => {
  it("says whether the session ended, the sight changed, or the connection was lost", () => {
    expect([4401, 4403, 1006, 1012, 1013].map(partingOf)).toEqual([
      "session_ended",
      "scope_changed",
      "again",
      "again",
      "again"
    ])
  })
})

describe("what was heard", () => {
  const item = {
    id: "a",
    link: "healthy",
    work: "idle",
    summary: "healthy",
    state_version: 5,
    pending: 3,
    security: 1,
    reboot_needed: false
  } as HostItem
  const heard = (part: Partial<LiveHost>): LiveHost => ({ ...item, since: "", last_seen_at: null, ...part }) as LiveHost

  it("lies over the row that was asked for before, not over a newer one", () => {
    forgetHosts()
    const before = performance.now() - 1
    hearHosts([heard({ work: "patching.running", summary: "patching", state_version: 6 })])
    expect(overlay(item, before).work).toBe("patching.running")
    expect(hasMoved(item, before)).toBe(true)
    expect(overlay(item, performance.now() + 1).work).toBe("idle")
    expect(overlay({ ...item, state_version: 7 }, before).work).toBe("idle")
  })

  it("marks a host that left", () => {
    forgetHosts()
    expect(hasMoved(item, 0)).toBe(false)
    hearRemoved("a")
    expect(hasMoved(item, 0)).toBe(true)
    forgetHosts()
  })
})
