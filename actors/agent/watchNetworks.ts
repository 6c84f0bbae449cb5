/** Follows the networks in which agents may be called, as administrators change them. */
import { Effect, Schedule } from "effect"
import { readNetwork } from "#core/network.ts"
import { readNetworkPolicy } from "#sql/NetworkStore.ts"
import { AgentClient } from "./AgentClient.ts"

const LOOK_EVERY = "2 seconds"

/** The networks as they stand, for a client that is about to be made. */
export const readAgentNetworks = Effect.map(readNetworkPolicy, ({ policy }) =>
  policy.agent_networks.flatMap((text) => readNetwork(text) ?? [])
)

/** Never ends. */
export const watchNetworks = Effect.gen(function* () {
  const client = yield* AgentClient
  yield* Effect.flatMap(readAgentNetworks, client.allow).pipe(
    Effect.catch((error) => Effect.logWarning("The agents' networks could not be read; the last ones count", error)),
    Effect.repeat(Schedule.spaced(LOOK_EVERY)),
    Effect.annotateLogs({ module: "agent" })
  )
})
