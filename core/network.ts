/** IP networks in CIDR notation, IPv4 and IPv6: read, compare, list their addresses. Pure; runs in the browser too. */

export interface Address {
  readonly family: 4 | 6
  readonly value: bigint
}

/** A network by its first address; bits after the prefix are zero. */
export interface Network extends Address {
  readonly prefix: number
}

const bitsOf = (family: 4 | 6): number => (family === 4 ? 32 : 128)

/** Decimal only: an octet such as 010 or 0x7f means different addresses to different programs. */
const readIpv4 = (text: string): bigint | null => {
  const octets = text.split(".")
  if (octets.length !== 4) return null
  let value = 0n
  for (const octet of octets) {
    if (!/^(0|[1-9][0-9]{0,2})$/.test(octet) || Number(octet) > 255) return null
    value = (value << 8n) | BigInt(octet)
  }
  return value
}

/** The groups of one side of `::`; where the address ends, a last part may be IPv4 and counts as two. */
const readGroups = (text: string, isEnd: boolean): Array<bigint> | null => {
  if (text === "") return []
  const groups: Array<bigint> = []
  const parts = text.split(":")
  for (const [index, part] of parts.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(BigInt(`0x${part}`))
      continue
    }
    const tail = isEnd && index === parts.length - 1 ? readIpv4(part) : null
    if (tail === null) return null
    groups.push(tail >> 16n, tail & 0xffffn)
  }
  return groups
}

const readIpv6 = (text: string): bigint | null => {
  const halves = text.split("::")
  if (halves.length > 2) return null
  const head = readGroups(halves[0] ?? "", halves.length === 1)
  const tail = readGroups(halves[1] ?? "", true)
  if (head === null || tail === null) return null
  const gap = 8 - head.length - tail.length
  // Only "::" may leave groups out, and it leaves out at least one.
  if (halves.length === 2 ? gap < 1 : gap !== 0) return null
  const groups = [...head, ...Array.from({ length: halves.length === 2 ? gap : 0 }, () => 0n), ...tail]
  return groups.reduce((value, group) => (value << 16n) | group, 0n)
}

/** IPv4 written as IPv6 would slip past rules made for IPv4, so it is no address here. */
const isMapped = (value: bigint): boolean => value >> 32n === 0xffffn

/** Null for anything that is not one plain address: no zone, no prefix length, no IPv4 in IPv6 clothes. */
export const readAddress = (text: string): Address | null => {
  if (text.length > 45) return null
  if (!text.includes(":")) {
    const value = readIpv4(text)
    return value === null ? null : { family: 4, value }
  }
  const value = readIpv6(text)
  return value === null || isMapped(value) ? null : { family: 6, value }
}

const maskOf = (family: 4 | 6, prefix: number): bigint => {
  const bits = BigInt(bitsOf(family))
  const host = bits - BigInt(prefix)
  return ((1n << bits) - 1n) ^ ((1n << host) - 1n)
}

/** `10.1.2.0/24`, or one address. Host bits are cut off: `10.1.2.3/24` is the network it lies in. Null where it cannot be read. */
export const readNetwork = (text: string): Network | null => {
  const [head = "", length, ...rest] = text.trim().split("/")
  const address = readAddress(head)
  if (address === null || rest.length > 0) return null
  const bits = bitsOf(address.family)
  if (length !== undefined && !/^(0|[1-9][0-9]{0,2})$/.test(length)) return null
  const prefix = length === undefined ? bits : Number(length)
  if (prefix > bits) return null
  return { family: address.family, value: address.value & maskOf(address.family, prefix), prefix }
}

/** As RFC 5952 writes it: small letters, the longest run of zero groups as `::`. */
const writeIpv6 = (value: bigint): string => {
  const groups = Array.from({ length: 8 }, (_, index) => (value >> BigInt(16 * (7 - index))) & 0xffffn)
  let best = { at: -1, length: 1 }
  for (let at = 0; at < 8; at++) {
    let length = 0
    while (at + length < 8 && groups[at + length] === 0n) length++
    if (length > best.length) best = { at, length }
  }
  const words = groups.map((group) => group.toString(16))
  if (best.at < 0) return words.join(":")
  return `${words.slice(0, best.at).join(":")}::${words.slice(best.at + best.length).join(":")}`
}

export const writeAddress = ({ family, value }: Address): string =>
  family === 6 ? writeIpv6(value) : [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join(".")

/** Canonical text, also of a single address: `10.1.2.3/32`. */
export const writeNetwork = (network: Network): string => `${writeAddress(network)}/${network.prefix}`

export const networkSize = ({ family, prefix }: Network): bigint => 1n << BigInt(bitsOf(family) - prefix)

/** Whether all of `inner` lies in `outer`. */
export const contains = (outer: Network, inner: Address | Network): boolean => {
  if (outer.family !== inner.family) return false
  if ("prefix" in inner && inner.prefix < outer.prefix) return false
  return (inner.value & maskOf(outer.family, outer.prefix)) === outer.value
}

/** Whether the two share an address. */
export const overlaps = (one: Network, other: Network): boolean => contains(one, other) || contains(other, one)

/** Every address in order, first and last included. Ask for the size first: a /8 has 16 million. */
export const addressesOf = (network: Network): ReadonlyArray<string> =>
  Array.from({ length: Number(networkSize(network)) }, (_, index) =>
    writeAddress({ family: network.family, value: network.value + BigInt(index) })
  )

/** Unspecified, link-local (cloud metadata is there) and multicast: no host is registered at such an address. */
const reserved = ["0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3", "::/128", "fe80::/10", "ff00::/8"].flatMap(
  (text) => readNetwork(text) ?? []
)

/** The reserved network that this one touches, as text; null where every address of it can be a host's. */
export const reservedPart = (network: Network): string | null => {
  const found = reserved.find((one) => overlaps(one, network))
  return found === undefined ? null : writeNetwork(found)
}
