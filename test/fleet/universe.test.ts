import { describe, expect, it } from "vitest"
import { addressOf, fqdnOf, parseMix, profileSequence } from "./hostNames.ts"
import { runCommand } from "./runCommand.ts"
import { SimulatedBackend } from "./SimulatedBackend.ts"
import type { Distro } from "./Universe.ts"
import { distroFacts } from "./Universe.ts"

const distros: ReadonlyArray<Distro> = ["ubuntu-24.04", "ubuntu-22.04", "debian-12", "debian-13", "rocky-9"]

describe("the simulated universe", () => {
  for (const distro of distros) {
    it(`gives ${distro} believable hosts, the same for the same seed`, async () => {
      const sizes = new Set<number>()
      for (let seed = 1; seed <= 20; seed += 1) {
        const host = new SimulatedBackend(distro, seed)
        const [installed, pending] = [await host.installed(), await host.pending()]
        expect(installed.length).toBeGreaterThanOrEqual(250)
        expect(installed.length).toBeLessThanOrEqual(600)
        expect(pending.length).toBeLessThanOrEqual(40)
        expect(new Set(installed.map((one) => one.name)).size).toBe(installed.length)
        sizes.add(pending.length)
        expect(await new SimulatedBackend(distro, seed).pending()).toEqual(pending)
      }
      expect(sizes.size).toBeGreaterThan(5)
    })
  }

  it("offers only versions that dpkg calls newer", async () => {
    for (const distro of distros.filter((one) => distroFacts(one).backend === "apt")) {
      const host = new SimulatedBackend(distro, 3)
      for (const { name, current, available } of (await host.pending()).slice(0, 12)) {
        const newer = await runCommand("dpkg", ["--compare-versions", available, "gt", current], { deadlineMs: 5_000 })
        expect(newer.exitCode, `${distro} ${name} ${current} -> ${available}`).toBe(0)
      }
    }
  })

  it("gives hosts unique names and addresses without .0 and .255", () => {
    const many = Array.from({ length: 10_000 }, (_, index) => index)
    expect(new Set(many.map(addressOf)).size).toBe(10_000)
    expect(new Set(many.map(fqdnOf)).size).toBe(10_000)
    expect(many.map(addressOf).filter((address) => /\.(0|255)$/.test(address))).toEqual([])
    expect(fqdnOf(0)).toBe("web-01.fra.example.test")
  })

  it("spreads a mix of generations", () => {
    const sequence = profileSequence(parseMix("2.7:3,1.0:1"))
    expect(sequence.toSorted()).toEqual(["1.0", "2.7", "2.7", "2.7"])
    expect(() => parseMix("9.9:1")).toThrow("is not a profile")
  })
})
