/** Which address a host is called at: the one given, or the one its name resolves to now. */
import { lookup } from "node:dns/promises"
import { BlockList, isIP } from "node:net"
import { Effect } from "effect"
import { refuseField } from "#core/Errors.ts"

const LOOKUP_DEADLINE = "5 seconds"

/** Addresses no agent can have: calling them would reach another service, many hosts, or none. */
const unusable = new BlockList()
unusable.addSubnet("0.0.0.0", 8)
unusable.addSubnet("169.254.0.0", 16)
unusable.addSubnet("224.0.0.0", 3)
unusable.addAddress("::", "ipv6")
unusable.addSubnet("fe80::", 10, "ipv6")
unusable.addSubnet("ff00::", 8, "ipv6")

const family = (address: string) => (isIP(address) === 6 ? "ipv6" : "ipv4")

export const checkAddress = (address: string, path: string) =>
  isIP(address) === 0
    ? Effect.fail(refuseField(path, "This is not an IP address."))
    : unusable.check(address, family(address))
      ? Effect.fail(
          refuseField(path, "No host can be reached at this address: it is a link-local, multicast or reserved one.")
        )
      : Effect.succeed(address)

/** The first address of the name, as this machine resolves it. */
export const resolveName = (fqdn: string) =>
  Effect.tryPromise(() => lookup(fqdn, { order: "ipv4first" })).pipe(
    Effect.timeout(LOOKUP_DEADLINE),
    Effect.mapError(() =>
      refuseField(
        "payload.fqdn",
        `${fqdn} could not be resolved. Correct the name, or give the host's address as well.`
      )
    ),
    Effect.flatMap(({ address }) => checkAddress(address, "payload.fqdn"))
  )
