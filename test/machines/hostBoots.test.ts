import { describe, expect, it } from "vitest"
import { bootsSeen, bootsTellNews, turnsUnstable } from "#machines/hostBoots.ts"
import { type HostContext, initialHostContext } from "#machines/HostContext.ts"

const MINUTE = 60_000
const poll = (minutes: number, uptimeMinutes: number) => ({
  type: "poll.ok" as const,
  at: minutes * MINUTE,
  health: "healthy" as const,
  reason: null,
  uptime_seconds: uptimeMinutes * 60
})
const after = (
  polls: ReadonlyArray<readonly [at: number, uptime: number]>,
  from: Partial<HostContext> = {}
): HostContext =>
  polls.reduce<HostContext>((context, [at, uptime]) => ({ ...context, ...bootsSeen(context, poll(at, uptime)) }), {
    ...initialHostContext,
    ...from
  })

describe("a host that boots by itself", () => {
  it("is unstable at the third boot within 15 minutes, and no longer when they are past", () => {
    const twice = after([
      [0, 5_000],
      [4, 1],
      [8, 2]
    ])
    expect([twice.boots.length, twice.unstable]).toEqual([2, false])
    expect(turnsUnstable(twice, poll(12, 1))).toBe(true)
    const restless = after([
      [0, 5_000],
      [4, 1],
      [8, 2],
      [12, 1]
    ])
    expect([restless.boots.length, restless.unstable]).toEqual([3, true])
    expect(turnsUnstable(restless, poll(13, 2))).toBe(false)
    expect(bootsTellNews(restless, poll(13, 2))).toBe(false)
    expect(bootsTellNews(restless, poll(20, 9))).toBe(true)
    expect(after([[20, 9]], restless).unstable).toBe(false)
  })

  it("is not when the boots are far apart, or the manager asked for them", () => {
    expect(
      after([
        [0, 5_000],
        [10, 1],
        [20, 2],
        [30, 3]
      ]).unstable
    ).toBe(false)
    const asked = after(
      [
        [4, 1],
        [8, 1],
        [12, 1]
      ],
      {
        up: { at: 0, uptime_seconds: 300_000 },
        reboot_from: { at: 0, uptime_seconds: 300_000 }
      }
    )
    expect([asked.boots, asked.unstable]).toEqual([[], false])
    expect(asked.up).toEqual({ at: 12 * MINUTE, uptime_seconds: 60 })
  })

  it("tells nothing new while it just stays up", () => {
    const first = after([[0, 100]])
    expect(bootsTellNews(first, poll(5, 105))).toBe(false)
    expect(bootsTellNews(first, poll(500, 600))).toBe(false)
  })
})
