import * as Schema from "effect/Schema"
import { randomUUID } from "node:crypto"
import { readFileSync, writeFileSync } from "node:fs"
import { FleetControl } from "#test/fleet/FleetControl.ts"
import type { ConfigValues } from "./Config.ts"
import { dataFiles } from "./DataDirectory.ts"
import { type ManagerCall, managerCaller } from "./start/managerCall.ts"

const Known = Schema.Struct({ id: Schema.String, address: Schema.String, agent_port: Schema.Number })
type Known = typeof Known.Type
const Page = Schema.Struct({ items: Schema.Array(Known), next_cursor: Schema.NullOr(Schema.String) })
const Issued = Schema.Struct({ certificate_pem: Schema.String, private_key_pem: Schema.String, ca_pem: Schema.String })
const decodePage = Schema.decodeUnknownSync(Page)
const decodeKnown = Schema.decodeUnknownSync(Known)
const decodeIssued = Schema.decodeUnknownSync(Issued)
const Before = Schema.Struct({ agent_port: Schema.Number, addresses: Schema.Array(Schema.String) })
const decodeBefore = Schema.decodeUnknownSync(Schema.fromJsonString(Before))

const atOnce = 8

/** What an earlier start registered: a host that has gone since was removed by someone and stays removed. */
const registeredBefore = (file: string): typeof Before.Type => {
  try {
    return decodeBefore(readFileSync(file, "utf8"))
  } catch {
    return { agent_port: 0, addresses: [] }
  }
}

const knownHosts = async (call: ManagerCall): Promise<ReadonlyMap<string, Known>> => {
  const known = new Map<string, Known>()
  let cursor: string | null = null
  do {
    const query: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`
    const page = decodePage((await call("GET", `/api/v1/hosts?limit=500${query}`)).body)
    for (const host of page.items) known.set(host.address, host)
    cursor = page.next_cursor
  } while (cursor !== null)
  return known
}

/** The fleet may have moved to another port since it was registered. */
const followPort = async (call: ManagerCall, host: Known, port: number): Promise<void> => {
  if (host.agent_port === port) return
  const etag = (await call("GET", `/api/v1/hosts/${host.id}`)).headers["etag"]
  await call("PATCH", `/api/v1/hosts/${host.id}`, {
    body: { agent_port: port },
    headers: typeof etag === "string" ? { "if-match": etag } : {}
  })
}

const inParallel = async <A>(items: ReadonlyArray<A>, work: (item: A) => Promise<void>): Promise<void> => {
  const waiting = [...items]
  const worker = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

/**
 * Registers the stand-in hosts that are new, through the manager's ordinary REST path, and gives each the certificate
 * issued for it; answers how many. `makeToken` makes an access token of an administrator.
 */
export const registerFleet = async (config: ConfigValues, makeToken: () => Promise<string>): Promise<number> => {
  const files = dataFiles(config.dataDir)
  const fleet = new FleetControl(files.fleetControl)
  const before = registeredBefore(files.fleetRegistered)
  const registeredAddresses = new Set(before.addresses)
  const seats = await fleet.hosts()
  const asBefore = seats.every((seat) => seat.has_identity && registeredAddresses.has(seat.address))
  if (asBefore && before.agent_port === config.agent.port) return 0
  const { call, close } = managerCaller(config, readFileSync(files.caCertificate, "utf8"), await makeToken())
  let registered = 0
  try {
    const known = await knownHosts(call)
    await inParallel(seats, async (seat) => {
      let host = known.get(seat.address)
      if (host === undefined) {
        if (registeredAddresses.has(seat.address)) return
        const created = await call("POST", "/api/v1/hosts", {
          body: {
            address: seat.address,
            agent_port: config.agent.port,
            display_name: seat.fqdn.replace(/\.example\.test$/, "")
          },
          headers: { "idempotency-key": randomUUID() }
        })
        host = decodeKnown(created.body)
        registered += 1
      } else if (seat.has_identity) {
        return followPort(call, host, config.agent.port)
      }
      const issued = decodeIssued((await call("POST", `/api/v1/hosts/${host.id}/certificate`)).body)
      await fleet.setIdentity(seat.address, issued)
      await call("POST", `/api/v1/hosts/${host.id}/refresh`)
    })
    const after: typeof Before.Type = {
      agent_port: config.agent.port,
      addresses: [...new Set([...before.addresses, ...seats.map((seat) => seat.address)])]
    }
    writeFileSync(files.fleetRegistered, JSON.stringify(after), { mode: 0o600 })
  } finally {
    close()
  }
  return registered
}
