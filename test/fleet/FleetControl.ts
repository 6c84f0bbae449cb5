import { request } from "node:http"
import type { Installed, Pending } from "./Backend.ts"
import type { FleetStats, HostSpec, HostView } from "./Fleet.ts"
import type { LedgerEntry } from "./Ledger.ts"
import type { Identity, Misbehaviour } from "./Misbehaviour.ts"
import type { Timing } from "./StandIn.ts"

const deadlineMs = 30_000

/** Controls a fleet in another process over its unix socket. Every call has a deadline of 30 s. */
export class FleetControl {
  private readonly socketPath: string

  constructor(socketPath: string) {
    this.socketPath = socketPath
  }

  private call<A>(method: string, path: string, body?: unknown): Promise<A> {
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          socketPath: this.socketPath,
          method,
          path,
          headers: { "content-type": "application/json" },
          signal: AbortSignal.timeout(deadlineMs)
        },
        (response) => {
          const chunks: Array<Buffer> = []
          response.on("data", (chunk: Buffer) => chunks.push(chunk))
          response.on("error", reject)
          response.on("end", () => {
            const text = Buffer.concat(chunks).toString("utf8")
            if (response.statusCode === 200) resolve(JSON.parse(text) as A)
            else reject(new Error(`The fleet refused ${method} ${path}: ${text}`))
          })
        }
      )
      outgoing.on("error", reject)
      outgoing.end(body === undefined ? undefined : JSON.stringify(body))
    })
  }

  hosts(): Promise<ReadonlyArray<HostView>> {
    return this.call("GET", "/hosts")
  }

  host(address: string): Promise<HostView> {
    return this.call("GET", `/hosts/${address}`)
  }

  addHost(spec: HostSpec): Promise<HostView> {
    return this.call("POST", "/hosts", spec)
  }

  /** Gives a host the certificate that the manager issued; `ca_pem` is the CA its callers must come from. */
  setIdentity(address: string, identity: Identity & { readonly ca_pem?: string }): Promise<void> {
    return this.call("PUT", `/hosts/${address}/identity`, identity)
  }

  setIdentities(
    identities: ReadonlyArray<Identity & { readonly address: string; readonly ca_pem?: string }>
  ): Promise<void> {
    return this.call("PUT", "/identities", identities)
  }

  setCa(caPem: string): Promise<void> {
    return this.call("PUT", "/ca", { ca_pem: caPem })
  }

  /** Replaces what a host does wrong; without a list it behaves again. */
  misbehave(address: string, ...list: ReadonlyArray<Misbehaviour>): Promise<void> {
    return this.call("PUT", `/hosts/${address}/misbehaviour`, list)
  }

  /** Makes every host do the same wrong. */
  misbehaveAll(...list: ReadonlyArray<Misbehaviour>): Promise<void> {
    return this.call("PUT", "/misbehaviour", list)
  }

  /** Changes how long things take on one host, from the next job or reboot on. */
  setTiming(address: string, timing: Partial<Timing>): Promise<void> {
    return this.call("PUT", `/hosts/${address}/timing`, timing)
  }

  /** A new update appears; null when the host has no such package or its packages are real. */
  publish(address: string, name?: string, version?: string): Promise<Pending | null> {
    return this.call("POST", `/hosts/${address}/publish`, { name, version })
  }

  restartAgent(address: string): Promise<void> {
    return this.call("POST", `/hosts/${address}/restart`)
  }

  reboot(address: string): Promise<void> {
    return this.call("POST", `/hosts/${address}/reboot`)
  }

  boot(address: string): Promise<void> {
    return this.call("POST", `/hosts/${address}/boot`)
  }

  release(address: string): Promise<void> {
    return this.call("POST", `/hosts/${address}/release`)
  }

  /** What is really installed and pending, whatever the agent says. */
  truth(
    address: string
  ): Promise<{ readonly installed: ReadonlyArray<Installed>; readonly pending: ReadonlyArray<Pending> }> {
    return this.call("GET", `/hosts/${address}/packages`)
  }

  ledger(address?: string): Promise<ReadonlyArray<LedgerEntry>> {
    return this.call("GET", address === undefined ? "/ledger" : `/ledger?host=${address}`)
  }

  stats(): Promise<FleetStats> {
    return this.call("GET", "/stats")
  }

  resetStats(): Promise<void> {
    return this.call("POST", "/stats/reset")
  }
}
