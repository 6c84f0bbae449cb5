/**
 * How long a scan of a /22 takes where machines answer, refuse or are silent, in a private network namespace so that nothing leaves
 * this machine. It needs root (or user namespaces) and `ip`; where it cannot run it fails and says so.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { join } from "node:path"
import { Effect } from "effect"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { ensureAuthority } from "#actors/pki/ensureAuthority.ts"
import { makeIssuer } from "#actors/pki/mint.ts"
import type { DiscoveryScan } from "#core/Discovery.ts"
import { HostId, hostUri } from "#core/Ids.ts"
import { newId } from "#core/newId.ts"
import { getScan, insertScan } from "#sql/DiscoveryStore.ts"
import { until } from "#test/fleet/makeTestFleet.ts"
import { makeWorld, type World } from "#test/harness/World.ts"
import type { NamespaceOptions } from "./namespaceWorker.ts"

const PORT = 12_443

/** Ranges of agents and of silent ports within 10.<n>.0.0/22; `hole` is never answered; the rest refuses. */
const scenarios = [
  {
    n: 101,
    what: "100 agents, the rest refuses",
    agents: ["10.101.0.0/26", "10.101.0.64/27", "10.101.0.96/30"],
    seconds: 2
  },
  {
    n: 102,
    what: "100 agents, 156 refuse, 768 are dropped",
    agents: ["10.102.0.0/26", "10.102.0.64/27", "10.102.0.96/30"],
    hole: ["10.102.1.0/24", "10.102.2.0/23"],
    seconds: 2
  },
  { n: 103, what: "all are dropped", hole: ["10.103.0.0/23", "10.103.2.0/23"], seconds: 2 },
  { n: 104, what: "all accept and say nothing", silent: ["10.104.0.0/22"], seconds: 10 },
  { n: 105, what: "all 1,024 are agents", agents: ["10.105.0.0/22"], seconds: 10 },
  {
    n: 106,
    what: "100 agents, 100 say nothing, 56 refuse, 768 are dropped",
    agents: ["10.106.0.0/26", "10.106.0.64/27", "10.106.0.96/30"],
    silent: ["10.106.0.128/26", "10.106.0.192/27", "10.106.0.224/30"],
    hole: ["10.106.1.0/24", "10.106.2.0/23"],
    seconds: 10
  }
] as const satisfies ReadonlyArray<{
  n: number
  what: string
  agents?: ReadonlyArray<string>
  silent?: ReadonlyArray<string>
  hole?: ReadonlyArray<string>
  seconds: number
}>

const wide: ReadonlyArray<{
  readonly n: number
  readonly agents?: ReadonlyArray<string>
  readonly silent?: ReadonlyArray<string>
  readonly hole?: ReadonlyArray<string>
}> = scenarios

const routes = [
  "link set lo up",
  // A tunnel that nobody reads swallows what is sent into it.
  "tuntap add dev hole mode tun",
  "address add 10.99.0.1/32 dev hole",
  "link set hole up",
  ...wide.flatMap(({ n, hole }) => [
    `route add local 10.${n}.0.0/22 dev lo`,
    ...(hole ?? []).map((range) => `route add ${range} dev hole table local`)
  ])
]

/** How a process gets a network of its own here, or why it cannot. */
const namespace = (): ReadonlyArray<string> => {
  for (const flags of [["-n"], ["-rn"]]) {
    try {
      execFileSync("unshare", [...flags, "ip", "tuntap", "add", "dev", "hole", "mode", "tun"], { stdio: "pipe" })
      return flags
    } catch {
      // The next way.
    }
  }
  throw new Error(
    "This measurement cannot run here: it needs root (or user namespaces), unshare, ip and /dev/net/tun for a network of its own."
  )
}

let world: World
let child: ChildProcess
const ask = (word: "reset" | "read") =>
  new Promise<{ readonly max_ms: number; readonly p99_ms: number }>((resolve) => {
    child.once("message", resolve)
    child.send(word)
  })

beforeAll(async () => {
  const flags = namespace()
  world = await makeWorld({ count: 1, seed: 1, certificates: false })
  const { ca } = await Effect.runPromise(ensureAuthority(world.secretsDir))
  const issue = await makeIssuer(ca)
  const identity = await issue({
    commonName: "agent",
    names: [{ type: "url", value: hostUri(newId(HostId)) }],
    purpose: "server",
    days: 1
  })
  const options: NamespaceOptions = {
    url: world.url,
    secretsDir: world.secretsDir,
    routes,
    listening: {
      port: PORT,
      agents: wide.flatMap(({ agents }) => agents ?? []),
      silent: wide.flatMap(({ silent }) => silent ?? []),
      identity,
      ca_pem: ca.certificate_pem
    }
  }
  child = spawn("unshare", [...flags, process.execPath, join(import.meta.dirname, "namespaceWorker.ts")], {
    env: { ...process.env, NODE_OPTIONS: "", NAMESPACE_OPTIONS: JSON.stringify(options) },
    stdio: ["ignore", "inherit", "inherit", "ipc"]
  })
  await new Promise<void>((resolve, reject) => {
    child.once("message", () => resolve())
    child.once("exit", (code) => reject(new Error(`The worker in the namespace ended with ${code}`)))
  })
})
afterAll(async () => {
  if (child !== undefined && child.exitCode === null) {
    const gone = new Promise((resolve) => child.once("exit", resolve))
    child.disconnect()
    await gone
  }
  await world?.stop()
})

const taken = (scan: DiscoveryScan): number => Date.parse(scan.finished_at ?? "") - Date.parse(scan.created_at)

describe("a scan of a /22", () => {
  it.each(scenarios)("where $what takes less than $seconds s", async ({ n, what, seconds, ...around }) => {
    const agents = "agents" in around ? (n === 105 ? 1024 : 100) : 0
    await ask("reset")
    const { answer } = await world.run(
      insertScan(world.caller, { cidr: `10.${n}.0.0/22`, port: PORT, addresses_total: 1024 })
    )
    const scan = await until(
      () => world.run(getScan(world.caller.principal, answer.id)),
      ({ state }) => state !== "queued" && state !== "running",
      15_000
    )
    const loop = await ask("read")
    console.log(
      `${what}: ${(taken(scan) / 1000).toFixed(2)} s, worker's loop held up ${loop.max_ms.toFixed(0)} ms at most (p99 ${loop.p99_ms.toFixed(0)} ms), ${JSON.stringify(scan.counts)}`
    )
    expect(scan).toMatchObject({ state: "done", addresses_probed: 1024, found: agents })
    expect(taken(scan)).toBeLessThan(seconds * 1000)
    expect(loop.max_ms).toBeLessThan(100)
  })
})
