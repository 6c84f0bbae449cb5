/** Who may connect: networks that are let in, proxies whose word about the client is believed, networks agents may be in. */
import { Schema } from "effect"
import { type Address, contains, type Network, readAddress, readNetwork } from "./network.ts"
import { Timestamp } from "./Timestamp.ts"

export const PolicyNetwork = Schema.String.check(
  Schema.isMaxLength(64),
  Schema.makeFilter(
    (text) => readNetwork(text) !== null || "must be an address or a network such as 192.0.2.0/24 or 2001:db8::/64"
  )
)

const networks = Schema.Array(PolicyNetwork).check(Schema.isMaxLength(500))

const fields = {
  /** Addresses that may connect to the manager, browsers and enrolling agents alike. Empty: the manager's own machine alone. */
  allowed_networks: networks,
  /** Reverse proxies whose `X-Forwarded-For` is believed; anybody else's is ignored. */
  trusted_proxies: networks,
  /** Where agents may be called. Empty: anywhere but link-local, metadata and reserved addresses. */
  agent_networks: networks,
  /** How long a change waits for its confirmation before the networks of before come back. */
  confirm_seconds: Schema.Int.check(Schema.isBetween({ minimum: 30, maximum: 3600 }))
} as const

export const NetworkPolicy = Schema.Struct(fields)
export type NetworkPolicy = typeof NetworkPolicy.Type

export const defaultNetworkPolicy: NetworkPolicy = {
  allowed_networks: [],
  trusted_proxies: [],
  agent_networks: [],
  confirm_seconds: 120
}

export const NetworkAccess = Schema.Struct({
  ...fields,
  /** Grows with each change, confirmation and roll-back; the ETag. */
  version: Schema.Int,
  /** Address that this request came from, as the manager sees it. */
  your_address: Schema.String,
  /** A change that comes back at `confirm_by` unless somebody it lets in confirms it. */
  pending: Schema.NullOr(Schema.Struct({ confirm_by: Timestamp, changed_by: Schema.String, previous: NetworkPolicy }))
}).annotate({ identifier: "NetworkAccess" })
export type NetworkAccess = typeof NetworkAccess.Type

/** Keys left out stay as they are. */
export const NetworkChange = Schema.Struct({
  allowed_networks: Schema.optionalKey(fields.allowed_networks),
  trusted_proxies: Schema.optionalKey(fields.trusted_proxies),
  agent_networks: Schema.optionalKey(fields.agent_networks),
  confirm_seconds: Schema.optionalKey(fields.confirm_seconds),
  /** Makes the change although it locks out the address that this request comes from. */
  confirm: Schema.optionalKey(Schema.Boolean)
}).annotate({ identifier: "NetworkChange" })
export type NetworkChange = typeof NetworkChange.Type

/** IPv4 arrives as `::ffff:192.0.2.1` where a socket listens on both families, link-local IPv6 with its zone. */
export const plainAddress = (text: string): string => text.replace(/^::ffff:(?=[0-9]+\.)/i, "").replace(/%.*$/, "")

const loopback = ["127.0.0.0/8", "::1/128"].flatMap((text) => readNetwork(text) ?? [])

/** The machine itself always gets through, so that whoever sits at it can repair the list. */
const self: ReadonlySet<string> = new Set(["127.0.0.1", "::1"])

const inside = (networks: ReadonlyArray<Network>, address: Address): boolean =>
  networks.some((network) => contains(network, address))

const read = (texts: ReadonlyArray<string>): ReadonlyArray<Network> => texts.flatMap((text) => readNetwork(text) ?? [])

export interface AllowListRules {
  /** Whether this peer's connection is taken, before a byte of TLS: it may come in itself, or speaks for others. */
  readonly takesConnection: (peer: string) => boolean
  readonly isProxy: (peer: string) => boolean
  /** Whether this client may come in: `forwarded` where a proxy names it. */
  readonly allowsClient: (address: string, forwarded: boolean) => boolean
  /**
   * The client behind a connection. From a proxy that is the right-most address of `X-Forwarded-For` which is no proxy itself, null
   * where that cannot be read; a proxy that names nobody is the client. Everybody else's header is ignored.
   */
  readonly clientOf: (peer: string, forwardedFor: string | undefined) => string | null
}

const remembered = 4096

export const makeAllowList = ({ allowed_networks, trusted_proxies }: NetworkPolicy): AllowListRules => {
  const allowed = allowed_networks.length === 0 ? loopback : read(allowed_networks)
  const proxies = read(trusted_proxies)
  const isIn = (networks: ReadonlyArray<Network>) => {
    const known = new Map<string, boolean>()
    return (text: string): boolean => {
      const before = known.get(text)
      if (before !== undefined) return before
      const address = readAddress(plainAddress(text))
      const found = address !== null && inside(networks, address)
      if (known.size >= remembered) known.clear()
      known.set(text, found)
      return found
    }
  }
  const isAllowed = isIn(allowed)
  const isProxy = proxies.length === 0 ? () => false : isIn(proxies)
  const allowsClient: AllowListRules["allowsClient"] = (address, forwarded) =>
    isAllowed(address) || (!forwarded && self.has(plainAddress(address)))
  return {
    takesConnection: (peer) => allowsClient(peer, false) || isProxy(peer),
    isProxy,
    allowsClient,
    clientOf: (peer, forwardedFor) => {
      const own = plainAddress(peer)
      if (forwardedFor === undefined || !isProxy(peer)) return own
      for (const hop of forwardedFor.split(",").toReversed()) {
        const text = hop.trim()
        if (readAddress(text) === null) return null
        if (!isProxy(text)) return text
      }
      return own
    }
  }
}
