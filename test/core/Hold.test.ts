import { describe, expect, it } from "vitest"
import fc from "fast-check"
import { Schema } from "effect"
import { type HeldPattern, HoldUntil, isHeld, matchesPattern, PackagePattern } from "#core/Hold.ts"
import { HoldId } from "#core/Ids.ts"
import { newId } from "#core/newId.ts"
import { distinctServices, ServiceName } from "#core/ServiceCheck.ts"

const hold = (pattern: string, until_ms: number | null = null): HeldPattern => ({
  hold_id: newId(HoldId),
  pattern,
  reason: "tested with the application's vendor",
  until_ms
})

describe("a pattern", () => {
  it.each([
    ["nginx", "nginx", true],
    ["nginx", "nginx-common", false],
    ["nginx", "Nginx", false],
    ["linux-image-*", "linux-image-6.8.0-45-generic", true],
    ["linux-image-*", "linux-image-", true],
    ["linux-image-*", "my-linux-image-6", false],
    ["*-dev", "libssl-dev", true],
    ["*-dev", "libssl-dev-doc", false],
    ["*", "", true],
    ["*", "anything", true],
    ["lib*ssl*", "libopenssl3", true],
    ["lib*ssl*3", "libopenssl", false],
    ["a*b*c", "a-b-b-c-c", true],
    ["a**c", "ac", true],
    ["libstdc++6", "libstdc++6", true],
    ["libstdc++6", "libstdcc6", false],
    ["python3.1", "python3x1", false]
  ])("%s matches %s: %s", (pattern, name, matches) => {
    expect(matchesPattern(pattern, name)).toBe(matches)
  })

  it("says the same as a regular expression made of it", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "*", ".", "+"), maxLength: 9 })
    const name = fc.string({ unit: fc.constantFrom("a", "b", ".", "+"), maxLength: 12 })
    fc.assert(
      fc.property(text, name, (pattern, candidate) => {
        const source = pattern
          .split("*")
          .map((part) => part.replace(/[.+]/g, "\\$&"))
          .join(".*")
        expect(matchesPattern(pattern, candidate)).toBe(new RegExp(`^${source}$`).test(candidate))
      }),
      { numRuns: 2000 }
    )
  })

  it("is weighed in no time, however it is made", () => {
    const pattern = `${"a*".repeat(127)}b`
    const started = performance.now()
    for (let i = 0; i < 100; i++) expect(matchesPattern(pattern, "a".repeat(256))).toBe(false)
    expect(performance.now() - started).toBeLessThan(2000)
  })

  it.each(["", "-nginx", "nginx common", "nginx?", "[a-z]*", "nginx\n", "ä", "a".repeat(257), "(a*)*"])(
    "is refused: %j",
    (text) => {
      expect(Schema.is(PackagePattern)(text)).toBe(false)
    }
  )
})

describe("a hold", () => {
  it("ends at its moment and not before", () => {
    const holds = [hold("nginx", 1000)]
    expect(isHeld(holds, "nginx", 999)).toBe(holds[0])
    expect(isHeld(holds, "nginx", 1000)).toBeUndefined()
  })

  it("without an end holds for ever, and the longest of several is named", () => {
    const [short, endless, other] = [hold("nginx*", 5000), hold("*", null), hold("nginx", null)]
    expect(isHeld([short, endless, other], "nginx", 1)).toBe(endless)
    expect(isHeld([short, hold("nginx", 6000)], "nginx", 1)?.until_ms).toBe(6000)
    expect(isHeld([short, endless], "nginx", Number.MAX_SAFE_INTEGER)).toBe(endless)
    expect(isHeld([], "nginx", 1)).toBeUndefined()
  })

  it.each([
    ["2026-11-03T06:00:00Z", true],
    ["2026-11-03T06:00+05:30", true],
    ["2026-11-03T06:00:00", false],
    ["2026-13-03T06:00:00Z", false],
    ["2026-11-03", false],
    ["tomorrow", false]
  ])("until %s: %s", (text, taken) => {
    expect(Schema.is(HoldUntil)(text)).toBe(taken)
  })
})

describe("a service", () => {
  it("is the same with and without .service, and counted once", () => {
    expect(distinctServices(["nginx.service", "nginx", "cron", "docker.socket"])).toEqual([
      "nginx",
      "cron",
      "docker.socket"
    ])
    expect(distinctServices(["x.socket.service"])).toEqual(["x.socket.service"])
  })

  it.each(["nginx", "postgresql@16-main.service", "systemd-timesyncd", "getty@tty1"])("may be %s", (name) => {
    expect(Schema.is(ServiceName)(name)).toBe(true)
  })

  it.each(["", ".service", "-x", "nginx;id", "../nginx", "a b", "ngi/nx", "a".repeat(257)])("is not %j", (name) => {
    expect(Schema.is(ServiceName)(name)).toBe(false)
  })
})
