/** Discovery of the contract: which networks may be scanned is decided here, the worker scans. */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { MAX_SCAN_ADDRESSES, type NewScan, type Registering } from "#core/Discovery.ts"
import { egressRefusal } from "#core/egress.ts"
import { refuseField } from "#core/Errors.ts"
import type { DiscoveryId } from "#core/Ids.ts"
import { addressesOf, contains, networkSize, readNetwork, reservedPart, writeNetwork } from "#core/network.ts"
import { Api } from "#http/api/Api.ts"
import { CurrentCaller } from "#http/api/Authentication.ts"
import {
  getScan,
  insertScan,
  listResults,
  listScans,
  readDiscoveryNetworks,
  registerFound,
  requestScanCancel
} from "#sql/DiscoveryStore.ts"
import { once } from "#sql/IdempotencyStore.ts"
import { AllowList } from "./AllowList.ts"
import { AGENT_PORT, checkPort } from "./hostAddress.ts"
import { answered } from "./translate.ts"
import { WebConfig } from "./WebSettings.ts"

const refuse = (message: string) => refuseField("payload.cidr", message)

/** The network in canonical form, if all of it may be scanned. */
const checkNetwork = Effect.fnUntraced(function* (cidr: string) {
  const network = readNetwork(cidr)
  if (network === null) return yield* refuse("This is not a network. Write it like 10.1.2.0/24 or 2001:db8::/120.")
  const size = networkSize(network)
  if (size > BigInt(MAX_SCAN_ADDRESSES)) {
    return yield* refuse(
      `A scan looks at ${MAX_SCAN_ADDRESSES} addresses at most; ${writeNetwork(network)} has ${
        size > 1_000_000_000n ? "more than a billion" : size
      }. Scan it in parts, such as a /22 of IPv4.`
    )
  }
  const reserved = reservedPart(network)
  if (reserved !== null) {
    return yield* refuse(`${writeNetwork(network)} touches ${reserved}, where no host can be registered.`)
  }
  const { standInFleet = false } = yield* WebConfig
  const networks = (yield* AllowList).agentNetworks()
  // Each address: a metadata service may lie in the middle.
  const [outside] = addressesOf(network).flatMap(
    (address) => egressRefusal(address, { loopback: standInFleet, networks: [] }) ?? []
  )
  if (outside !== undefined) return yield* refuse(outside)
  if (networks.length > 0 && !networks.some((one) => contains(one, network))) {
    return yield* refuse(`${writeNetwork(network)} lies outside of the networks of agents under Access.`)
  }
  const allowed = yield* readDiscoveryNetworks
  if (!allowed.some((text) => allows(text, network))) {
    return yield* refuse(
      allowed.length === 0
        ? "No network may be scanned yet. Add one under Settings > Discovery networks."
        : `${writeNetwork(network)} lies outside of the networks that may be scanned (${allowed.join(", ")}). Add it under Settings > Discovery networks.`
    )
  }
  return { cidr: writeNetwork(network), addresses_total: Number(size) }
})

/** A text in the settings that is no network allows nothing. */
const allows = (text: string, network: NonNullable<ReturnType<typeof readNetwork>>): boolean => {
  const allowed = readNetwork(text)
  return allowed !== null && contains(allowed, network)
}

const scan = Effect.fnUntraced(function* (key: string, wanted: NewScan) {
  const caller = yield* CurrentCaller
  const network = yield* checkNetwork(wanted.cidr)
  yield* checkPort(wanted.port, "payload.port")
  const request = { caller, key, operation: "discovery.scan", request: wanted, status: 201 }
  return (yield* once(request, insertScan(caller, { ...network, port: wanted.port ?? AGENT_PORT }))).answer
})

const register = Effect.fnUntraced(function* (key: string, id: DiscoveryId, wanted: Registering) {
  const caller = yield* CurrentCaller
  const request = { caller, key, operation: "discovery.register", request: { id, ...wanted }, status: 200 }
  return (yield* once(request, registerFound(caller, id, wanted.addresses, wanted.group_ids))).answer
})

export const layer = HttpApiBuilder.group(Api, "discovery", (handlers) =>
  handlers.handleAll({
    scan: ({ headers, payload }) => answered(scan(headers["idempotency-key"], payload)),
    scans: ({ query }) => answered(Effect.flatMap(CurrentCaller, ({ principal }) => listScans(principal, query))),
    get: ({ params }) => answered(Effect.flatMap(CurrentCaller, ({ principal }) => getScan(principal, params.id))),
    results: ({ params, query }) =>
      answered(Effect.flatMap(CurrentCaller, ({ principal }) => listResults(principal, params.id, query))),
    cancel: ({ params }) => answered(Effect.flatMap(CurrentCaller, (caller) => requestScanCancel(caller, params.id))),
    register: ({ params, headers, payload }) => answered(register(headers["idempotency-key"], params.id, payload))
  })
)
