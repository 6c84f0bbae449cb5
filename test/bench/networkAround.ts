/**
 * A process that plays the machines of six networks: agents with certificates of ours, and ports that accept and stay silent.
 * What nobody listens on refuses; what is routed into the hole is never answered. Runs inside the private network namespace.
 */
import { createServer } from "node:net"
import { createServer as createTlsServer } from "node:tls"
import { addressesOf, readNetwork } from "#core/network.ts"

export interface Listening {
  readonly port: number
  readonly agents: ReadonlyArray<string>
  readonly silent: ReadonlyArray<string>
  readonly identity: { readonly certificate_pem: string; readonly private_key_pem: string }
  readonly ca_pem: string
}

const { port, agents, silent, identity, ca_pem }: Listening = JSON.parse(process.env["LISTENING"] ?? "{}")

const agent = createTlsServer({
  key: identity.private_key_pem,
  cert: identity.certificate_pem,
  ca: ca_pem,
  minVersion: "TLSv1.3",
  requestCert: true,
  rejectUnauthorized: true
})
agent.on("tlsClientError", (_error, socket) => socket.destroy())

const listen = (address: string, isAgent: boolean) =>
  new Promise<void>((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on("error", () => socket.destroy())
      if (isAgent) agent.emit("connection", socket)
    })
    server.once("error", reject)
    server.listen(port, address, resolve)
  })

const all = (ranges: ReadonlyArray<string>) =>
  ranges.flatMap((text) => {
    const network = readNetwork(text)
    return network === null ? [] : addressesOf(network)
  })

await Promise.all([
  ...all(agents).map((address) => listen(address, true)),
  ...all(silent).map((one) => listen(one, false))
])
process.send?.("listening")
process.on("disconnect", () => process.exit(0))
