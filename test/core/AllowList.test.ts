import { describe, expect, it } from "vitest"
import { defaultNetworkPolicy, makeAllowList, type NetworkPolicy } from "#core/AllowList.ts"
import { egressRefusal } from "#core/egress.ts"
import { readNetwork } from "#core/network.ts"

const rules = (change: Partial<NetworkPolicy> = {}) => makeAllowList({ ...defaultNetworkPolicy, ...change })

describe("who may connect", () => {
  it("is loopback alone while nothing is said, in every way the system writes it", () => {
    const list = rules()
    for (const peer of ["127.0.0.1", "127.200.3.4", "::1", "::ffff:127.0.0.1"]) {
      expect([peer, list.takesConnection(peer)]).toEqual([peer, true])
    }
    for (const peer of [
      "192.0.2.1",
      "::ffff:192.0.2.1",
      "fe80::1%eth0",
      "2001:db8::1",
      "",
      "nonsense",
      "0.0.0.0",
      "::"
    ]) {
      expect([peer, list.takesConnection(peer)]).toEqual([peer, false])
    }
  })

  it("is what is listed, IPv4 behind IPv6 sockets included, and the machine itself", () => {
    const list = rules({ allowed_networks: ["10.0.0.1", "10.1.0.0/16", "2001:db8::/64"] })
    for (const peer of ["10.0.0.1", "::ffff:10.0.0.1", "10.1.255.255", "2001:db8::ffff", "127.0.0.1", "::1"]) {
      expect([peer, list.takesConnection(peer)]).toEqual([peer, true])
    }
    for (const peer of ["10.0.0.10", "10.0.0.2", "10.10.0.1", "2001:db8:0:1::1", "127.0.0.2"]) {
      expect([peer, list.takesConnection(peer)]).toEqual([peer, false])
    }
  })

  it("does not take a proxy's word that a client is the machine itself", () => {
    const list = rules({ allowed_networks: ["10.0.0.0/8"], trusted_proxies: ["127.0.0.1"] })
    expect(list.clientOf("127.0.0.1", "127.0.0.5")).toBe("127.0.0.5")
    expect([list.allowsClient("127.0.0.5", true), list.allowsClient("10.2.3.4", true)]).toEqual([false, true])
    expect(list.allowsClient("127.0.0.1", false)).toBe(true)
  })
})

describe("the client behind a connection", () => {
  const list = rules({ allowed_networks: ["10.0.0.0/8"], trusted_proxies: ["192.0.2.1", "192.0.2.2"] })

  it.each([
    ["198.51.100.1", "10.0.0.1", "198.51.100.1"],
    ["192.0.2.1", undefined, "192.0.2.1"],
    ["192.0.2.1", "10.0.0.1", "10.0.0.1"],
    ["192.0.2.1", "1.1.1.1, 10.0.0.1", "10.0.0.1"],
    ["192.0.2.1", "10.0.0.1, 192.0.2.2", "10.0.0.1"],
    ["192.0.2.1", "10.0.0.1 , 192.0.2.2, 192.0.2.1", "10.0.0.1"],
    ["192.0.2.1", "192.0.2.2", "192.0.2.1"],
    ["192.0.2.1", "10.0.0.1,", null],
    ["192.0.2.1", "10.0.0.1:443", null],
    ["192.0.2.1", "::ffff:10.0.0.1", null],
    ["192.0.2.1", "", null]
  ])("%s with X-Forwarded-For %j is %s", (peer, forwarded, client) => {
    expect(list.clientOf(peer, forwarded)).toBe(client)
  })
})

describe("addresses that may be called", () => {
  const networks = [readNetwork("10.0.0.0/8")!, readNetwork("127.0.0.0/16")!]

  it("are those of the networks, loopback only where it is said", () => {
    expect(egressRefusal("10.1.1.1", { loopback: false, networks })).toBeNull()
    expect(egressRefusal("11.1.1.1", { loopback: false, networks })).toMatch(/outside/)
    expect(egressRefusal("11.1.1.1", { loopback: false, networks: [] })).toBeNull()
    expect(egressRefusal("127.0.0.1", { loopback: true, networks })).toBeNull()
    expect(egressRefusal("127.1.0.1", { loopback: true, networks })).toMatch(/outside/)
    expect(egressRefusal("::1", { loopback: true, networks: [] })).toBeNull()
  })

  it.each([
    "127.0.0.1",
    "::1",
    "0.0.0.0",
    "169.254.169.254",
    "fe80::1",
    "::ffff:10.0.0.1",
    "::10.0.0.1",
    "64:ff9b::1",
    "2002::1",
    "167837953",
    "0x0a.1.1.1",
    "a.example",
    "10.1.1.1%eth0",
    "ff02::1",
    "100.100.100.200"
  ])("never include %s", (address) => expect(egressRefusal(address, { loopback: false, networks: [] })).not.toBeNull())
})
