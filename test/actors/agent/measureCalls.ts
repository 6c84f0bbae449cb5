/**
 * CPU of one health poll: the agent client against a raw node:https loop with one shared secure context.
 * Run it with `node test/actors/agent/measureCalls.ts [polls]`; the servers live in a process of their own.
 */
import { Effect } from "effect"
import { fork } from "node:child_process"
import { Agent, createServer, get } from "node:https"
import { createServer as createTcpServer, type AddressInfo, type Socket } from "node:net"
import { makeAgentClient } from "#actors/agent/AgentClient.ts"
import { makeSlots } from "#actors/agent/AgentSlots.ts"
import type { AgentTarget } from "#actors/agent/AgentTarget.ts"
import { secureContextOf, type TrustMaterial } from "#actors/agent/AgentTrust.ts"
import type { KeyPair } from "#actors/pki/mint.ts"
import { HostId, hostUri } from "#core/Ids.ts"
import { healthy, makeTestAuthority } from "./servers.ts"

const HOSTS = 128
const CONCURRENCY = 64

interface Orders {
  readonly ca_pem: string
  readonly hosts: ReadonlyArray<readonly [address: string, certificate: KeyPair]>
}

const serve = (): void => {
  process.once("message", (orders: Orders) => {
    const servers = new Map(
      orders.hosts.map(([address, certificate]) => [
        address,
        createServer(
          {
            cert: certificate.certificate_pem,
            key: certificate.private_key_pem,
            ca: orders.ca_pem,
            requestCert: true,
            rejectUnauthorized: true,
            minVersion: "TLSv1.3",
            sessionTimeout: 3600
          },
          healthy
        )
      ])
    )
    const front = createTcpServer((socket: Socket) => {
      socket.on("error", () => {})
      servers.get(socket.localAddress ?? "")?.emit("connection", socket)
    })
    front.listen(0, "0.0.0.0", () => process.send?.((front.address() as AddressInfo).port))
  })
}

interface Round {
  readonly cpuMs: number
  readonly wallMs: number
}

const measured = async (polls: number, run: () => Promise<unknown>): Promise<Round> => {
  const cpu = process.cpuUsage()
  const started = performance.now()
  await run()
  const used = process.cpuUsage(cpu)
  return { cpuMs: (used.user + used.system) / 1000 / polls, wallMs: performance.now() - started }
}

const rawLoop = (targets: ReadonlyArray<AgentTarget>, trust: TrustMaterial, cachedSessions: number) => {
  const agent = new Agent({
    keepAlive: false,
    maxCachedSessions: cachedSessions,
    secureContext: secureContextOf(trust)
  })
  const poll = (target: AgentTarget) =>
    new Promise<void>((resolve, reject) => {
      get({ host: target.address, port: target.port, path: "/api/v1/health", agent }, (response) => {
        const parts: Array<Buffer> = []
        response.on("data", (part: Buffer) => void parts.push(part))
        response.on("end", () => {
          JSON.parse(Buffer.concat(parts).toString())
          resolve()
        })
      }).on("error", reject)
    })
  return async (polls: number): Promise<void> => {
    let next = 0
    const worker = async (): Promise<void> => {
      while (next < polls) {
        const target = targets[next++ % targets.length]
        if (target) await poll(target)
      }
    }
    await Promise.all(Array.from({ length: CONCURRENCY }, worker))
  }
}

const measure = async (polls: number): Promise<void> => {
  const authority = await makeTestAuthority()
  const ids = Array.from({ length: HOSTS }, (_, i) =>
    HostId.make(`01990000-0000-7000-8000-${String(i).padStart(12, "0")}`)
  )
  const addresses = ids.map((_, i) => `127.77.0.${i + 1}`)
  const hosts = await Promise.all(
    ids.map(
      async (id, i) =>
        [
          addresses[i] ?? "",
          await authority.host({
            names: [
              { type: "ip", value: addresses[i] ?? "" },
              { type: "url", value: hostUri(id) }
            ]
          })
        ] as const
    )
  )
  const server = fork(new URL(import.meta.url).pathname, ["serve"])
  const port = await new Promise<number>((resolve) => {
    server.once("message", (value: number) => resolve(value))
    server.send({ ca_pem: authority.ca.certificate_pem, hosts } satisfies Orders)
  })
  const targets = ids.map((host_id, i): AgentTarget => ({
    host_id,
    name: null,
    address: addresses[i] ?? "",
    port,
    bound_fingerprint: null,
    trust_generation: 1
  }))
  const client = makeAgentClient(authority.trust, makeSlots({ total: CONCURRENCY, polls: CONCURRENCY }))
  let generation = 1
  const clientLoop = (resumed: boolean) => (count: number) =>
    Effect.runPromise(
      Effect.forEach(
        Array.from({ length: count }, (_, i) => i),
        (i) => {
          const target = targets[i % HOSTS]
          if (!target) return Effect.void
          return client.health(resumed ? target : { ...target, trust_generation: ++generation })
        },
        { concurrency: CONCURRENCY, discard: true }
      )
    )
  const loops = {
    "raw node:https, new": rawLoop(targets, authority.trust, 0),
    "agent client, new": clientLoop(false),
    "raw node:https, resumed": rawLoop(targets, authority.trust, 1000),
    "agent client, resumed": clientLoop(true)
  }
  for (const loop of Object.values(loops)) await loop(HOSTS * 2)
  const rounds = Object.fromEntries(Object.keys(loops).map((name) => [name, new Array<Round>()]))
  for (let i = 0; i < 3; i++) {
    for (const [name, loop] of Object.entries(loops)) rounds[name]?.push(await measured(polls, () => loop(polls)))
  }
  const best = (name: string): Round =>
    (rounds[name] ?? []).reduce((one, other) => (one.cpuMs < other.cpuMs ? one : other))
  for (const name of Object.keys(loops)) {
    const { cpuMs, wallMs } = best(name)
    console.log(`${name.padEnd(26)} ${cpuMs.toFixed(3)} ms CPU a poll, ${(wallMs / 1000).toFixed(2)} s wall`)
  }
  for (const kind of ["new", "resumed"]) {
    const ratio = best(`agent client, ${kind}`).cpuMs / best(`raw node:https, ${kind}`).cpuMs
    console.log(`client / raw, ${kind}: ${ratio.toFixed(2)}`)
  }
  server.kill()
}

if (process.argv[2] === "serve") serve()
else await measure(Number(process.argv[2] ?? 2500))
