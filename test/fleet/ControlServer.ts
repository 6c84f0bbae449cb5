import { chmodSync, rmSync } from "node:fs"
import type { IncomingMessage, ServerResponse } from "node:http"
import { createServer } from "node:http"
import type { Fleet, HostSpec } from "./Fleet.ts"
import type { Identity, Misbehaviour } from "./Misbehaviour.ts"
import type { Timing } from "./StandIn.ts"

const bodyLimit = 64 * 1024 * 1024

const read = async (request: IncomingMessage): Promise<unknown> => {
  const chunks: Array<Buffer> = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > bodyLimit) throw new Error("The request is larger than 64 MiB")
    chunks.push(chunk)
  }
  return size === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString("utf8"))
}

interface ControlIdentity extends Identity {
  readonly ca_pem?: string
}

const setIdentity = (fleet: Fleet, address: string, identity: ControlIdentity): void => {
  if (identity.ca_pem !== undefined) fleet.setCa(identity.ca_pem)
  fleet.setIdentity(address, identity)
}

/** Does one control request; undefined for an unknown one. */
const handle = async (fleet: Fleet, method: string, url: URL, body: unknown): Promise<unknown> => {
  const [, noun = "", address, action] = url.pathname.split("/")
  if (address === undefined) {
    switch (`${method} ${noun}`) {
      case "GET hosts":
        return fleet.hosts()
      case "POST hosts":
        return fleet.addHost(body as HostSpec)
      case "PUT identities":
        for (const one of body as ReadonlyArray<ControlIdentity & { readonly address: string }>) {
          setIdentity(fleet, one.address, one)
        }
        return {}
      case "PUT ca":
        fleet.setCa((body as { readonly ca_pem: string }).ca_pem)
        return {}
      case "PUT misbehaviour":
        fleet.misbehaveAll(...((Array.isArray(body) ? body : [body]) as ReadonlyArray<Misbehaviour>))
        return {}
      case "GET ledger":
        return fleet.readLedger(url.searchParams.get("host") ?? undefined)
      case "GET stats":
        return fleet.stats()
      default:
        return undefined
    }
  }
  if (noun === "stats" && address === "reset") {
    fleet.resetStats()
    return {}
  }
  if (noun !== "hosts") return undefined
  switch (`${method} ${action ?? ""}`) {
    case "GET ":
      return fleet.view(address)
    case "GET packages":
      return fleet.truth(address)
    case "PUT identity":
      setIdentity(fleet, address, body as ControlIdentity)
      return {}
    case "GET misbehaviour":
      return fleet.misbehaviours(address)
    case "PUT misbehaviour":
      fleet.misbehave(address, ...((Array.isArray(body) ? body : [body]) as ReadonlyArray<Misbehaviour>))
      return {}
    case "DELETE misbehaviour":
      fleet.misbehave(address)
      return {}
    case "PUT timing":
      fleet.setTiming(address, body as Partial<Timing>)
      return {}
    case "POST publish": {
      const { name, version } = body as { readonly name?: string; readonly version?: string }
      return fleet.publish(address, name, version) ?? null
    }
    case "POST restart":
      fleet.restartAgent(address)
      return {}
    case "POST reboot":
      fleet.reboot(address)
      return {}
    case "POST boot":
      fleet.boot(address)
      return {}
    case "POST release":
      fleet.release(address)
      return {}
    default:
      return undefined
  }
}

const answer = async (fleet: Fleet, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const send = (status: number, value: unknown) => {
    response.writeHead(status, { "content-type": "application/json" })
    response.end(JSON.stringify(value))
  }
  try {
    const url = new URL(request.url ?? "/", "http://fleet")
    const result = await handle(fleet, request.method ?? "GET", url, await read(request))
    if (result === undefined) send(404, { message: `The fleet does not know ${request.method} ${url.pathname}` })
    else send(200, result)
  } catch (cause) {
    send(400, { message: cause instanceof Error ? cause.message : String(cause) })
  }
}

/** Serves a fleet's controls on a unix socket that only its owner can open; the answer closes it. */
export const serveControl = async (fleet: Fleet, socketPath: string): Promise<() => Promise<void>> => {
  rmSync(socketPath, { force: true })
  const server = createServer((request, response) => void answer(fleet, request, response))
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(socketPath, resolve)
  })
  chmodSync(socketPath, 0o600)
  return async () => {
    server.closeAllConnections()
    await new Promise<void>((resolve) => server.close(() => resolve()))
    rmSync(socketPath, { force: true })
  }
}
