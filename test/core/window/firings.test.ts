import { describe, expect, it } from "vitest"
import type { MaintenanceWindow } from "#core/Window.ts"
import { dueFirings, firingKey, nextOpening } from "#core/window/firings.ts"
import { compareFirings } from "./compareFirings.ts"
import { apply, groupId, hostId, windowFrom, windowId } from "./windowsFrom.ts"

const at = (text: string): number => Date.parse(`2026-11-${text}:00Z`)
const hosts = [1, 2, 3].map((n) => ({ id: hostId(n), group_ids: n < 3 ? [groupId(1)] : [groupId(2)] }))
const automatic = (n: number, fields: Partial<MaintenanceWindow> = {}) =>
  windowFrom(n, { auto_apply: apply, watched_since: "2026-11-20T00:00:00Z", ...fields })
const due = (windows: ReadonlyArray<MaintenanceWindow>, now: number, recorded: ReadonlyArray<string> = []) =>
  dueFirings({ windows, hosts }, new Set(recorded), now).map(
    ({ firing, outcome }) =>
      `${new Date(firing.opens_at).toISOString().slice(8, 16)} ${outcome} ${firing.host_ids.length}`
  )

describe("a window with automatic apply", () => {
  it("makes one job when it opens, for the hosts for which it holds", () => {
    const mine = windowFrom(2, { scope: { kind: "host", host_id: hostId(2) } })
    expect(due([automatic(1, { watched_since: "2026-11-23T00:00:00Z" }), mine], at("23T01:59"))).toEqual([])
    expect(due([automatic(1, { watched_since: "2026-11-23T00:00:00Z" }), mine], at("23T02:00"))).toEqual([
      "23T02:00 fired 1"
    ])
    const key = firingKey({ window_id: windowId(1), opens_at: at("23T02:00") })
    expect(due([automatic(1, { watched_since: "2026-11-23T00:00:00Z" })], at("23T02:00"), [key])).toEqual([])
  })

  it("that opened before it had its present rule does nothing", () => {
    expect(due([automatic(1, { watched_since: "2026-11-23T02:00:01Z" })], at("23T02:01"))).toEqual([])
  })

  it("three openings missed while the manager was off are each written down once, and the open one is made up for once", () => {
    expect(due([automatic(1)], at("23T03:00"))).toEqual([
      "20T02:00 missed 2",
      "21T02:00 missed 2",
      "22T02:00 missed 2",
      "23T02:00 fired 2"
    ])
    expect(due([automatic(1)], at("23T03:55"))).toContain("23T02:00 missed 2")
  })

  it("with nobody in it, or under a blackout all the time, says so", () => {
    const since = { watched_since: "2026-11-23T00:00:00Z" }
    expect(due([automatic(1, { ...since, scope: { kind: "group", group_id: groupId(9) } })], at("23T02:00"))).toEqual([
      "23T02:00 nothing 0"
    ])
    const blackout = (minutes: number) =>
      windowFrom(2, {
        kind: "blackout",
        scope: { kind: "all" },
        rule: { kind: "daily", starts_at_local: "01:00" },
        duration_minutes: minutes
      })
    expect(due([automatic(1, since), blackout(300)], at("23T02:00"))).toEqual(["23T02:00 refused 0"])
    expect(due([automatic(1, since), blackout(90)], at("23T02:29"))).toEqual([])
    expect(due([automatic(1, since), blackout(90)], at("23T02:30"))).toEqual(["23T02:00 fired 2"])
  })

  it("is waited for", () => {
    expect(nextOpening([automatic(1), windowFrom(2)], at("23T02:00"))).toBe(at("24T02:00"))
    expect(nextOpening([windowFrom(2)], at("23T02:00"))).toBe(null)
  })
})

const SEED = 7

it(
  `what is simulated is what the scheduler does, stops explained (400 cases from seed ${SEED})`,
  { timeout: 120_000 },
  () => {
    const { differences, seen } = compareFirings(400, SEED)
    expect(differences.slice(0, 10)).toEqual([])
    for (const outcome of ["fired", "missed", "nothing", "refused"])
      expect(seen[outcome] ?? 0, outcome).toBeGreaterThan(10)
  }
)
