import { userInfo } from "node:os"
import { parseArgs } from "node:util"
import * as Effect from "effect/Effect"
import type { NetworkPolicy } from "#core/AllowList.ts"
import { readNetwork, writeNetwork } from "#core/network.ts"
import type { AuditOrigin } from "#sql/AuditStore.ts"
import { readNetworkPolicy, setNetwork } from "#sql/NetworkStore.ts"
import { loadConfig } from "../Config.ts"
import { CommandError } from "./CommandError.ts"
import { inInstance } from "./instanceDatabase.ts"

const parse = (args: ReadonlyArray<string>) => {
  try {
    const { positionals, values } = parseArgs({
      args: [...args],
      options: { "data-dir": { type: "string" } },
      allowPositionals: true
    })
    const config = loadConfig(values["data-dir"] === undefined ? {} : { data_dir: values["data-dir"] })
    return { config, positionals }
  } catch (error) {
    if (error instanceof Error && "_tag" in error) throw error
    throw new CommandError({ message: `${String(error)}: patch-manager --help shows what there is.` })
  }
}

const origin = (): AuditOrigin => ({
  actor: { kind: "machine", id: "cli", name: `${userInfo().username} on the command line` },
  request_id: "",
  source_address: ""
})

const print = ({ agent_networks, allowed_networks, trusted_proxies }: NetworkPolicy): void => {
  const line = (name: string, networks: ReadonlyArray<string>, empty: string): void =>
    void process.stdout.write(`${name}: ${networks.length === 0 ? empty : networks.join(", ")}\n`)
  line("allowed networks", allowed_networks, "this machine alone")
  line("trusted proxies", trusted_proxies, "none")
  line("agent networks", agent_networks, "any")
}

/** `network show`: who may connect. */
export const networkShow = async (args: ReadonlyArray<string>): Promise<void> => {
  const { config } = parse(args)
  print(
    await inInstance(
      config,
      Effect.map(readNetworkPolicy, ({ policy }) => policy)
    )
  )
}

/** `network allow`: lets these networks in beside those there are, at once. */
export const networkAllow = async (args: ReadonlyArray<string>): Promise<void> => {
  const { config, positionals } = parse(args)
  if (positionals.length === 0) throw new CommandError({ message: "Say which: network allow 192.0.2.0/24" })
  const networks = positionals.map((text) => {
    const network = readNetwork(text)
    if (network === null) throw new CommandError({ message: `${text} is no network: write it like 192.0.2.0/24.` })
    return writeNetwork(network)
  })
  const change = Effect.flatMap(readNetworkPolicy, ({ policy }) =>
    setNetwork(origin(), { allowed_networks: [...new Set([...policy.allowed_networks, ...networks])] })
  )
  print(await inInstance(config, change))
}

/** `network reset`: nobody but this machine, and no proxy believed. */
export const networkReset = async (args: ReadonlyArray<string>): Promise<void> => {
  const { config } = parse(args)
  print(await inInstance(config, setNetwork(origin(), { allowed_networks: [], trusted_proxies: [] })))
}
