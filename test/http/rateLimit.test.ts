import { describe, expect, it } from "vitest"
import { makeRateLimit } from "#http/server/rateLimit.ts"

const limited = (capacity?: number) => {
  const clock = { at: 1_000 }
  const take = makeRateLimit({
    per_minute: 6,
    burst: 3,
    now: () => clock.at,
    ...(capacity === undefined ? {} : { capacity })
  })
  return { take, wait: (seconds: number) => (clock.at += seconds * 1000) }
}

describe("the limit of one address", () => {
  it("lets a burst through, then one call each interval, and says how long to wait", () => {
    const { take, wait } = limited()
    expect([1, 2, 3].map(() => take("192.0.2.1"))).toEqual([0, 0, 0])
    expect(take("192.0.2.1")).toBe(10)
    wait(4)
    expect(take("192.0.2.1")).toBe(6)
    wait(6)
    expect([take("192.0.2.1"), take("192.0.2.1")]).toEqual([0, 10])
  })

  it("saves up no more than a burst", () => {
    const { take, wait } = limited()
    take("192.0.2.1")
    wait(86_400)
    expect([1, 2, 3, 4].map(() => take("192.0.2.1"))).toEqual([0, 0, 0, 10])
  })

  it("is its own, but a whole /64 of IPv6 is one", () => {
    const { take } = limited()
    for (let n = 0; n < 3; n++) take("192.0.2.1")
    expect(take("192.0.2.2")).toBe(0)
    for (let n = 0; n < 3; n++) take(`2001:db8:0:7::${n}`)
    expect(take("2001:db8:0:7:1:2:3:4")).toBe(10)
    expect(take("2001:db8:0:8::1")).toBe(0)
    expect(take("::1")).toBe(0)
  })

  it("remembers a bounded number of addresses, and forgets the longest unseen", () => {
    const { take } = limited(2)
    for (let n = 0; n < 3; n++) take("192.0.2.1")
    take("192.0.2.2")
    take("192.0.2.1")
    take("192.0.2.3")
    expect(take("192.0.2.1")).toBe(10)
    expect(take("192.0.2.2")).toBe(0)
  })
})
