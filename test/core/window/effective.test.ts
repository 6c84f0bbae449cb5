import { describe, expect, it } from "vitest"
import type { MaintenanceWindow } from "#core/Window.ts"
import { effectiveFor, noWindows, openIntervals, windowStateAt } from "#core/window/effective.ts"
import { groupId, hostId, windowFrom, windowId } from "./windowsFrom.ts"

const host = { id: hostId(1), group_ids: [groupId(1), groupId(2)] }
const at = (text: string): number => Date.parse(`2026-11-${text}:00Z`)
const effective = (...windows: ReadonlyArray<MaintenanceWindow>) => effectiveFor(windows)(host)
const open = (windows: ReadonlyArray<MaintenanceWindow>, from = "23T00:00", to = "24T00:00") =>
  openIntervals(effective(...windows), at(from), at(to)).map(
    ({ opens_at, closes_at, window_ids }) =>
      `${new Date(opens_at).toISOString().slice(8, 16)}–${new Date(closes_at).toISOString().slice(8, 16)} ${window_ids.map((id) => Number(id.slice(-2))).join("+")}`
  )

const own = { kind: "host", host_id: host.id } as const
const second = { kind: "group", group_id: groupId(2) } as const
const strange = { kind: "group", group_id: groupId(3) } as const
const starts = (time: string) => ({ kind: "daily", starts_at_local: time }) as const

describe("the windows of a host", () => {
  it("none", () => {
    expect(effective(windowFrom(1, { scope: strange }))).toBe(noWindows)
    expect(windowStateAt(noWindows, at("23T02:30"))).toEqual({ open: null, next: null, won_by: "none", blackout: null })
  })

  it("of several groups add up, and join where they touch", () => {
    const windows = [
      windowFrom(1),
      windowFrom(2, { scope: second, rule: starts("03:00") }),
      windowFrom(3, { scope: second, rule: starts("05:00"), duration_minutes: 30 }),
      windowFrom(4, { scope: strange, rule: starts("10:00") })
    ]
    expect(open(windows)).toEqual(["23T02:00–23T05:30 1+2+3"])
    expect(effective(...windows)).toMatchObject({
      won_by: "groups",
      why: "The host has no window of its own; those of its groups add up: “window 1”, “window 2”, “window 3”."
    })
  })

  it("of its own replace those of its groups, unless they are switched off", () => {
    const mine = windowFrom(2, { scope: own, rule: starts("12:00") })
    expect(open([windowFrom(1), mine])).toEqual(["23T12:00–23T14:00 2"])
    expect(effective(windowFrom(1), mine)).toMatchObject({
      won_by: "host",
      why: "The host has windows of its own: “window 2”. They replace those of its groups: “window 1”.",
      replaced: [{ id: windowId(1) }]
    })
    expect(open([windowFrom(1), { ...mine, enabled: false }])).toEqual(["23T02:00–23T04:00 1"])
  })

  it("a blackout of the host, a group or all wins", () => {
    const blackout = (n: number, time: string, minutes: number, scope: MaintenanceWindow["scope"]) =>
      windowFrom(n, { kind: "blackout", rule: starts(time), duration_minutes: minutes, scope })
    const mine = windowFrom(1, { scope: own, duration_minutes: 360 })
    expect(open([mine, blackout(2, "02:30", 30, own)])).toEqual(["23T02:00–23T02:30 1", "23T03:00–23T08:00 1"])
    expect(open([mine, blackout(2, "00:00", 180, second), blackout(3, "07:00", 600, { kind: "all" })])).toEqual([
      "23T03:00–23T07:00 1"
    ])
    expect(open([mine, blackout(2, "00:00", 600, { kind: "all" })])).toEqual([])
    expect(open([mine, blackout(2, "00:00", 600, strange)])).toEqual(["23T02:00–23T08:00 1"])
  })
})

describe("where they stand", () => {
  it("between two, inside one, and at its edges", () => {
    const windows = effective(windowFrom(1))
    const state = (time: string) => {
      const { open: now, next } = windowStateAt(windows, at(time))
      return [now?.closes_at ?? null, next?.opens_at ?? null]
    }
    expect(state("23T01:59")).toEqual([null, at("23T02:00")])
    expect(state("23T02:00")).toEqual([at("23T04:00"), at("24T02:00")])
    expect(state("23T03:59")).toEqual([at("23T04:00"), at("24T02:00")])
    expect(state("23T04:00")).toEqual([null, at("24T02:00")])
    expect(state("22T12:00")).toEqual([null, at("23T02:00")])
  })

  it("under a blackout, says until when, and finds the opening after it", () => {
    const blackout = windowFrom(2, {
      kind: "blackout",
      scope: { kind: "all" },
      rule: { kind: "once", starts_on_local: "2026-11-23T00:00" },
      duration_minutes: 60 * 24 * 30 + 180
    })
    const state = windowStateAt(effective(windowFrom(1), blackout), at("23T02:30"))
    expect(state.open).toBe(null)
    expect(state.blackout).toMatchObject({ closes_at: Date.parse("2026-12-23T03:00Z"), window_ids: [windowId(2)] })
    expect(state.next).toMatchObject({
      opens_at: Date.parse("2026-12-23T03:00Z"),
      closes_at: Date.parse("2026-12-23T04:00Z")
    })
  })

  it("notices a blackout that begins and ends between two openings", () => {
    const noon = windowFrom(2, {
      kind: "blackout",
      scope: { kind: "all" },
      rule: { kind: "once", starts_on_local: "2026-11-23T12:00" },
      duration_minutes: 60
    })
    const windows = effective(windowFrom(1), noon)
    expect(windowStateAt(windows, at("23T11:00")).blackout).toBe(null)
    expect(windowStateAt(windows, at("23T12:30")).blackout?.closes_at).toBe(at("23T13:00"))
    expect(windowStateAt(windows, at("23T13:00")).blackout).toBe(null)
  })

  it("finds an opening years ahead, and none that never comes", () => {
    const once = (on: string) => windowFrom(1, { rule: { kind: "once", starts_on_local: `${on}T02:00` } })
    const next = (window: MaintenanceWindow) => windowStateAt(effective(window), at("23T00:00")).next?.opens_at ?? null
    expect(next(once("2041-05-01"))).toBe(Date.parse("2041-05-01T02:00Z"))
    expect(next(once("2020-05-01"))).toBe(null)
    const always = windowFrom(2, { kind: "blackout", rule: starts("00:00"), duration_minutes: 1440 })
    expect(windowStateAt(effective(windowFrom(1), always), at("23T00:00")).next).toBe(null)
  })

  it("is the same whenever it is asked, in any order", () => {
    const windows = [
      windowFrom(1),
      windowFrom(2, { scope: second, rule: starts("21:00"), duration_minutes: 300 }),
      windowFrom(3, { kind: "blackout", scope: { kind: "all" }, rule: starts("23:00"), duration_minutes: 90 })
    ]
    const kept = effective(...windows)
    for (let minute = 0; minute < 3 * 1440; minute += 7) {
      const time = at("23T00:00") + ((minute * 613) % (3 * 1440)) * 60_000
      expect(windowStateAt(kept, time)).toEqual(windowStateAt(effective(...windows), time))
    }
  })
})
