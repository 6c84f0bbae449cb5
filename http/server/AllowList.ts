/** The allow-list at work: asked for each connection and each request, and following what the database says within a second. */
import type { Socket } from "node:net"
import { Context, Effect, Layer, Option, Schedule } from "effect"
import type { HttpServerRequest } from "effect/http"
import { type AllowListRules, makeAllowList, type NetworkPolicy, plainAddress } from "#core/AllowList.ts"
import { type Network, readNetwork } from "#core/network.ts"
import { readNetworkPolicy, rollBackNetwork, type StoredNetwork } from "#sql/NetworkStore.ts"

const LOOK_EVERY = "1 second"
const TELL_EVERY_MILLIS = 60_000

/** A request's own view of where it comes from. */
export interface Source {
  readonly peer: string
  readonly forwardedFor: string | undefined
}

export const sourceOf = (request: HttpServerRequest.HttpServerRequest): Source => ({
  peer: Option.getOrElse(request.peerAddress, () => "0.0.0.0"),
  forwardedFor: request.headers["x-forwarded-for"]
})

/** Whether such a request would come in under these rules. */
const admits = (rules: AllowListRules, { forwardedFor, peer }: Source): string | null => {
  if (!rules.takesConnection(peer)) return null
  const client = rules.clientOf(peer, forwardedFor)
  if (client === null) return null
  return rules.allowsClient(client, client !== plainAddress(peer)) ? client : null
}

export const letsIn =
  (source: Source) =>
  (policy: NetworkPolicy): boolean =>
    admits(makeAllowList(policy), source) !== null

const networksOf = (texts: ReadonlyArray<string>): ReadonlyArray<Network> =>
  texts.flatMap((text) => readNetwork(text) ?? [])

const make = Effect.gen(function* () {
  const first = yield* readNetworkPolicy
  let version = first.version
  let rules = makeAllowList(first.policy)
  let agents = networksOf(first.policy.agent_networks)
  const connections = new Set<Socket>()
  /** Live sockets that came through a proxy, with who is behind each. */
  const forwarded = new Map<Socket, Source>()
  let refused = 0
  let toldAt = performance.now()

  const apply = (stored: StoredNetwork): void => {
    if (stored.version === version) return
    version = stored.version
    rules = makeAllowList(stored.policy)
    agents = networksOf(stored.policy.agent_networks)
    for (const socket of connections) {
      const source = forwarded.get(socket)
      const stays =
        source === undefined ? rules.takesConnection(socket.remoteAddress ?? "") : admits(rules, source) !== null
      if (!stays) socket.destroy()
    }
  }

  const look = Effect.gen(function* () {
    const stored = yield* readNetworkPolicy
    apply(stored)
    if (stored.pending?.due === true && (yield* rollBackNetwork)) {
      yield* Effect.logWarning("A change of who may connect was not confirmed in time and has been taken back")
      apply(yield* readNetworkPolicy)
    }
    const now = performance.now()
    if (refused > 0 && now - toldAt > TELL_EVERY_MILLIS) {
      yield* Effect.logWarning(`${refused} connections were refused: their addresses may not connect`)
      refused = 0
      toldAt = now
    }
  })
  yield* look.pipe(
    Effect.catch((error) => Effect.logWarning("The networks could not be read; the last ones count", error)),
    Effect.catchDefect((defect) => Effect.logError("The networks could not be read; the last ones count", defect)),
    Effect.repeat(Schedule.spaced(LOOK_EVERY)),
    Effect.annotateLogs({ module: "network" }),
    Effect.forkScoped
  )

  return {
    /** For each connection before TLS: false where it is to be destroyed. */
    takes: (socket: Socket): boolean => {
      if (!rules.takesConnection(socket.remoteAddress ?? "")) {
        refused += 1
        return false
      }
      connections.add(socket)
      socket.once("close", () => {
        connections.delete(socket)
        forwarded.delete(socket)
      })
      return true
    },
    isProxy: (peer: string): boolean => rules.isProxy(peer),
    /** The client's address where it may come in, else null. */
    admit: (source: Source): string | null => admits(rules, source),
    /** Remembers who is behind a connection that stays open, so that it ends with its right to be. */
    remember: (socket: Socket, source: Source): void => {
      const raw = [...connections].find(
        (one) => one === socket || (one.remotePort === socket.remotePort && one.remoteAddress === socket.remoteAddress)
      )
      if (raw !== undefined) forwarded.set(raw, source)
    },
    /** Where agents may be; empty means anywhere. */
    agentNetworks: () => agents,
    apply
  }
})

export class AllowList extends Context.Service<AllowList, Effect.Success<typeof make>>()(
  "patch-manager/http/AllowList"
) {
  static readonly layer = Layer.effect(AllowList, make)
}
