/** Which addresses the manager may call: agents, identity providers and every other outbound connection ask here, after the name was resolved. */
import { contains, type Network, readAddress, readNetwork, writeNetwork } from "./network.ts"

export interface EgressRules {
  /** Loopback is called where a stand-in fleet or a provider for tests lives there, and nowhere else. */
  readonly loopback: boolean
  /** Networks that may be called; empty means any that is not barred. */
  readonly networks: ReadonlyArray<Network>
}

const networksOf = (texts: ReadonlyArray<string>): ReadonlyArray<Network> =>
  texts.flatMap((text) => readNetwork(text) ?? [])

const loopback = networksOf(["127.0.0.0/8", "::1/128"])

/** Never called: unspecified, link-local with cloud metadata, multicast, and IPv6 forms that carry an IPv4 address. RFC 6890. */
const barred = networksOf([
  "0.0.0.0/8",
  "169.254.0.0/16",
  "192.0.0.0/24",
  "224.0.0.0/3",
  "::/96",
  "64:ff9b::/96",
  "64:ff9b:1::/48",
  "2001::/32",
  "2002::/16",
  "fe80::/10",
  "fec0::/10",
  "ff00::/8",
  // The metadata service of AWS over IPv6.
  "fd00:ec2::254/128"
])

/** Metadata services at addresses that belong to nobody's network: Alibaba and Azure's host. */
const metadata = networksOf(["100.100.100.200/32", "168.63.129.16/32"])

/**
 * Why this address is not called, as a sentence, or null where it may be. Takes a resolved address, never a name: whoever calls
 * resolves once, asks, and connects to that very address. Decimal, octal and hexadecimal forms, zones and IPv4 in IPv6 are no
 * address.
 */
export const egressRefusal = (address: string, { loopback: mayLoop, networks }: EgressRules): string | null => {
  const read = readAddress(address)
  if (read === null) return "This is not a plain IP address."
  const isLoopback = loopback.some((network) => contains(network, read))
  if (isLoopback && !mayLoop) {
    return "This is the manager's own machine, which is called only where a stand-in fleet runs."
  }
  const found = isLoopback ? undefined : [...barred, ...metadata].find((network) => contains(network, read))
  if (found !== undefined) {
    return `No host can be reached at this address: ${writeNetwork(found)} is link-local, multicast, a metadata service or reserved.`
  }
  if (networks.length > 0 && !networks.some((network) => contains(network, read))) {
    return "This address lies outside of the networks that the manager may call (Access > Agent networks)."
  }
  return null
}
