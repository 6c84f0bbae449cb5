/** Which address a host is called at: the one given, or the one its name resolves to now. */
import { lookup } from "node:dns/promises"
import { Effect } from "effect"
import { egressRefusal } from "#core/egress.ts"
import { refuseField } from "#core/Errors.ts"
import { AllowList } from "./AllowList.ts"
import { WebConfig } from "./WebSettings.ts"

const LOOKUP_DEADLINE = "5 seconds"

/** The one port that hosts are called at; where a stand-in fleet runs, its hosts have ports of their own. */
export const AGENT_PORT = 12443

export const checkAddress = Effect.fnUntraced(function* (address: string, path: string) {
  const { standInFleet = false } = yield* WebConfig
  const { agentNetworks } = yield* AllowList
  const refused = egressRefusal(address, { loopback: standInFleet, networks: agentNetworks() })
  return refused === null ? address : yield* refuseField(path, refused)
})

export const checkPort = Effect.fnUntraced(function* (port: number | undefined, path: string) {
  const { standInFleet = false } = yield* WebConfig
  if (port === undefined || port === AGENT_PORT || standInFleet) return
  return yield* refuseField(path, `Agents are called at port ${AGENT_PORT} only.`)
})

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
