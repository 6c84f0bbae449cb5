import fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  addressesOf,
  contains,
  networkSize,
  overlaps,
  readAddress,
  readNetwork,
  reservedPart,
  writeAddress,
  writeNetwork
} from "#core/network.ts"

const network = (text: string) => {
  const found = readNetwork(text)
  if (found === null) throw new Error(`${text} is no network`)
  return found
}

describe("a network", () => {
  it.each([
    ["10.1.2.0/24", "10.1.2.0/24"],
    [" 10.1.2.3/24 ", "10.1.2.0/24"],
    ["10.1.2.3", "10.1.2.3/32"],
    ["0.0.0.0/0", "0.0.0.0/0"],
    ["2001:DB8::/32", "2001:db8::/32"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1/128"],
    ["::1", "::1/128"],
    ["1:2:3:4:5:6:7:8/112", "1:2:3:4:5:6:7:0/112"],
    ["2001:db8::192.0.2.1/120", "2001:db8::c000:200/120"]
  ])("%j is %s", (text, canonical) => {
    expect(writeNetwork(network(text))).toBe(canonical)
  })

  it.each([
    "",
    "10.0.0",
    "10.0.0.256",
    "010.0.0.1",
    "0x7f.0.0.1",
    "2130706433",
    "10.0.0.0/33",
    "10.0.0.0/08",
    "10.0.0.0/-1",
    "10.0.0.0/24/24",
    "10.0.0.0/",
    "::ffff:10.0.0.1",
    "::ffff:a00:1",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1.2.3.4::1",
    "fe80::1%eth0",
    "::/129",
    "example.org",
    "12345::"
  ])("%j is none", (text) => {
    expect(readNetwork(text)).toBeNull()
  })

  it("has the addresses that its size says, each inside and in order", () => {
    fc.assert(
      fc.property(fc.integer({ min: 22, max: 32 }), fc.nat(0xffffffff), (prefix, value) => {
        const one = network(`${writeAddress({ family: 4, value: BigInt(value) })}/${prefix}`)
        const all = addressesOf(one)
        expect(BigInt(all.length)).toBe(networkSize(one))
        expect(all[0]).toBe(writeNetwork(one).split("/")[0])
        for (const text of all) expect(contains(one, readAddress(text)!)).toBe(true)
        expect(new Set(all).size).toBe(all.length)
        const beyond = one.value + networkSize(one)
        if (beyond < 1n << 32n) expect(contains(one, { family: 4, value: beyond })).toBe(false)
      })
    )
  })

  it("is read back as it was written, in both families", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }), fc.integer({ min: 0, max: 128 }), (value, prefix) => {
        fc.pre(value >> 32n !== 0xffffn)
        const text = writeAddress({ family: 6, value })
        expect(readAddress(text)).toEqual({ family: 6, value })
        const one = network(`${text}/${prefix}`)
        fc.pre(one.value >> 32n !== 0xffffn)
        expect(network(writeNetwork(one))).toEqual(one)
      })
    )
  })

  it.each([
    ["10.0.0.0/8", "10.1.2.0/24", true],
    ["10.1.2.0/24", "10.0.0.0/8", false],
    ["10.1.2.0/24", "10.1.3.0/24", false],
    ["10.1.2.0/24", "10.1.2.0/24", true],
    ["::/0", "10.1.2.0/24", false],
    ["0.0.0.0/0", "::1", false]
  ])("%s contains %s: %s", (outer, inner, holds) => {
    expect(contains(network(outer), network(inner))).toBe(holds)
    if (holds) expect(overlaps(network(inner), network(outer))).toBe(true)
  })

  it.each([
    ["10.0.0.0/8", null],
    ["127.0.0.0/8", null],
    ["169.254.169.254/32", "169.254.0.0/16"],
    ["169.0.0.0/8", "169.254.0.0/16"],
    ["224.0.0.1", "224.0.0.0/3"],
    ["255.255.255.255", "224.0.0.0/3"],
    ["fe80::/64", "fe80::/10"],
    ["2001:db8::/120", null]
  ])("%s touches the reserved %s", (text, part) => {
    expect(reservedPart(network(text))).toBe(part)
  })
})
