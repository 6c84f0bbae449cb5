import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { makePace } from "#actors/discovery/makePace.ts"

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const crowd = async (pace: ReturnType<typeof makePace>, size: number) => {
  let started = 0
  for (let n = 0; n < size; n++) void pace.enter().then(() => (started += 1))
  return {
    after: async (ms: number) => {
      await vi.advanceTimersByTimeAsync(ms)
      return started
    }
  }
}

describe("the pace of handshakes", () => {
  it("is sixteen every 20 ms, however many stay silent", async () => {
    const pace = makePace()
    const { after } = await crowd(pace, 100)
    expect(await after(20)).toBe(16)
    for (let n = 0; n < 16; n++) pace.leave(0, false)
    expect(await after(40)).toBe(48)
    expect(await after(200)).toBe(100)
    pace.stop()
  })

  it("holds back while answers take long, and goes on as soon as they do not", async () => {
    const pace = makePace()
    const { after } = await crowd(pace, 400)
    expect(await after(80)).toBe(64)
    pace.leave(900, true)
    expect(await after(1_000)).toBe(64)
    for (let n = 0; n < 20; n++) pace.leave(900, true)
    expect(await after(1_000)).toBe(69)
    pace.leave(30, true)
    expect(await after(20)).toBe(85)
    pace.flush()
    expect(await after(0)).toBe(400)
    pace.stop()
  })
})
